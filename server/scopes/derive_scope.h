// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_SCOPES_DERIVE_SCOPE_H_
#define VARKEEP_SERVER_SCOPES_DERIVE_SCOPE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "server/scopes/scope.h"

namespace varkeep {

// What a variable scope has from where it was entered and from its arguments
// (SEMANTICS 1.5, 2.5, 2.6); pure functions. Name scopes and openings are the
// session's.

// A scope that a client handed in: lengths, the name scope's characters, texts.
// INVALID_ARGUMENT names the part.
absl::Status CheckScope(const Scope& scope);

// tf.variable_scope's own checks of its arguments, with TensorFlow's texts, and
// those of CheckScope.
absl::Status CheckScopeArguments(const VariableScopeArguments& args);

// The scope `name` entered inside `current`.
Scope DeriveNamedScope(const Scope& current, absl::string_view name,
                       const VariableScopeArguments& args);

// The scope object `object` entered again: whatever `current` is, only its name
// scope and its stack count.
Scope DeriveScopeFromObject(const Scope& current, const Scope& object,
                            const VariableScopeArguments& args);

// "c" of "a/b/c".
absl::string_view LastComponent(absl::string_view name);

}  // namespace varkeep

#endif  // VARKEEP_SERVER_SCOPES_DERIVE_SCOPE_H_
