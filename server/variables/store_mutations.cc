// SPDX-License-Identifier: Apache-2.0
//
// The way of every change, and declaring and deleting. Changes of values,
// initializing and restoring have files of their own. The steps of a change are
// in variable_store.h.
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
// While one call with a request id is under way, another with the same id waits
// and finds it applied.
class VariableStore::InFlight {
 public:
  InFlight(VariableStore* store, const RequestId& id) : store_(store), id_(id) {
    MutexLock lock(&store_->mutex_);
    while (!store_->in_flight_.insert(id_).second) {
      store_->landed_.Wait(&store_->mutex_);
    }
  }
  ~InFlight() {
    {
      MutexLock lock(&store_->mutex_);
      store_->in_flight_.erase(id_);
    }
    store_->landed_.NotifyAll();
  }
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;

 private:
  VariableStore* const store_;
  const RequestId id_;
};

absl::StatusOr<Applied> VariableStore::Apply(const Mutation& mutation,
                                             const Request& request,
                                             Journal* journal) {
  std::optional<InFlight> in_flight;
  if (request.id) {
    in_flight.emplace(this, *request.id);
    MutexLock lock(&mutex_);
    ASSIGN_OR_RETURN(std::optional<Applied> repeated, Repeated(request));
    if (repeated) return *repeated;
  }
  return Dispatch(mutation, {request, journal, limits_});
}

absl::StatusOr<Applied> VariableStore::Replay(const Mutation& mutation,
                                              const Request& request,
                                              Journal* journal) {
  return Dispatch(mutation, {request, journal, kNoLimits});
}

absl::StatusOr<Applied> VariableStore::Dispatch(const Mutation& mutation,
                                                const Call& call) {
  absl::StatusOr<Applied> applied = std::visit(
      [&](const auto& change) { return Do(change, call); }, mutation);
  CallReady();
  return applied;
}

absl::StatusOr<std::optional<Applied>> VariableStore::Repeated(
    const Request& request) const {
  ASSIGN_OR_RETURN(std::optional<Revision> revision, requests_.Find(request));
  if (!revision) return std::nullopt;
  Applied applied;
  applied.revision = *revision;
  applied.duplicate = true;
  return applied;
}

absl::Status VariableStore::Commit(const Call& call, uint64_t revisions,
                                   Applied* applied,
                                   absl::FunctionRef<void()> install) {
  auto publish = [&](Revision last) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    usage_.revision = last;
    applied->revision = last;
    install();
    if (call.request.id) requests_.Record(*call.request.id, last);
    FindReady();
  };
  if (call.journal == nullptr) {
    MutexLock lock(&mutex_);
    publish(usage_.revision + revisions);
    return absl::OkStatus();
  }
  return call.journal->Commit(revisions, [&](Revision last) {
    MutexLock lock(&mutex_);
    publish(last);
  });
}

absl::Status VariableStore::Reservation::Take(int64_t bytes)
    ABSL_NO_THREAD_SAFETY_ANALYSIS {
  if (limit_ == 0 || bytes <= 0) return absl::OkStatus();
  const int64_t held = store_->usage_.value_bytes + store_->reserved_bytes_;
  const int64_t replaced =
      store_->replaced_.HeldBytes() + store_->overlay_bytes_;
  if (bytes > limit_ - held - replaced) {
    std::string readers;
    if (replaced > 0) {
      readers =
          absl::StrCat(", reads and saves under way hold replaced values of ",
                       replaced, " bytes");
    }
    return absl::ResourceExhaustedError(absl::StrCat(
        "memory limit of ", limit_, " bytes: the variables hold ", held,
        " bytes", readers, ", the request needs ", bytes, " more"));
  }
  bytes_ = bytes;
  store_->reserved_bytes_ += bytes;
  return absl::OkStatus();
}

absl::Status VariableStore::CheckAlive(const Variable& variable) const {
  if (!variable.deleted) return absl::OkStatus();
  return NoSuchVariableError(variable.traits->container, variable.name);
}

void VariableStore::Insert(VariablePtr variable) {
  ++usage_.variables;
  ++usage_.uninitialized;
  variable->traits = traits_.Share(std::move(variable->traits));
  containers_[variable->traits->container].Insert(std::move(variable));
}

StoredValue VariableStore::SetValue(Variable* variable, StoredValue value,
                                    Revision revision) {
  StoredValue& held = variable->value;
  if (held.tensor == nullptr) --usage_.uninitialized;
  usage_.value_bytes += BytesOf(value.tensor) - BytesOf(held.tensor);
  if (value.tensor != held.tensor) replaced_.Add(held.tensor);
  if (held.tensor != nullptr &&
      !(held.tensor->shape() == value.tensor->shape())) {
    ++layout_;
  }
  variable->version = revision;
  std::swap(held, value);
  return value;
}

void VariableStore::FindReady() {
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
                                          const Call& call) {
  const VariableSpec& spec = declare.spec;
  ASSIGN_OR_RETURN(int64_t bytes, SizeBytes(spec.dtype, spec.shape));
  if (bytes > call.limits.max_variable_bytes) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "variable '", spec.name, "' of shape ", spec.shape.ToString(),
        " and dtype ", DTypeName(spec.dtype), " has ", bytes,
        " bytes, the largest variable has ", call.limits.max_variable_bytes));
  }
  VariableInfo info;
  info.container = declare.container;
  info.spec = spec;
  auto variable = std::make_shared<Variable>(std::move(info));
  // Empty variables count as initialized from the start.
  std::shared_ptr<Tensor> empty;
  if (bytes == 0) {
    ASSIGN_OR_RETURN(empty, Tensor::Create(spec.dtype, spec.shape));
  }
  Applied applied;
  MutexLock structure(&structure_);
  {
    MutexLock lock(&mutex_);
    if (VariablePtr existing = Get(declare.container, spec.name)) {
      if (declare.must_create) {
        return absl::AlreadyExistsError(absl::StrCat(
            "Variable ", spec.name,
            " already exists, disallowed. Did you mean to set reuse=True or "
            "reuse=tf.AUTO_REUSE in VarScope?"));
      }
      RETURN_IF_ERROR(CheckSharing(existing->type(), spec));
      return applied;
    }
  }
  applied.created = true;
  RETURN_IF_ERROR(
      Commit(call, 1, &applied, [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
        variable->declared = applied.revision;
        Insert(variable);
        if (empty == nullptr) return;
        SetValue(variable.get(), {std::move(empty)}, applied.revision);
      }));
  return applied;
}

absl::StatusOr<Applied> VariableStore::Do(const DeleteMutation& remove,
                                          const Call& call) {
  MutexLock structure(&structure_);
  // Freed after the mutexes are.
  ASSIGN_OR_RETURN(VariablePtr variable, Lookup(remove.container, remove.name));
  Writers writers({variable});
  Applied applied;
  applied.count = 1;
  RETURN_IF_ERROR(
      Commit(call, 1, &applied, [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
        Erase(variable.get());
        containers_[remove.container].Erase(remove.name);
      }));
  return applied;
}

void VariableStore::Erase(Variable* variable) {
  variable->deleted = true;
  ++layout_;
  --usage_.variables;
  if (variable->value.tensor == nullptr) --usage_.uninitialized;
  usage_.value_bytes -= BytesOf(variable->value.tensor);
  replaced_.Add(variable->value.tensor);
}

absl::StatusOr<Applied> VariableStore::Do(const ResetContainerMutation& reset,
                                          const Call& call) {
  std::vector<VariablePtr> variables;  // freed after the mutexes are
  MutexLock structure(&structure_);
  {
    MutexLock lock(&mutex_);
    auto found = containers_.find(reset.container);
    if (found != containers_.end()) variables = found->second.All();
  }
  Applied applied;
  applied.count = static_cast<int64_t>(variables.size());
  if (variables.empty()) return applied;
  Writers writers(variables);
  RETURN_IF_ERROR(
      Commit(call, 1, &applied, [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
        containers_.erase(reset.container);
        for (const VariablePtr& variable : variables) Erase(variable.get());
      }));
  return applied;
}

absl::StatusOr<Applied> VariableStore::Do(const AddToCollectionMutation& add,
                                          const Call& call) {
  ASSIGN_OR_RETURN(VariablePtr variable, Lookup(add.container, add.name));
  Writers writers({variable});
  std::vector<std::string> keys;
  Applied applied;
  {
    MutexLock lock(&mutex_);
    RETURN_IF_ERROR(CheckAlive(*variable));
    keys = variable->traits->collections;
    for (const std::string& key : add.keys) {
      if (std::ranges::count(keys, key) == 0) keys.push_back(key);
    }
    // A checkpoint has room for so many.
    if (keys.size() > kMaxCollections) {
      return absl::InvalidArgumentError(
          absl::StrCat("variable '", add.name, "' would be in ", keys.size(),
                       " collections, the limit is ", kMaxCollections));
    }
    if (keys == variable->traits->collections) return applied;
  }
  RETURN_IF_ERROR(
      Commit(call, 1, &applied, [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
        VariableTraits traits = *variable->traits;
        traits.collections = std::move(keys);
        variable->traits =
            traits_.Share(std::make_shared<VariableTraits>(std::move(traits)));
      }));
  return applied;
}

}  // namespace varkeep
