// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_SCOPES_VARIABLE_ERRORS_H_
#define VARKEEP_SERVER_SCOPES_VARIABLE_ERRORS_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "server/variables/variable.h"

namespace varkeep {

// E1 and E2 of SEMANTICS 2.2.
absl::Status AlreadyExists(absl::string_view key);
absl::Status DoesNotExist(absl::string_view key);
// A literal name that is taken.
absl::Status DuplicateName(absl::string_view op_name);

// What a request that finds a variable requires of it: INVALID_ARGUMENT "Trying
// to share variable ..." otherwise.
absl::Status CheckShared(absl::string_view key,
                         const std::optional<PartialShape>& shape, DType dtype,
                         const VariableSpec& found);

}  // namespace varkeep

#endif  // VARKEEP_SERVER_SCOPES_VARIABLE_ERRORS_H_
