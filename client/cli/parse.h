// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_CLIENT_CLI_PARSE_H_
#define VARKEEP_CLIENT_CLI_PARSE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/initializers.h"
#include "tensor/tensor.h"
#include "tensor/tensor_ops.h"

namespace varkeep::cli {

// What people type, as values. Errors are INVALID_ARGUMENT, name the text and
// say what is expected.

// "2,3", "(2, 3)", "[2,3]"; "" , "()" and "scalar" are a scalar.
absl::StatusOr<Shape> ParseShape(absl::string_view text);

// "0:10,:", "3,2:" as in Python, without steps; dimensions left out at the end
// are whole. A single index takes one element and keeps its dimension. Negative
// numbers count from the end.
absl::StatusOr<SliceSpec> ParseSlice(absl::string_view text,
                                     const Shape& shape);

// "glorot_uniform", "random_normal(stddev=0.35, seed=7)", "constant(1,2,3)":
// TensorFlow's names, "_initializer" may follow. `seed` is for initializers
// whose text has none.
absl::StatusOr<client::Initializer> ParseInitializer(
    absl::string_view text, std::optional<int64_t> seed = std::nullopt);

// Elements in row-major order; one alone is every element. Numbers, true and
// false, nan, inf, complex as "1+2j".
absl::StatusOr<std::shared_ptr<Tensor>> ParseElements(
    const std::vector<std::string>& words, DType dtype, const Shape& shape);

// "5" is a scalar, "1,2" and "[1,2]" a vector, "[[1,2],[3,4]]" a matrix.
absl::StatusOr<std::shared_ptr<Tensor>> ParseLiteral(absl::string_view text,
                                                     DType dtype);

}  // namespace varkeep::cli

#endif  // VARKEEP_CLIENT_CLI_PARSE_H_
