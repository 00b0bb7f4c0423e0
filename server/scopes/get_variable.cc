// SPDX-License-Identifier: Apache-2.0
//
// The decision table of get_variable (SEMANTICS 2.2) in a session. "Exists" is
// what the session declared; what only the container has counts for reuse=True
// and AUTO_REUSE, and is attached to:
//
//   reuse   in the session    in the container alone    nowhere
//   False   ALREADY_EXISTS    attach, as declared new   create
//   True    that one          attach                    NOT_FOUND
//   AUTO    that one          attach                    create
#include <utility>

#include "base/status_macros.h"
#include "server/scopes/session.h"

namespace varkeep {

absl::StatusOr<Declared> Session::GetVariable(const Scope& scope,
                                              const VariableArguments& args,
                                              const Request& request) {
  MutexLock lock(&mutex_);
  ASSIGN_OR_RETURN(std::optional<Declared> answered, Answered(request));
  if (answered.has_value()) return *std::move(answered);
  ASSIGN_OR_RETURN(VariableRequest wanted, ReadGetVariable(scope, args));
  ASSIGN_OR_RETURN(Declared declared, JudgeGet(wanted, scope.reuse, request));
  Remember(request, declared);
  return declared;
}

absl::StatusOr<Declared> Session::JudgeGet(const VariableRequest& wanted,
                                           Reuse reuse,
                                           const Request& request) {
  const auto key = keys_.find(wanted.name);
  if (key == keys_.end()) {
    if (reuse != Reuse::kCreate) {
      ASSIGN_OR_RETURN(std::optional<Declared> shared,
                       FindShared(wanted, reuse));
      if (shared.has_value()) return *std::move(shared);
    }
    if (reuse == Reuse::kReuse) return DoesNotExist(wanted.name);
    return DeclareNew(wanted, std::nullopt, request);
  }
  if (reuse == Reuse::kCreate) return AlreadyExists(wanted.name);
  ASSIGN_OR_RETURN(std::optional<VariableInfo> found,
                   FindInContainer(key->second));
  if (!found.has_value()) {  // deleted since
    if (reuse == Reuse::kReuse) return DoesNotExist(wanted.name);
    const std::string op_name = key->second;
    return DeclareNew(wanted, op_name, request);
  }
  RETURN_IF_ERROR(
      CheckShared(wanted.name, wanted.shape, wanted.dtype, found->spec));
  ops_ += StrayOps(wanted);
  return Declared{*std::move(found), false};
}

absl::StatusOr<std::optional<Declared>> Session::FindShared(
    const VariableRequest& wanted, Reuse reuse) {
  // One of this session's own that has another key is a tf.Variable to it.
  if (declared_.contains(wanted.name)) return std::nullopt;
  ASSIGN_OR_RETURN(std::optional<VariableInfo> found,
                   FindInContainer(wanted.name));
  if (!found.has_value()) return std::nullopt;
  if (names_.Full()) return NewName(wanted).status();
  int ops = StrayOps(wanted);
  std::vector<std::string> collections = found->spec.collections;
  if (reuse == Reuse::kReuse) {
    RETURN_IF_ERROR(
        CheckShared(wanted.name, wanted.shape, wanted.dtype, found->spec));
  } else {
    // In this program's graph it is a creation.
    RETURN_IF_ERROR(CheckShared(wanted, found->spec));
    ops = CreationOps(wanted, found->spec);
    collections = wanted.kept.collections;
  }
  RETURN_IF_ERROR(collections_.CheckRoom(collections.size()));
  Adopt(wanted, wanted.name, collections);
  ops_ += ops;
  return Declared{*std::move(found), false};
}

}  // namespace varkeep
