// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_DURABILITY_COMMITTER_H_
#define VARKEEP_SERVER_DURABILITY_COMMITTER_H_

#include <atomic>
#include <optional>

#include "absl/status/statusor.h"
#include "server/scopes/declarer.h"
#include "server/variables/variable_store.h"

namespace varkeep {

// The one way in for changes: everything that wants to change a variable hands
// its Mutation to Apply. Thread-safe.
class Committer : public Declarer {
 public:
  // `store` must live longer.
  explicit Committer(VariableStore* store) : store_(store) {}

  // VariableStore::Apply. UNAVAILABLE while draining.
  absl::StatusOr<Applied> Apply(const Mutation& mutation,
                                const std::optional<RequestId>& request = {});

  absl::StatusOr<Applied> Declare(
      const Mutation& mutation,
      const std::optional<RequestId>& request) override {
    return Apply(mutation, request);
  }
  absl::StatusOr<VariableInfo> Find(absl::string_view container,
                                    absl::string_view name) override {
    return store_->Find(container, name);
  }

  // While draining every change is refused; those that began before may still
  // finish.
  void SetDraining(bool draining) { draining_ = draining; }
  bool draining() const { return draining_; }

 private:
  VariableStore* const store_;
  std::atomic<bool> draining_ = false;
};

}  // namespace varkeep

#endif  // VARKEEP_SERVER_DURABILITY_COMMITTER_H_
