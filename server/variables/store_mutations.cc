// SPDX-License-Identifier: Apache-2.0
//
// What changes the store, but for initializing and restoring, which have files
// of their own. A change of values goes through three steps: take the writer
// mutexes; under the store's mutex check everything that can fail; make the new
// values without it; under it again install them at one new revision. A
// variable that was deleted in between is no longer there.
#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "server/variables/names.h"
#include "server/variables/store_variable.h"
#include "server/variables/value_check.h"
#include "server/variables/variable_store.h"

namespace varkeep {
namespace {

absl::Status CheckVersion(const VariableInfo& info,
                          const std::optional<Revision>& expected) {
  if (!expected || *expected == info.version) return absl::OkStatus();
  return absl::AbortedError(
      absl::StrCat("variable '", info.spec.name, "' has version ", info.version,
                   ", the request expects version ", *expected));
}

// True when nobody but the store holds the value. The copy that comes and goes
// orders what former holders read before what the caller writes: use_count()
// alone does not.
bool IsUnshared(std::shared_ptr<Tensor>& value) {
  if (value.use_count() != 1) return false;
  std::shared_ptr<Tensor> probe = value;
  probe.reset();
  return true;
}

}  // namespace

absl::StatusOr<Applied> VariableStore::Apply(
    const Mutation& mutation, const std::optional<RequestId>& request) {
  if (request) {
    // Before anything that may fail today although it went well then: the
    // variable may be gone.
    MutexLock lock(&mutex_);
    ASSIGN_OR_RETURN(std::optional<Applied> repeated, Repeated(request));
    if (repeated) return *repeated;
  }
  absl::StatusOr<Applied> applied = std::visit(
      [&](const auto& change) { return Do(change, request); }, mutation);
  CallReady();
  return applied;
}

absl::StatusOr<std::optional<Applied>> VariableStore::Repeated(
    const Request& request) const {
  if (!request) return std::nullopt;
  ASSIGN_OR_RETURN(std::optional<Revision> revision, requests_.Find(*request));
  if (!revision) return std::nullopt;
  Applied applied;
  applied.revision = *revision;
  applied.duplicate = true;
  return applied;
}

absl::Status VariableStore::CheckGrowth(int64_t bytes) const {
  if (limits_.memory_limit_bytes == 0 || bytes <= 0 ||
      bytes <= limits_.memory_limit_bytes - usage_.value_bytes) {
    return absl::OkStatus();
  }
  return absl::ResourceExhaustedError(
      absl::StrCat("memory limit of ", limits_.memory_limit_bytes,
                   " bytes: the variables hold ", usage_.value_bytes,
                   " bytes, the request needs ", bytes, " more"));
}

void VariableStore::Insert(VariablePtr variable) {
  VariableInfo& info = variable->info;
  ++usage_.variables;
  ++usage_.uninitialized;
  containers_[info.container][info.spec.name] = std::move(variable);
}

std::shared_ptr<Tensor> VariableStore::SetValue(Variable* variable,
                                                std::shared_ptr<Tensor> value,
                                                Revision revision) {
  if (variable->value == nullptr) --usage_.uninitialized;
  usage_.value_bytes += BytesOf(value) - BytesOf(variable->value);
  variable->info.initialized = true;
  variable->info.version = revision;
  std::swap(variable->value, value);
  return value;
}

void VariableStore::Finish(const Request& request, const Applied& applied) {
  if (request) requests_.Record(*request, applied.revision);
  for (auto at = watches_.begin(); at != watches_.end();) {
    if (!IsReady(at->second)) {
      ++at;
      continue;
    }
    ready_.push_back({at->first, std::move(at->second.ready), usage_.revision});
    at = watches_.erase(at);
  }
}

absl::StatusOr<Applied> VariableStore::Do(const DeclareMutation& declare,
                                          const Request& request) {
  const VariableSpec& spec = declare.spec;
  ASSIGN_OR_RETURN(int64_t bytes, SizeBytes(spec.dtype, spec.shape));
  if (bytes > limits_.max_variable_bytes) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "variable '", spec.name, "' of shape ", spec.shape.ToString(),
        " and dtype ", DTypeName(spec.dtype), " has ", bytes,
        " bytes, the largest variable has ", limits_.max_variable_bytes));
  }
  // Empty variables count as initialized from the start.
  std::shared_ptr<Tensor> empty;
  if (bytes == 0) {
    ASSIGN_OR_RETURN(empty, Tensor::Create(spec.dtype, spec.shape));
  }
  MutexLock lock(&mutex_);
  ASSIGN_OR_RETURN(std::optional<Applied> repeated, Repeated(request));
  if (repeated) return *repeated;
  Applied applied;
  if (VariablePtr existing = Get(declare.container, spec.name)) {
    if (declare.must_create) {
      return absl::AlreadyExistsError(absl::StrCat(
          "Variable ", spec.name,
          " already exists, disallowed. Did you mean to set reuse=True or "
          "reuse=tf.AUTO_REUSE in VarScope?"));
    }
    RETURN_IF_ERROR(CheckSharing(existing->info.spec, spec));
    Finish(request, applied);
    return applied;
  }
  auto variable = std::make_shared<Variable>();
  applied.created = true;
  applied.revision = ++usage_.revision;
  variable->info.container = declare.container;
  variable->info.spec = spec;
  variable->info.declared = applied.revision;
  Insert(variable);
  if (empty != nullptr) {
    SetValue(variable.get(), std::move(empty), applied.revision);
  }
  Finish(request, applied);
  return applied;
}

absl::StatusOr<Applied> VariableStore::Do(const AssignMutation& assign,
                                          const Request& request) {
  ASSIGN_OR_RETURN(VariablePtr variable, Lookup(assign.container, assign.name));
  Writers writers({variable});
  std::shared_ptr<Tensor> old;  // freed after the mutex is
  MutexLock lock(&mutex_);
  ASSIGN_OR_RETURN(std::optional<Applied> repeated, Repeated(request));
  if (repeated) return *repeated;
  if (variable->deleted) {
    return NoSuchVariableError(assign.container, assign.name);
  }
  RETURN_IF_ERROR(CheckAssign(variable->info.spec, assign.value->dtype(),
                              assign.value->shape(), assign.validate_shape));
  RETURN_IF_ERROR(CheckVersion(variable->info, assign.expected_version));
  RETURN_IF_ERROR(
      CheckGrowth(assign.value->size_bytes() - BytesOf(variable->value)));
  Applied applied;
  applied.revision = ++usage_.revision;
  variable->info.spec.shape = assign.value->shape();
  old = SetValue(variable.get(), Adopt(assign.value), applied.revision);
  Finish(request, applied);
  return applied;
}

absl::StatusOr<Applied> VariableStore::Do(const UpdateMutation& update,
                                          const Request& request) {
  ASSIGN_OR_RETURN(VariablePtr variable, Lookup(update.container, update.name));
  Writers writers({variable});
  std::shared_ptr<Tensor> base;
  bool in_place = false;
  {
    MutexLock lock(&mutex_);
    ASSIGN_OR_RETURN(std::optional<Applied> repeated, Repeated(request));
    if (repeated) return *repeated;
    RETURN_IF_ERROR(CheckUpdate(variable->info.spec, update.operand->dtype(),
                                update.operand->shape()));
    if (variable->value == nullptr) return UninitializedError(update.name);
    RETURN_IF_ERROR(CheckVersion(variable->info, update.expected_version));
    in_place = waiting_readers_ == 0 && IsUnshared(variable->value);
    variable->updating = in_place;
    updates_in_place_ += in_place ? 1 : 0;
    base = variable->value;
  }

  absl::StatusOr<std::shared_ptr<Tensor>> result = base;
  if (in_place) {
    UpdateInPlace(update.op, *update.operand, base.get(), pool_);
  } else {
    result = Updated(update.op, *base, *update.operand, pool_);
  }

  base.reset();
  MutexLock lock(&mutex_);
  if (in_place) {
    variable->updating = false;
    --updates_in_place_;
    settled_.NotifyAll();
  }
  RETURN_IF_ERROR(result.status());
  if (variable->deleted) {
    return NoSuchVariableError(update.container, update.name);
  }
  Applied applied;
  applied.revision = ++usage_.revision;
  // What SetValue gives back is freed with `result`, or is the same tensor.
  *result = SetValue(variable.get(), *std::move(result), applied.revision);
  Finish(request, applied);
  return applied;
}

absl::StatusOr<Applied> VariableStore::Do(const DeleteMutation& remove,
                                          const Request& request) {
  VariablePtr variable;  // freed after the mutex is
  MutexLock lock(&mutex_);
  ASSIGN_OR_RETURN(std::optional<Applied> repeated, Repeated(request));
  if (repeated) return *repeated;
  ASSIGN_OR_RETURN(variable, Require(remove.container, remove.name));
  Erase(variable.get());
  containers_[remove.container].erase(remove.name);
  Applied applied;
  applied.count = 1;
  applied.revision = ++usage_.revision;
  Finish(request, applied);
  return applied;
}

void VariableStore::Erase(Variable* variable) {
  variable->deleted = true;
  --usage_.variables;
  if (variable->value == nullptr) --usage_.uninitialized;
  usage_.value_bytes -= BytesOf(variable->value);
}

absl::StatusOr<Applied> VariableStore::Do(const ResetContainerMutation& reset,
                                          const Request& request) {
  Variables dropped;  // freed after the mutex is
  MutexLock lock(&mutex_);
  ASSIGN_OR_RETURN(std::optional<Applied> repeated, Repeated(request));
  if (repeated) return *repeated;
  Applied applied;
  if (auto found = containers_.find(reset.container);
      found != containers_.end()) {
    dropped.swap(found->second);
    containers_.erase(found);
  }
  for (const auto& [name, variable] : dropped) Erase(variable.get());
  applied.count = static_cast<int64_t>(dropped.size());
  if (applied.count > 0) applied.revision = ++usage_.revision;
  Finish(request, applied);
  return applied;
}

absl::StatusOr<Applied> VariableStore::Do(const AddToCollectionMutation& add,
                                          const Request& request) {
  MutexLock lock(&mutex_);
  ASSIGN_OR_RETURN(std::optional<Applied> repeated, Repeated(request));
  if (repeated) return *repeated;
  ASSIGN_OR_RETURN(VariablePtr variable, Require(add.container, add.name));
  Applied applied;
  std::vector<std::string> keys = variable->info.spec.collections;
  for (const std::string& key : add.keys) {
    if (std::ranges::count(keys, key) == 0) keys.push_back(key);
  }
  // A checkpoint has room for so many.
  if (keys.size() > kMaxCollections) {
    return absl::InvalidArgumentError(
        absl::StrCat("variable '", add.name, "' would be in ", keys.size(),
                     " collections, the limit is ", kMaxCollections));
  }
  if (keys != variable->info.spec.collections) {
    variable->info.spec.collections = std::move(keys);
    applied.revision = ++usage_.revision;
  }
  Finish(request, applied);
  return applied;
}

}  // namespace varkeep
