// SPDX-License-Identifier: Apache-2.0
#include "server/scopes/derive_scope.h"

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "server/scopes/name_table.h"
#include "server/variables/names.h"

namespace varkeep {
namespace {

absl::Status CheckBytes(absl::string_view what, absl::string_view name) {
  if (name.size() <= kMaxNameBytes) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(what, " '", Shorten(name), "' has ", name.size(),
                   " bytes, a name has at most ", kMaxNameBytes));
}

absl::Status CheckOptionalNote(absl::string_view what,
                               const std::optional<std::string>& text) {
  return text.has_value() ? CheckNote(what, *text) : absl::OkStatus();
}

void ApplyArguments(const VariableScopeArguments& args, Scope* scope) {
  if (args.reuse != Reuse::kCreate) scope->reuse = args.reuse;
  if (!std::holds_alternative<std::monostate>(args.initializer)) {
    scope->initializer = args.initializer;
  }
  if (args.dtype.has_value()) scope->dtype = *args.dtype;
  if (args.regularizer.has_value()) scope->regularizer = *args.regularizer;
  if (args.caching_device.has_value()) {
    scope->caching_device = *args.caching_device;
  }
  // Never inherited, not even from a scope object: TensorFlow's quirk.
  scope->constraint = args.constraint.value_or("");
}

}  // namespace

absl::Status CheckScope(const Scope& scope) {
  RETURN_IF_ERROR(CheckBytes("variable scope", scope.variable_scope));
  RETURN_IF_ERROR(CheckBytes("original name scope", scope.original_name_scope));
  if (!scope.name_scope.empty()) {
    RETURN_IF_ERROR(CheckScopeName(scope.name_scope, /*at_root=*/false));
  }
  RETURN_IF_ERROR(CheckNote("regularizer", scope.regularizer));
  RETURN_IF_ERROR(CheckNote("caching device", scope.caching_device));
  return CheckNote("constraint", scope.constraint);
}

absl::Status CheckScopeArguments(const VariableScopeArguments& args) {
  if (std::holds_alternative<std::monostate>(args.name_or_scope)) {
    if (!args.default_name.has_value()) {
      return absl::InvalidArgumentError(
          "If default_name is None then name_or_scope is required");
    }
    if (args.reuse != Reuse::kCreate) {
      return absl::InvalidArgumentError(
          "reuse=True cannot be used without a name_or_scope");
    }
  }
  if (const auto* object = std::get_if<Scope>(&args.name_or_scope)) {
    RETURN_IF_ERROR(CheckScope(*object));
  }
  RETURN_IF_ERROR(CheckOptionalNote("regularizer", args.regularizer));
  RETURN_IF_ERROR(CheckOptionalNote("caching device", args.caching_device));
  return CheckOptionalNote("constraint", args.constraint);
}

Scope DeriveNamedScope(const Scope& current, absl::string_view name,
                       const VariableScopeArguments& args) {
  Scope scope = current;
  ApplyArguments(args, &scope);
  scope.variable_scope = JoinName(current.variable_scope, name);
  return scope;
}

Scope DeriveScopeFromObject(const Scope& current, const Scope& object,
                            const VariableScopeArguments& args) {
  Scope scope = object;
  ApplyArguments(args, &scope);
  scope.name_scope = current.name_scope;
  scope.stack = current.stack;
  return scope;
}

absl::string_view LastComponent(absl::string_view name) {
  return name.substr(name.rfind('/') + 1);  // npos + 1 is 0
}

}  // namespace varkeep
