// SPDX-License-Identifier: Apache-2.0
//
// Bringing back what a checkpoint has: into a running store (Restore) and into
// a fresh one (Load).
#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "server/variables/store_variable.h"
#include "server/variables/value_check.h"
#include "server/variables/variable_store.h"

namespace varkeep {
namespace {

// TensorFlow's text for a dtype that differs, the shape text of Assign
// otherwise.
absl::Status CheckRestored(const ValueType& existing,
                           const VariableSpec& stored) {
  if (existing.dtype != stored.dtype) {
    return absl::InvalidArgumentError(absl::StrCat(
        "tensor_name = ", existing.name, "; expected dtype ",
        DTypeName(existing.dtype), " does not equal original dtype ",
        DTypeName(stored.dtype)));
  }
  return CheckAssign(existing, stored.dtype, stored.shape,
                     /*validate_shape=*/true);
}

}  // namespace

absl::StatusOr<Applied> VariableStore::Do(const RestoreMutation& restore,
                                          const Call& call) {
  Applied applied;
  if (restore.items.empty()) return applied;
  MutexLock structure(&structure_);
  std::vector<VariablePtr> targets;  // null: to be declared
  std::vector<VariablePtr> existing;
  {
    MutexLock lock(&mutex_);
    targets = Targets(restore);
    for (const VariablePtr& target : targets) {
      if (target != nullptr) existing.push_back(target);
    }
  }
  const uint64_t missing = targets.size() - existing.size();
  Writers writers(std::move(existing));
  Reservation reservation(this, call.limits);
  {
    MutexLock lock(&mutex_);
    ASSIGN_OR_RETURN(int64_t growth,
                     CheckRestore(restore, targets, call.limits));
    RETURN_IF_ERROR(reservation.Take(growth));
  }
  std::vector<StoredValue> old;  // freed after the mutex is
  RETURN_IF_ERROR(
      Commit(call, missing + 1, &applied, [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
        reservation.Release();
        DeclareMissing(restore, applied.revision - missing, &targets);
        for (size_t i = 0; i < targets.size(); ++i) {
          const RestoreMutation::Item& item = restore.items[i];
          Variable* target = targets[i].get();
          // A later run of the initializer draws anew, whichever ran more
          // often.
          target->run = std::max(target->run, item.info.run);
          if (item.value == nullptr) continue;
          old.push_back(
              SetValue(target, {Adopt(item.value)}, applied.revision));
          applied.names.push_back(item.info.spec.name);
        }
      }));
  return applied;
}

std::vector<VariablePtr> VariableStore::Targets(
    const RestoreMutation& restore) const {
  std::vector<VariablePtr> targets;
  for (const RestoreMutation::Item& item : restore.items) {
    targets.push_back(Get(item.info.container, item.info.spec.name));
  }
  return targets;
}

// Each gets a revision of its own, in the order they were first declared in,
// which is the order of collections.
void VariableStore::DeclareMissing(const RestoreMutation& restore,
                                   Revision first,
                                   std::vector<VariablePtr>* targets) {
  std::vector<size_t> missing;
  for (size_t i = 0; i < targets->size(); ++i) {
    if ((*targets)[i] == nullptr) missing.push_back(i);
  }
  std::ranges::stable_sort(
      missing, {}, [&](size_t i) { return restore.items[i].info.declared; });
  for (size_t i : missing) {
    auto variable = std::make_shared<Variable>(restore.items[i].info);
    variable->declared = first++;
    Insert(variable);
    (*targets)[i] = std::move(variable);
  }
}

absl::StatusOr<int64_t> VariableStore::CheckRestore(
    const RestoreMutation& restore, const std::vector<VariablePtr>& targets,
    const StoreLimits& limits) const {
  int64_t growth = 0;
  for (size_t i = 0; i < targets.size(); ++i) {
    const RestoreMutation::Item& item = restore.items[i];
    const int64_t bytes = BytesOf(item.value);
    if (targets[i] == nullptr && bytes > limits.max_variable_bytes) {
      return absl::ResourceExhaustedError(absl::StrCat(
          "variable '", item.info.spec.name, "' has ", bytes,
          " bytes, the largest variable has ", limits.max_variable_bytes));
    }
    growth += bytes;
    if (targets[i] == nullptr) continue;
    RETURN_IF_ERROR(CheckRestored(targets[i]->type(), item.info.spec));
    growth -= ReplacedValues::BytesFreedWith(targets[i]->value.tensor);
  }
  return growth;
}

absl::Status VariableStore::CheckRestorable(const RestoreMutation& restore) {
  Reservation reservation(this, limits_);
  MutexLock lock(&mutex_);
  ASSIGN_OR_RETURN(int64_t growth,
                   CheckRestore(restore, Targets(restore), limits_));
  absl::Status enough = reservation.Take(growth);
  reservation.Release();
  return enough;
}

absl::Status VariableStore::Load(StoreSnapshot snapshot) {
  MutexLock lock(&mutex_);
  if (usage_.variables != 0) {
    return absl::FailedPreconditionError(
        "a snapshot is loaded into an empty store only");
  }
  usage_.revision = snapshot.revision;
  for (StoreSnapshot::Variable& stored : snapshot.variables) {
    const Revision version = stored.info.version;
    auto variable = std::make_shared<Variable>(std::move(stored.info));
    Insert(variable);
    if (stored.value == nullptr) continue;
    SetValue(variable.get(), {Adopt(std::move(stored.value))}, version);
  }
  requests_.Load(snapshot.requests);
  return absl::OkStatus();
}

}  // namespace varkeep
