// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_CLIENT_SESSION_H_
#define VARKEEP_CLIENT_SESSION_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/selection.h"
#include "client/variable.h"
#include "client/variable_scope.h"

namespace varkeep::client {

struct SessionOptions {
  std::string container = {};              // tf.container
  std::optional<int64_t> graph_seed = {};  // tf.set_random_seed
  std::string creator = {};                // for people: "worker 3 on host x"
};

// Values as they were at one revision.
struct Snapshot {
  uint64_t revision = 0;
  std::vector<TensorRef> values;   // in the order that was asked for
  std::vector<uint64_t> versions;  // of each
};

// What a graph is in TensorFlow: the scopes and names of one program. Values
// are shared by name with every other session of the container. When the server
// is restarted, or forgets the session, another one is opened behind the scenes
// and everything is declared in it again, so a program does nothing for that.
// What was declared is remembered as long as the session lives: declare while
// building a model, not in every step (finding a variable under reuse is free).
// Thread-safe. Closed when the last reference, handles of variables included,
// is gone.
class Session {
 public:
  // The scope outside all others. Declarations made through it are TensorFlow's
  // at top level.
  VariableScope& root() { return root_; }
  // The same for another thread, which has scopes of its own.
  VariableScope NewThreadRoot();

  // tf.variable_scope(name) and so on at top level; see VariableScope.
  absl::StatusOr<VariableScope> EnterScope(const std::string& name,
                                           const ScopeOptions& options = {}) {
    return root_.EnterScope(name, options);
  }
  absl::StatusOr<Variable> GetVariable(const std::string& name,
                                       const Shape& shape,
                                       const Initializer& initializer = {},
                                       const VariableOptions& options = {}) {
    return root_.GetVariable(name, shape, initializer, options);
  }
  absl::StatusOr<Variable> CreateVariable(const std::string& name,
                                          const Shape& shape,
                                          const Initializer& initializer,
                                          const VariableOptions& options = {}) {
    return root_.CreateVariable(name, shape, initializer, options);
  }

  // tf.variables_initializer, run on the server in one commit. Variables that
  // have a value keep it; `force`: all are drawn anew. Returns the op names
  // that got a value.
  absl::StatusOr<std::vector<std::string>> Initialize(
      const Selection& selection = Selection::GlobalVariables(),
      bool force = false);
  // tf.report_uninitialized_variables: op names.
  absl::StatusOr<std::vector<std::string>> ReportUninitialized();
  // Returns when all are initialized, by whomever. DEADLINE_EXCEEDED after
  // `timeout`; a restart of the server does not end it.
  absl::Status WaitUntilInitialized(
      const Selection& selection = Selection::GlobalVariables(),
      absl::Duration timeout = absl::InfiniteDuration());

  // tf.get_collection(key, scope): in the order they were added. `scope` is a
  // regular expression that matches names from their start; "": all.
  absl::StatusOr<std::vector<Variable>> Collection(
      const std::string& key, const std::string& scope = "");
  absl::StatusOr<std::vector<Variable>> GlobalVariables() {
    return Collection(kGlobalVariables);
  }
  absl::StatusOr<std::vector<Variable>> TrainableVariables() {
    return Collection(kTrainableVariables);
  }
  // tf.add_to_collection. Adding twice stores twice.
  absl::Status AddToCollection(const std::string& key,
                               const Variable& variable);

  // Many values in one call, as they were at one revision: no change is in one
  // and missing in another. REQUIRES: variables of this session's container.
  absl::StatusOr<Snapshot> ReadSnapshot(std::span<const Variable> variables);

  explicit Session(std::shared_ptr<SessionCore> core);

 private:
  const std::shared_ptr<SessionCore> core_;
  VariableScope root_;
};

}  // namespace varkeep::client

#endif  // VARKEEP_CLIENT_SESSION_H_
