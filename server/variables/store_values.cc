// SPDX-License-Identifier: Apache-2.0
//
// Changes of values: one at a time and, in a transaction, several at once.
#include <map>
#include <set>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "server/variables/store_variable.h"
#include "server/variables/value_check.h"
#include "server/variables/variable_store.h"

namespace varkeep {
namespace {

// Readers of smaller values do not wait for updates: the value is copied.
constexpr int64_t kInPlaceBytes = 64 << 10;

absl::Status CheckVersion(const VariableRecord& variable,
                          const std::optional<Revision>& expected) {
  if (!expected || *expected == variable.version) return absl::OkStatus();
  return absl::AbortedError(absl::StrCat(
      "variable '", variable.name, "' has version ", variable.version,
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

// --- changes that need the old value: check, in place, into a copy -----------

absl::Status CheckChange(const UpdateMutation& update, const ValueType& type) {
  return CheckUpdate(type, update.operand->dtype(), update.operand->shape());
}

void InPlace(const UpdateMutation& update, Tensor* value, ThreadPool* pool) {
  UpdateInPlace(update.op, *update.operand, value, pool);
}

absl::StatusOr<std::shared_ptr<Tensor>> Changed(const UpdateMutation& update,
                                                const Tensor& value,
                                                ThreadPool* pool) {
  return Updated(update.op, value, *update.operand, pool);
}

absl::Status CheckChange(const ScatterMutation& scatter,
                         const ValueType& type) {
  const auto check = scatter.nd ? CheckScatterNd : CheckScatter;
  return check(scatter.op, type.dtype, type.shape, *scatter.indices,
               *scatter.updates);
}

void InPlace(const ScatterMutation& scatter, Tensor* value, ThreadPool*) {
  const auto apply = scatter.nd ? ScatterNdInPlace : ScatterInPlace;
  apply(scatter.op, *scatter.indices, *scatter.updates, value);
}

absl::StatusOr<std::shared_ptr<Tensor>> Changed(const ScatterMutation& scatter,
                                                const Tensor& value,
                                                ThreadPool* pool) {
  const auto apply = scatter.nd ? ScatteredNd : Scattered;
  return apply(scatter.op, value, *scatter.indices, *scatter.updates, pool);
}

}  // namespace

bool VariableStore::BeginInPlace(Variable* variable) {
  if (variable->value->size_bytes() < kInPlaceBytes) return false;
  // Those who waited for the update before go first. Others do not wait as long
  // as `updating` is not set: they become no more.
  while (variable->waiting_brief_readers > 0) {
    brief_readers_gone_.Wait(&mutex_);
  }
  if (variable->waiting_readers > 0 || waiting_snapshots_ > 0 ||
      variable->value.use_count() > 1 + variable->brief_readers) {
    return false;
  }
  variable->updating = true;
  ++updates_in_place_;
  while (variable->brief_readers > 0) brief_readers_gone_.Wait(&mutex_);
  if (IsUnshared(variable->value)) return true;
  // A brief reader kept it.
  variable->updating = false;
  --updates_in_place_;
  settled_.NotifyAll();
  return false;
}

void VariableStore::EndInPlace(Variable* variable) {
  {
    MutexLock lock(&mutex_);
    variable->updating = false;
    --updates_in_place_;
  }
  settled_.NotifyAll();
}

absl::StatusOr<Applied> VariableStore::Do(const AssignMutation& assign,
                                          const Call& call) {
  ASSIGN_OR_RETURN(VariablePtr variable, Lookup(assign.container, assign.name));
  Writers writers({variable});
  Reservation reservation(this, call.limits);
  {
    MutexLock lock(&mutex_);
    RETURN_IF_ERROR(CheckAlive(*variable));
    RETURN_IF_ERROR(CheckAssign(variable->type(), assign.value->dtype(),
                                assign.value->shape(), assign.validate_shape));
    RETURN_IF_ERROR(CheckVersion(*variable, assign.expected_version));
    RETURN_IF_ERROR(
        reservation.Take(assign.value->size_bytes() -
                         ReplacedValues::BytesFreedWith(variable->value)));
  }
  Applied applied;
  std::shared_ptr<Tensor> old;  // freed after the mutex is
  RETURN_IF_ERROR(
      Commit(call, 1, &applied, [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
        reservation.Release();
        variable->shape = assign.value->shape();
        old = SetValue(variable.get(), Adopt(assign.value), applied.revision);
      }));
  return applied;
}

absl::StatusOr<Applied> VariableStore::Do(const UpdateMutation& update,
                                          const Call& call) {
  return ChangeValue(update, call);
}

absl::StatusOr<Applied> VariableStore::Do(const ScatterMutation& scatter,
                                          const Call& call) {
  return ChangeValue(scatter, call);
}

template <typename Change>
absl::StatusOr<Applied> VariableStore::ChangeValue(const Change& change,
                                                   const Call& call) {
  ASSIGN_OR_RETURN(VariablePtr variable, Lookup(change.container, change.name));
  Writers writers({variable});
  {
    MutexLock lock(&mutex_);
    RETURN_IF_ERROR(CheckAlive(*variable));
    if (variable->value == nullptr) return UninitializedError(change.name);
    RETURN_IF_ERROR(CheckVersion(*variable, change.expected_version));
  }
  // Only the holder of the writer mutex changes the spec.
  RETURN_IF_ERROR(CheckChange(change, variable->type()));
  Reservation reservation(this, call.limits);
  std::shared_ptr<Tensor> value;
  bool in_place = false;
  {
    MutexLock lock(&mutex_);
    in_place = BeginInPlace(variable.get());
    if (!in_place) {
      RETURN_IF_ERROR(
          reservation.Take(BytesOf(variable->value) -
                           ReplacedValues::BytesFreedWith(variable->value)));
    }
    value = variable->value;
  }
  if (!in_place) {
    ASSIGN_OR_RETURN(value, Changed(change, *value, pool_));
  }
  Applied applied;
  absl::Status committed =
      Commit(call, 1, &applied, [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
        reservation.Release();
        // What SetValue gives back is freed with `value`, or the same tensor.
        value = SetValue(variable.get(), std::move(value), applied.revision);
      });
  if (in_place) {
    if (committed.ok()) InPlace(change, value.get(), pool_);
    value.reset();
    EndInPlace(variable.get());
  }
  RETURN_IF_ERROR(committed);
  return applied;
}

// Several operations on values that nobody sees before all are done.
class VariableStore::Transaction {
 public:
  Transaction(const TransactionMutation& mutation, VariableStore* store)
      : mutation_(mutation), store_(store) {}

  absl::StatusOr<Applied> Run(const Call& call);

 private:
  using Operation = TransactionMutation::Operation;

  // A variable as the operations so far have left it.
  struct Draft {
    Variable* variable = nullptr;
    Shape shape;
    std::shared_ptr<Tensor> value;
    bool owned = false;    // made here: may be changed in place
    bool changed = false;  // by an operation
    // Begun in place: these are applied to the variable's own value, in order,
    // once they are committed.
    bool in_place = false;
    std::vector<const Operation*> later;

    ValueType type() const { return {variable->name, variable->dtype, shape}; }
  };

  absl::Status Find();
  absl::Status CheckVersions();
  void BeginDrafts();
  absl::Status Add(const Operation& operation);
  absl::Status Add(const AssignMutation& assign, Draft* draft);
  template <typename Change>
  absl::Status Add(const Change& change, Draft* draft);
  absl::StatusOr<Applied> Make(const Call& call);
  void ApplyLater(Draft* draft);
  void EndDrafts();

  const TransactionMutation& mutation_;
  VariableStore* const store_;
  std::map<std::string, VariablePtr> variables_;
  std::map<std::string, Draft> drafts_;
};

absl::StatusOr<Applied> VariableStore::Do(
    const TransactionMutation& transaction, const Call& call) {
  return Transaction(transaction, this).Run(call);
}

absl::StatusOr<Applied> VariableStore::Transaction::Run(const Call& call) {
  RETURN_IF_ERROR(Find());
  std::vector<VariablePtr> variables;
  for (const auto& [name, variable] : variables_) variables.push_back(variable);
  Writers writers(std::move(variables));
  {
    MutexLock lock(&store_->mutex_);
    RETURN_IF_ERROR(CheckVersions());
    BeginDrafts();
  }
  absl::StatusOr<Applied> applied = Make(call);
  EndDrafts();
  return applied;
}

absl::StatusOr<Applied> VariableStore::Transaction::Make(const Call& call) {
  Reservation reservation(store_, call.limits);
  for (const Operation& operation : mutation_.operations) {
    RETURN_IF_ERROR(Add(operation));
  }
  std::erase_if(drafts_,
                [](const auto& draft) { return !draft.second.changed; });
  Applied applied;
  if (drafts_.empty()) return applied;
  {
    MutexLock lock(&store_->mutex_);
    int64_t growth = 0;
    for (const auto& [name, draft] : drafts_) {
      if (draft.in_place) continue;
      growth += BytesOf(draft.value) -
                ReplacedValues::BytesFreedWith(draft.variable->value);
    }
    RETURN_IF_ERROR(reservation.Take(growth));
  }
  RETURN_IF_ERROR(
      store_->Commit(call, 1, &applied, [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
        reservation.Release();
        for (auto& [name, draft] : drafts_) {
          draft.variable->shape = draft.shape;
          // What is given back, the old value or the same, goes with the draft.
          draft.value = store_->SetValue(draft.variable, std::move(draft.value),
                                         applied.revision);
        }
      }));
  for (auto& [name, draft] : drafts_) ApplyLater(&draft);
  return applied;
}

absl::Status VariableStore::Transaction::Find() {
  const auto find = [this](const std::string& name) -> absl::Status {
    if (variables_.contains(name)) return absl::OkStatus();
    ASSIGN_OR_RETURN(variables_[name],
                     store_->Lookup(mutation_.container, name));
    return absl::OkStatus();
  };
  for (const VersionCondition& condition : mutation_.conditions) {
    RETURN_IF_ERROR(find(condition.name));
  }
  for (const TransactionMutation::Operation& operation : mutation_.operations) {
    RETURN_IF_ERROR(std::visit(
        [&](const auto& change) { return find(change.name); }, operation));
  }
  return absl::OkStatus();
}

// Conditions first, then the versions that operations expect.
absl::Status VariableStore::Transaction::CheckVersions()
    ABSL_NO_THREAD_SAFETY_ANALYSIS {
  for (const auto& [name, variable] : variables_) {
    RETURN_IF_ERROR(store_->CheckAlive(*variable));
  }
  for (const VersionCondition& condition : mutation_.conditions) {
    RETURN_IF_ERROR(
        CheckVersion(*variables_.at(condition.name), condition.version));
  }
  for (const TransactionMutation::Operation& operation : mutation_.operations) {
    RETURN_IF_ERROR(std::visit(
        [this](const auto& change) {
          return CheckVersion(*variables_.at(change.name),
                              change.expected_version);
        },
        operation));
  }
  return absl::OkStatus();
}

void VariableStore::Transaction::BeginDrafts() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  for (const auto& [name, variable] : variables_) {
    drafts_[name].variable = variable.get();
    drafts_[name].shape = variable->shape;
  }
  // What an assign gives another value is not changed in place before.
  std::set<std::string> assigned;
  std::set<std::string> updated;
  for (const Operation& operation : mutation_.operations) {
    const bool assigns = std::holds_alternative<AssignMutation>(operation);
    (assigns ? assigned : updated)
        .insert(std::visit([](const auto& change) { return change.name; },
                           operation));
  }
  for (auto& [name, draft] : drafts_) {
    draft.in_place = updated.contains(name) && !assigned.contains(name) &&
                     draft.variable->value != nullptr &&
                     store_->BeginInPlace(draft.variable);
    draft.value = draft.variable->value;
  }
}

absl::Status VariableStore::Transaction::Add(const Operation& operation) {
  return std::visit(
      [&](const auto& change) -> absl::Status {
        Draft* draft = &drafts_.at(change.name);
        RETURN_IF_ERROR(Add(change, draft));
        draft->changed = true;
        if (draft->in_place) draft->later.push_back(&operation);
        return absl::OkStatus();
      },
      operation);
}

absl::Status VariableStore::Transaction::Add(const AssignMutation& assign,
                                             Draft* draft) {
  RETURN_IF_ERROR(CheckAssign(draft->type(), assign.value->dtype(),
                              assign.value->shape(), assign.validate_shape));
  draft->shape = assign.value->shape();
  draft->value = Adopt(assign.value);
  draft->owned = false;  // the mutation holds it too
  return absl::OkStatus();
}

template <typename Change>
absl::Status VariableStore::Transaction::Add(const Change& change,
                                             Draft* draft) {
  if (draft->value == nullptr) return UninitializedError(change.name);
  RETURN_IF_ERROR(CheckChange(change, draft->type()));
  if (draft->in_place) return absl::OkStatus();
  if (draft->owned) {
    InPlace(change, draft->value.get(), store_->pool_);
  } else {
    ASSIGN_OR_RETURN(draft->value,
                     Changed(change, *draft->value, store_->pool_));
  }
  draft->owned = true;
  return absl::OkStatus();
}

void VariableStore::Transaction::ApplyLater(Draft* draft) {
  for (const Operation* operation : draft->later) {
    std::visit(
        [&](const auto& change) {
          if constexpr (!std::is_same_v<decltype(change),
                                        const AssignMutation&>) {
            InPlace(change, draft->value.get(), store_->pool_);
          }
        },
        *operation);
  }
}

void VariableStore::Transaction::EndDrafts() {
  for (auto& [name, draft] : drafts_) {
    draft.value.reset();
    if (draft.in_place) store_->EndInPlace(draft.variable);
  }
}

}  // namespace varkeep
