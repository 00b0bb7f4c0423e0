// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TENSOR_ROW_ERRORS_H_
#define VARKEEP_TENSOR_ROW_ERRORS_H_

#include <cstdint>
#include <span>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "tensor/tensor.h"

namespace varkeep {

// The words of TensorFlow 1.15 for what scatter and gather refuse, where more
// than one of them says it. All are INVALID_ARGUMENT.

// OK for int32 and int64.
absl::Status CheckIndexDType(DType dtype);

// "indices[1,0] = 7 is not in [0, 5)": the index at `place` of `indices`,
// row-major.
absl::Status IndexError(const Tensor& indices, int64_t place, int64_t limit);

// "indices[0] = [3, 1] does not index into `what` [3]": the vector at `place`
// of `indices`, of `depth` numbers. As in TensorFlow, a vector of single
// indices is "indices = [3] ...", whatever the place.
absl::Status IndexVectorError(const Tensor& indices, int64_t place, int depth,
                              absl::string_view what, const Shape& shape);

// OK for 1 to 7 numbers that name a slice together, and 0 from `least` = 0 on.
absl::Status CheckDepth(int64_t depth, int64_t least);

}  // namespace varkeep

#endif  // VARKEEP_TENSOR_ROW_ERRORS_H_
