// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_BASE_STATUS_MACROS_H_
#define VARKEEP_BASE_STATUS_MACROS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// Returns from the enclosing function if `expression`, an absl::Status, is an
// error.
#define RETURN_IF_ERROR(expression)                           \
  do {                                                        \
    if (absl::Status status_ = (expression); !status_.ok()) { \
      return status_;                                         \
    }                                                         \
  } while (false)

// ASSIGN_OR_RETURN(auto x, F()): evaluates an absl::StatusOr, returns its error
// from the enclosing function or moves its value into the declaration.
#define ASSIGN_OR_RETURN(declaration, expression)                         \
  VARKEEP_ASSIGN_OR_RETURN_(VARKEEP_STATUS_CONCAT_(status_or_, __LINE__), \
                            declaration, expression)

#define VARKEEP_ASSIGN_OR_RETURN_(result, declaration, expression) \
  auto result = (expression);                                      \
  if (!result.ok()) return std::move(result).status();             \
  declaration = *std::move(result)

#define VARKEEP_STATUS_CONCAT_(a, b) VARKEEP_STATUS_CONCAT_INNER_(a, b)
#define VARKEEP_STATUS_CONCAT_INNER_(a, b) a##b

#endif  // VARKEEP_BASE_STATUS_MACROS_H_
