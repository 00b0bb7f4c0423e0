// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_SCOPES_SESSION_H_
#define VARKEEP_SERVER_SCOPES_SESSION_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/mutex.h"
#include "server/scopes/answer_memory.h"
#include "server/scopes/collection_lists.h"
#include "server/scopes/declarer.h"
#include "server/scopes/name_table.h"
#include "server/scopes/scope.h"
#include "server/scopes/scope_stacks.h"
#include "server/scopes/variable_request.h"

namespace varkeep {

struct SessionOptions {
  std::string container;
  std::optional<int64_t> graph_seed;  // tf.set_random_seed
  std::string creator;
};

// What a graph is in TensorFlow, for one client: the store keys it declared,
// its name table, the counters of its scopes, its op counter and its
// collections. Calls are judged against what this session declared; values are
// shared with others by op name. Thread-safe: calls of one session run one
// after the other.
class Session {
 public:
  // `declarer` must live longer. `entropy` gives random numbers for
  // initializers that have no seed at all.
  Session(std::string id, SessionOptions options, Declarer* declarer,
          std::function<uint64_t()> entropy);
  ~Session();

  const std::string& id() const { return id_; }
  const SessionOptions& options() const { return options_; }

  // tf.variable_scope and tf.name_scope on entry. Scopes opened inside
  // `current` that nobody left are left by this. INVALID_ARGUMENT with
  // TensorFlow's texts, RESOURCE_EXHAUSTED at the limits of NameTable and
  // ScopeStacks.
  absl::StatusOr<Scope> EnterVariableScope(const Scope& current,
                                           const VariableScopeArguments& args);
  absl::StatusOr<Scope> EnterNameScope(const Scope& current,
                                       absl::string_view name);
  // Scopes of one stack are left innermost first; FAILED_PRECONDITION "Improper
  // nesting of variable_scope." otherwise. Leaving one again does nothing.
  absl::Status ExitScope(const Scope& scope);

  // tf.get_variable (SEMANTICS 2), tf.get_local_variable when args.local.
  // ALREADY_EXISTS E1, NOT_FOUND E2, INVALID_ARGUMENT for the rest,
  // RESOURCE_EXHAUSTED at the session's limits. On an error nothing changes. A
  // `request` answered before is answered again.
  absl::StatusOr<Declared> GetVariable(const Scope& scope,
                                       const VariableArguments& args,
                                       const Request& request);
  // tf.Variable (SEMANTICS 3).
  absl::StatusOr<Declared> CreateVariable(const Scope& scope,
                                          const VariableArguments& args,
                                          const Request& request);

  // Op names, in the order they were added; an unknown key has none.
  std::vector<std::string> Collection(absl::string_view key) const;
  // tf.add_to_collections: a key named twice counts once, a key that has the
  // variable already gets it again. NOT_FOUND when the container has no such
  // variable.
  absl::StatusOr<VariableInfo> AddToCollections(
      const std::vector<std::string>& keys, absl::string_view name,
      const Request& request);

  // Op names of all variables this session declared or found, in order, each
  // once.
  std::vector<std::string> Declarations() const;

 private:
  // The variable of the container; nullopt when there is none.
  absl::StatusOr<std::optional<VariableInfo>> FindInContainer(
      absl::string_view name);

  // The decision table of get_variable.
  absl::StatusOr<Declared> JudgeGet(const VariableRequest& wanted, Reuse reuse,
                                    const Request& request)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // A key this session has not: what the container alone has; nullopt when it
  // has nothing to find either.
  absl::StatusOr<std::optional<Declared>> FindShared(
      const VariableRequest& wanted, Reuse reuse)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Declares a new variable under `op_name`, or under a name of its own.
  absl::StatusOr<Declared> DeclareNew(const VariableRequest& wanted,
                                      std::optional<std::string> op_name,
                                      const Request& request)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<std::string> NewName(const VariableRequest& wanted) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // From now on the session knows the variable.
  void Adopt(const VariableRequest& wanted, const std::string& op_name,
             const std::vector<std::string>& collections)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // The answer to a request that was answered before; nullopt for a new one.
  absl::StatusOr<std::optional<Declared>> Answered(const Request& request)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Remember(const Request& request, const Declared& answer)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string id_;
  const SessionOptions options_;
  Declarer* const declarer_;
  const std::function<uint64_t()> entropy_;

  mutable Mutex mutex_;
  NameTable names_ ABSL_GUARDED_BY(mutex_);
  ScopeStacks stacks_ ABSL_GUARDED_BY(mutex_);
  // Op name by store key.
  absl::flat_hash_map<std::string, std::string> keys_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> declarations_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_set<std::string> declared_ ABSL_GUARDED_BY(mutex_);
  CollectionLists collections_ ABSL_GUARDED_BY(mutex_);
  int64_t ops_ ABSL_GUARDED_BY(mutex_) = 0;  // TensorFlow's op counter
  AnswerMemory answers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace varkeep

#endif  // VARKEEP_SERVER_SCOPES_SESSION_H_
