// SPDX-License-Identifier: Apache-2.0
//
// Entering and leaving scopes. What a scope inherits is derive_scope's; here
// are its name scope, its number among default_name scopes and its opening.
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "server/scopes/derive_scope.h"
#include "server/scopes/session.h"
#include "server/variables/names.h"

namespace varkeep {
namespace {

absl::Status CheckVariableScope(absl::string_view name) {
  if (name.size() <= kMaxNameBytes) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("variable scope '", Shorten(name), "' has ", name.size(),
                   " bytes, a name has at most ", kMaxNameBytes));
}

// "foo/" for the scope foo, "" for the root.
std::string WithSlash(absl::string_view name_scope) {
  return name_scope.empty() ? "" : absl::StrCat(name_scope, "/");
}

}  // namespace

absl::StatusOr<Scope> Session::EnterVariableScope(
    const Scope& current, const VariableScopeArguments& args) {
  MutexLock lock(&mutex_);
  RETURN_IF_ERROR(CheckScope(current));
  RETURN_IF_ERROR(CheckScopeArguments(args));
  stacks_.LeaveInside(current.stack, current.opening);
  RETURN_IF_ERROR(stacks_.CheckRoom(current.stack));

  const Scope* object = std::get_if<Scope>(&args.name_or_scope);
  const std::string* name = std::get_if<std::string>(&args.name_or_scope);
  Scope scope;
  std::string component;  // what the name scope is called
  if (object != nullptr) {
    scope = DeriveScopeFromObject(current, *object, args);
    component = std::string(LastComponent(object->variable_scope));
  } else if (name != nullptr) {
    scope = DeriveNamedScope(current, *name, args);
    component = *name;
  } else {
    component = *args.default_name;
    const std::string unique = stacks_.UniqueDefaultName(
        current.stack, current.variable_scope, component);
    scope = DeriveNamedScope(current, unique, args);
  }
  RETURN_IF_ERROR(CheckVariableScope(scope.variable_scope));

  // The root scope, by object or by name "", stays in the current name scope.
  const bool is_root =
      component.empty() && (object != nullptr || name != nullptr);
  if (args.auxiliary_name_scope && !is_root) {
    ASSIGN_OR_RETURN(scope.name_scope,
                     names_.OpenScope(current.name_scope, component));
  }
  if (object == nullptr) {
    scope.original_name_scope =
        args.auxiliary_name_scope && is_root ? "" : WithSlash(scope.name_scope);
  }
  scope.opening = stacks_.Open(current.stack,
                               object != nullptr ? ScopeStacks::Kind::kObject
                                                 : ScopeStacks::Kind::kString,
                               scope.variable_scope);
  return scope;
}

absl::StatusOr<Scope> Session::EnterNameScope(const Scope& current,
                                              absl::string_view name) {
  MutexLock lock(&mutex_);
  RETURN_IF_ERROR(CheckScope(current));
  stacks_.LeaveInside(current.stack, current.opening);
  RETURN_IF_ERROR(stacks_.CheckRoom(current.stack));
  Scope scope = current;
  ASSIGN_OR_RETURN(scope.name_scope,
                   names_.OpenScope(current.name_scope, name));
  scope.opening = stacks_.Open(current.stack, ScopeStacks::Kind::kName,
                               scope.variable_scope);
  return scope;
}

absl::Status Session::ExitScope(const Scope& scope) {
  MutexLock lock(&mutex_);
  return stacks_.Leave(scope.stack, scope.opening);
}

}  // namespace varkeep
