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
absl::Status CheckRestored(const VariableSpec& existing,
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
                                          const Request& request) {
  std::vector<VariablePtr> targets;  // null: to be declared
  std::vector<VariablePtr> existing;
  {
    MutexLock lock(&mutex_);
    for (const RestoreMutation::Item& item : restore.items) {
      targets.push_back(Get(item.info.container, item.info.spec.name));
      if (targets.back() != nullptr) existing.push_back(targets.back());
    }
  }
  Writers writers(std::move(existing));
  std::vector<std::shared_ptr<Tensor>> old;  // freed after the mutex is
  MutexLock lock(&mutex_);
  ASSIGN_OR_RETURN(std::optional<Applied> repeated, Repeated(request));
  if (repeated) return *repeated;
  RETURN_IF_ERROR(CheckRestore(restore, targets));

  DeclareMissing(restore, &targets);
  Applied applied;
  if (!restore.items.empty()) applied.revision = ++usage_.revision;
  for (size_t i = 0; i < targets.size(); ++i) {
    const RestoreMutation::Item& item = restore.items[i];
    Variable* target = targets[i].get();
    // A later run of the initializer draws anew, whichever ran more often.
    target->info.run = std::max(target->info.run, item.info.run);
    if (item.value == nullptr) continue;
    old.push_back(SetValue(target, Adopt(item.value), applied.revision));
    applied.names.push_back(item.info.spec.name);
  }
  Finish(request, applied);
  return applied;
}

// Each gets a revision of its own, in the order they were first declared in,
// which is the order of collections.
void VariableStore::DeclareMissing(const RestoreMutation& restore,
                                   std::vector<VariablePtr>* targets) {
  std::vector<size_t> missing;
  for (size_t i = 0; i < targets->size(); ++i) {
    if ((*targets)[i] == nullptr) missing.push_back(i);
  }
  std::ranges::stable_sort(
      missing, {}, [&](size_t i) { return restore.items[i].info.declared; });
  for (size_t i : missing) {
    auto variable = std::make_shared<Variable>();
    variable->info = restore.items[i].info;
    variable->info.initialized = false;
    variable->info.version = 0;
    variable->info.declared = ++usage_.revision;
    Insert(variable);
    (*targets)[i] = std::move(variable);
  }
}

absl::Status VariableStore::CheckRestore(
    const RestoreMutation& restore,
    const std::vector<VariablePtr>& targets) const {
  int64_t growth = 0;
  for (size_t i = 0; i < targets.size(); ++i) {
    const VariableInfo& stored = restore.items[i].info;
    if (Get(stored.container, stored.spec.name) != targets[i]) {
      return absl::AbortedError(absl::StrCat(
          "variable '", stored.spec.name,
          "' was declared or deleted during the restore; try again"));
    }
    growth += BytesOf(restore.items[i].value);
    if (targets[i] == nullptr) continue;
    RETURN_IF_ERROR(CheckRestored(targets[i]->info.spec, stored.spec));
    growth -= BytesOf(targets[i]->value);
  }
  return CheckGrowth(growth);
}

absl::Status VariableStore::CheckRestorable(
    const RestoreMutation& restore) const {
  MutexLock lock(&mutex_);
  std::vector<VariablePtr> targets;
  for (const RestoreMutation::Item& item : restore.items) {
    targets.push_back(Get(item.info.container, item.info.spec.name));
  }
  return CheckRestore(restore, targets);
}

absl::Status VariableStore::Load(StoreSnapshot snapshot) {
  MutexLock lock(&mutex_);
  if (usage_.variables != 0) {
    return absl::FailedPreconditionError(
        "a snapshot is loaded into an empty store only");
  }
  usage_.revision = snapshot.revision;
  for (StoreSnapshot::Variable& stored : snapshot.variables) {
    auto variable = std::make_shared<Variable>();
    variable->info = std::move(stored.info);
    const Revision version = variable->info.version;
    VariablePtr inserted = variable;
    Insert(std::move(variable));
    if (stored.value == nullptr) continue;
    SetValue(inserted.get(), Adopt(std::move(stored.value)), version);
  }
  for (const RequestWindow::Entry& entry : snapshot.requests) {
    requests_.Record(entry.id, entry.revision);
  }
  return absl::OkStatus();
}

}  // namespace varkeep
