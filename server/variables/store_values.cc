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
#include "server/variables/store_draft.h"
#include "server/variables/store_variable.h"
#include "server/variables/value_check.h"
#include "server/variables/variable_store.h"

namespace varkeep {
namespace {

absl::Status CheckVersion(const VariableRecord& variable,
                          const std::optional<Revision>& expected) {
  if (!expected || *expected == variable.version) return absl::OkStatus();
  return absl::AbortedError(absl::StrCat(
      "variable '", variable.name, "' has version ", variable.version,
      ", the request expects version ", *expected));
}

}  // namespace

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
    RETURN_IF_ERROR(reservation.Take(
        assign.value->size_bytes() -
        ReplacedValues::BytesFreedWith(variable->value.tensor)));
  }
  Applied applied;
  StoredValue old;  // freed after the mutex is
  RETURN_IF_ERROR(
      Commit(call, 1, &applied, [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
        reservation.Release();
        variable->shape = assign.value->shape();
        old = SetValue(variable.get(), {Adopt(assign.value)}, applied.revision);
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
  Reservation reservation(this, call.limits);
  Draft draft(this, variable.get());
  Draft::Extent extent;
  Draft::Extend(change, *variable, &extent);
  {
    MutexLock lock(&mutex_);
    RETURN_IF_ERROR(CheckAlive(*variable));
    if (variable->value.tensor == nullptr) {
      return UninitializedError(change.name);
    }
    RETURN_IF_ERROR(CheckVersion(*variable, change.expected_version));
    if (!extent.all) LetReadersGoFirst({variable});
    draft.Begin(extent);
    RETURN_IF_ERROR(reservation.Take(draft.Growth()));
  }
  RETURN_IF_ERROR(draft.Add(change));
  Applied applied;
  RETURN_IF_ERROR(
      Commit(call, 1, &applied, [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
        reservation.Release();
        draft.Install(applied.revision);
      }));
  draft.Finish();
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

  absl::Status Find();
  absl::Status CheckVersions();
  void BeginDrafts();
  absl::StatusOr<Applied> Make(const Call& call);

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
  drafts_.clear();  // before other writers come
  return applied;
}

absl::StatusOr<Applied> VariableStore::Transaction::Make(const Call& call) {
  Reservation reservation(store_, call.limits);
  for (const Operation& operation : mutation_.operations) {
    RETURN_IF_ERROR(std::visit(
        [&](const auto& change) { return drafts_.at(change.name).Add(change); },
        operation));
  }
  std::erase_if(drafts_,
                [](const auto& draft) { return !draft.second.changed(); });
  Applied applied;
  if (drafts_.empty()) return applied;
  {
    MutexLock lock(&store_->mutex_);
    int64_t growth = 0;
    for (const auto& [name, draft] : drafts_) growth += draft.Growth();
    RETURN_IF_ERROR(reservation.Take(growth));
  }
  RETURN_IF_ERROR(
      store_->Commit(call, 1, &applied, [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
        reservation.Release();
        for (auto& [name, draft] : drafts_) draft.Install(applied.revision);
      }));
  for (auto& [name, draft] : drafts_) draft.Finish();
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
  // What an assign gives another value is not changed in place before.
  std::set<std::string> assigned;
  std::map<std::string, Draft::Extent> extents;
  for (const Operation& operation : mutation_.operations) {
    std::visit(
        [&](const auto& change) {
          if constexpr (std::is_same_v<decltype(change),
                                       const AssignMutation&>) {
            assigned.insert(change.name);
          } else {
            Draft::Extend(change, *variables_.at(change.name),
                          &extents[change.name]);
          }
        },
        operation);
  }
  for (const std::string& name : assigned) extents.erase(name);
  std::vector<VariablePtr> rows;
  for (const auto& [name, extent] : extents) {
    if (!extent.all) rows.push_back(variables_.at(name));
  }
  // Before the first begins: what readers wait for may be another of these.
  if (!rows.empty()) store_->LetReadersGoFirst(rows);
  for (const auto& [name, variable] : variables_) {
    Draft& draft =
        drafts_.try_emplace(name, store_, variable.get()).first->second;
    const auto extent = extents.find(name);
    if (extent == extents.end()) {
      draft.Begin();
    } else {
      draft.Begin(extent->second);
    }
  }
}

}  // namespace varkeep
