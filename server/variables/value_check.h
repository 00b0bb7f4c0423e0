// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_VARIABLES_VALUE_CHECK_H_
#define VARKEEP_SERVER_VARIABLES_VALUE_CHECK_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "server/variables/variable.h"

namespace varkeep {

// TensorFlow's texts for what does not fit a variable
// (SEMANTICS 2.2, 5.2, 6.1).

// What the values of a variable must be. Refers to the variable's own.
struct ValueType {
  absl::string_view name;
  DType dtype;
  const Shape& shape;
};

inline ValueType TypeOf(const VariableSpec& spec) {
  return {spec.name, spec.dtype, spec.shape};
}

// Another declaration of the variable. INVALID_ARGUMENT "Trying to share
// variable <name>, but specified shape (2,) and found shape (3,)." or the like
// for dtype.
absl::Status CheckSharing(const ValueType& existing,
                          const VariableSpec& wanted);

// A value to assign. INVALID_ARGUMENT names both dtypes or both shapes.
absl::Status CheckAssign(const ValueType& variable, DType dtype,
                         const Shape& shape, bool validate_shape);

// An operand to add or subtract.
absl::Status CheckUpdate(const ValueType& variable, DType dtype,
                         const Shape& shape);

// FAILED_PRECONDITION "Attempting to use uninitialized value <name>".
absl::Status UninitializedError(absl::string_view name);

// NOT_FOUND, naming the variable and its container.
absl::Status NoSuchVariableError(absl::string_view container,
                                 absl::string_view name);

}  // namespace varkeep

#endif  // VARKEEP_SERVER_VARIABLES_VALUE_CHECK_H_
