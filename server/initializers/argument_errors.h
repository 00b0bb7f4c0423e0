// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_INITIALIZERS_ARGUMENT_ERRORS_H_
#define VARKEEP_SERVER_INITIALIZERS_ARGUMENT_ERRORS_H_

#include <complex>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "server/initializers/initializer_spec.h"
#include "tensor/dtype.h"

namespace varkeep::initializers {

// A number as Python's repr prints it: "0.0", "1e-05", "nan", "(1+2j)", "True".
std::string PythonRepr(double value);
std::string PythonRepr(std::complex<double> value);
std::string PythonRepr(bool value);
std::string PythonRepr(const Number& value);

// INVALID_ARGUMENT names argument and value when it is NaN or infinite.
absl::Status CheckFinite(absl::string_view name, const Number& value);

// "Expected int32, got 2.5 of type 'float' instead."
absl::Status WrongKindError(DType expected, absl::string_view repr,
                            absl::string_view python_type);

// "Invalid dtype tf.bool"
absl::Status InvalidDTypeError(DType dtype);

// Whether a Python integer fits the integer type `dtype`; INVALID_ARGUMENT
// names both if not.
absl::Status CheckFits(absl::string_view name, int64_t value, DType dtype);

}  // namespace varkeep::initializers

#endif  // VARKEEP_SERVER_INITIALIZERS_ARGUMENT_ERRORS_H_
