// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TENSOR_TENSOR_OPS_H_
#define VARKEEP_TENSOR_TENSOR_OPS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "base/thread_pool.h"
#include "tensor/tensor.h"
#include "tensor/tensor_overlay.h"

namespace varkeep {

enum class UpdateOp { kAdd, kSubtract };

// True for dtypes that can be added: all but bool.
bool SupportsArithmetic(DType dtype);

// target[i] = target[i] op operand[i]. Integers wrap; float16 and bfloat16 are
// rounded after each operation. Large tensors are shared out over `pool` unless
// it is null; the result is the same. REQUIRES: equal dtypes that support
// arithmetic, equal shapes.
void UpdateInPlace(UpdateOp op, const Tensor& operand, Tensor* target,
                   ThreadPool* pool = nullptr);

// The same into a new tensor; `base` stays as it is. RESOURCE_EXHAUSTED when
// memory is short.
absl::StatusOr<std::shared_ptr<Tensor>> Updated(UpdateOp op, const Tensor& base,
                                                const Tensor& operand,
                                                ThreadPool* pool = nullptr);

// Same dtype, shape and bits: NaN payloads and the sign of zero count.
bool BitwiseEqual(const Tensor& a, const Tensor& b);

// A box of a tensor: in dimension i, `size[i]` elements from `begin[i]` on.
struct SliceSpec {
  std::vector<int64_t> begin;
  std::vector<int64_t> size;  // -1: to the end
};

// The shape of the slice. INVALID_ARGUMENT names slice and shape when the ranks
// differ or the box reaches outside.
absl::StatusOr<Shape> SliceShape(const Shape& shape, const SliceSpec& slice);

// Where the slice begins, in elements of a tensor of this shape, when it is one
// run of them; nullopt when it is not. REQUIRES: SliceShape is OK.
std::optional<int64_t> ContiguousStart(const Shape& shape,
                                       const SliceSpec& slice);

// A copy of that part of `tensor`, of the same rank.
absl::StatusOr<std::shared_ptr<Tensor>> CopySlice(const TensorView& tensor,
                                                  const SliceSpec& slice);

}  // namespace varkeep

#endif  // VARKEEP_TENSOR_TENSOR_OPS_H_
