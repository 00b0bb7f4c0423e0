// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TESTS_TESTING_TENSORS_H_
#define VARKEEP_TESTS_TESTING_TENSORS_H_

#include <gmock/gmock.h>

#include <vector>

#include "tensor/tensor.h"
#include "tensor/tensor_ops.h"

namespace varkeep {

// Of<float>({2}, {1, 2}): a tensor of these elements.
template <typename T>
std::shared_ptr<Tensor> Of(const Shape& shape, const std::vector<T>& elements) {
  absl::StatusOr<std::shared_ptr<Tensor>> tensor =
      Tensor::Create(DTypeOf<T>(), shape);
  if (!tensor.ok() ||
      static_cast<size_t>(shape.num_elements()) != elements.size()) {
    std::abort();
  }
  std::copy(elements.begin(), elements.end(),
            (*tensor)->template mutable_values<T>().begin());
  return *tensor;
}

// Every element, as a vector.
template <typename T>
std::vector<T> Values(const Tensor& tensor) {
  std::span<const T> values = tensor.values<T>();
  return {values.begin(), values.end()};
}

// EXPECT_THAT(tensor_ref, TensorEq(Of<float>({2}, {1, 2}))): same dtype, shape
// and bits.
MATCHER_P(TensorEq, expected, "is the same tensor, bit by bit") {
  *result_listener << DTypeName(arg->dtype()) << arg->shape().ToString();
  return BitwiseEqual(*arg, *expected);
}

}  // namespace varkeep

#endif  // VARKEEP_TESTS_TESTING_TENSORS_H_
