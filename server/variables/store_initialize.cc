// SPDX-License-Identifier: Apache-2.0
//
// Running initializers on the server, many in one commit.
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "base/status_macros.h"
#include "server/variables/store_variable.h"
#include "server/variables/value_check.h"
#include "server/variables/variable_store.h"

namespace varkeep {

// A first value on its way.
struct VariableStore::Drawing {
  VariablePtr variable;
  TensorRef value;  // null: not drawn yet
};

std::vector<VariableStore::Drawing> VariableStore::ToDraw(
    const std::vector<VariablePtr>& variables, bool force) const {
  std::vector<Drawing> drawings;
  absl::flat_hash_set<const Variable*> seen;
  for (const VariablePtr& variable : variables) {
    if (variable->value.tensor != nullptr && !force) continue;
    if (!seen.insert(variable.get()).second) continue;
    drawings.push_back({variable, nullptr});
  }
  return drawings;
}

absl::Status VariableStore::Draw(std::vector<Drawing>* drawings) const {
  std::vector<absl::Status> statuses(drawings->size());
  pool_->ParallelFor(static_cast<int64_t>(drawings->size()), [&](int64_t i) {
    Drawing& drawing = (*drawings)[static_cast<size_t>(i)];
    // Only the holder of the writer mutex changes them.
    const Variable& variable = *drawing.variable;
    absl::StatusOr<TensorRef> value =
        RunInitializer(variable.traits->initializer, variable.dtype,
                       variable.shape, variable.seeds, variable.run, pool_);
    statuses[static_cast<size_t>(i)] = value.status();
    if (value.ok()) drawing.value = *std::move(value);
  });
  for (const absl::Status& status : statuses) RETURN_IF_ERROR(status);
  return absl::OkStatus();
}

// Variables that exist had the size of their shape checked.
int64_t VariableStore::Growth(const std::vector<Drawing>& drawings) const {
  int64_t growth = 0;
  for (const Drawing& drawing : drawings) {
    const Variable& variable = *drawing.variable;
    growth += variable.shape.num_elements() * ItemSize(variable.dtype) -
              ReplacedValues::BytesFreedWith(variable.value.tensor);
  }
  return growth;
}

absl::StatusOr<Applied> VariableStore::Do(const InitializeMutation& initialize,
                                          const Call& call) {
  std::vector<VariablePtr> variables;
  for (const std::string& name : initialize.names) {
    ASSIGN_OR_RETURN(VariablePtr variable, Lookup(initialize.container, name));
    variables.push_back(std::move(variable));
  }
  Writers writers(variables);
  std::vector<Drawing> drawings;
  Applied applied;
  Reservation reservation(this, call.limits);
  {
    MutexLock lock(&mutex_);
    for (const VariablePtr& variable : variables) {
      RETURN_IF_ERROR(CheckAlive(*variable));
    }
    drawings = ToDraw(variables, initialize.force);
    if (drawings.empty()) return applied;
    RETURN_IF_ERROR(reservation.Take(Growth(drawings)));
  }
  const absl::Time start = absl::Now();
  RETURN_IF_ERROR(Draw(&drawings));
  const absl::Duration took = absl::Now() - start;

  std::vector<StoredValue> old;  // freed after the mutex is
  RETURN_IF_ERROR(
      Commit(call, 1, &applied, [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
        reservation.Release();
        usage_.initializing += took;
        for (Drawing& drawing : drawings) {
          ++drawing.variable->run;
          old.push_back(SetValue(drawing.variable.get(),
                                 {Adopt(std::exchange(drawing.value, nullptr))},
                                 applied.revision));
          applied.names.push_back(drawing.variable->name);
        }
      }));
  return applied;
}

}  // namespace varkeep
