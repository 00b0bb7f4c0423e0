// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_SCOPES_SESSION_H_
#define VARKEEP_SERVER_SCOPES_SESSION_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/mutex.h"
#include "server/scopes/scope.h"
#include "server/variables/mutation.h"
#include "server/variables/variable.h"

namespace varkeep {

// The variables that sessions declare into: the store, or what stands before it.
// Thread-safe.
class Declarer {
 public:
  virtual ~Declarer() = default;
  // VariableStore::Apply of a DeclareMutation or AddToCollectionMutation.
  virtual absl::StatusOr<Applied> Declare(
      const Mutation& mutation, const std::optional<RequestId>& request) = 0;
  // NOT_FOUND when the container has no such variable.
  virtual absl::StatusOr<VariableInfo> Find(absl::string_view container,
                                            absl::string_view name) = 0;
};

struct SessionOptions {
  std::string container;
  std::optional<int64_t> graph_seed;  // tf.set_random_seed
  std::string creator;
};

// A variable that a call declared or found.
struct Declared {
  VariableInfo info;
  bool created = false;  // the container did not have it before
};

// What a graph is in TensorFlow, for one client: the store keys it declared, its
// name table, the counters of its scopes, its op counter and its collections.
// Calls are judged against what this session declared; values are shared with
// others by op name. Thread-safe: calls of one session run one after the other.
class Session {
 public:
  // `declarer` must live longer. `entropy` gives random numbers for initializers
  // that have no seed at all.
  Session(std::string id, SessionOptions options, Declarer* declarer,
          std::function<uint64_t()> entropy);
  ~Session();

  const std::string& id() const { return id_; }
  const SessionOptions& options() const { return options_; }

  // tf.variable_scope and tf.name_scope on entry. INVALID_ARGUMENT with
  // TensorFlow's texts.
  absl::StatusOr<Scope> EnterVariableScope(const Scope& current,
                                           const VariableScopeArguments& args);
  absl::StatusOr<Scope> EnterNameScope(const Scope& current,
                                       absl::string_view name);
  // Scopes of one stack are left innermost first; FAILED_PRECONDITION "Improper
  // nesting of variable_scope." otherwise.
  absl::Status ExitScope(const Scope& scope);

  // tf.get_variable (SEMANTICS 2), tf.get_local_variable when args.local.
  // ALREADY_EXISTS E1, NOT_FOUND E2, INVALID_ARGUMENT for the rest. On an error
  // nothing changes.
  absl::StatusOr<Declared> GetVariable(const Scope& scope,
                                       const VariableArguments& args,
                                       const std::optional<RequestId>& request);
  // tf.Variable (SEMANTICS 3).
  absl::StatusOr<Declared> CreateVariable(
      const Scope& scope, const VariableArguments& args,
      const std::optional<RequestId>& request);

  // Op names, in the order they were added; an unknown key has none.
  std::vector<std::string> Collection(absl::string_view key) const;
  // tf.add_to_collections: a key named twice counts once, a key that has the
  // variable already gets it again. NOT_FOUND when the container has no such
  // variable.
  absl::StatusOr<VariableInfo> AddToCollections(
      const std::vector<std::string>& keys, absl::string_view name,
      const std::optional<RequestId>& request);

  // Op names of all variables this session declared or found, in order.
  std::vector<std::string> Declarations() const;
};

// get_variable and Variable without a session, judged against the container:
// reuse looks there, and Variable makes its name unique there. The op seed alone,
// or else `entropy`, seeds random initializers. `scope` needs only the fields the
// caller cares for.
absl::StatusOr<Declared> GetVariableWithoutSession(
    Declarer* declarer, absl::string_view container, const Scope& scope,
    const VariableArguments& args, const std::optional<RequestId>& request,
    const std::function<uint64_t()>& entropy);
absl::StatusOr<Declared> CreateVariableWithoutSession(
    Declarer* declarer, absl::string_view container, const Scope& scope,
    const VariableArguments& args, const std::optional<RequestId>& request,
    const std::function<uint64_t()>& entropy);

}  // namespace varkeep

#endif  // VARKEEP_SERVER_SCOPES_SESSION_H_
