// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TENSOR_TENSOR_ROWS_H_
#define VARKEEP_TENSOR_TENSOR_ROWS_H_

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tensor/tensor.h"
#include "tensor/tensor_overlay.h"

namespace varkeep {

// Changes and reads of single rows, as TensorFlow's scatter and gather ops,
// with their messages. The cost of each grows with what is named, never with
// the tensor it is taken from. Thread-safe as far as their arguments are.

enum class ScatterOp {
  kUpdate,
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kMin,
  kMax
};

// Any dtype can be updated; all but bool have arithmetic; float16, bfloat16,
// float32, float64, int32 and int64 have kMin and kMax.
bool SupportsScatter(ScatterOp op, DType dtype);

// Whether target[indices[p], ...] op= updates[p, ...], for each position p of
// `indices`, can be done on a tensor of this dtype and shape. `updates` is of
// shape indices.shape + shape[1:], or a scalar, which goes to every element
// named. INVALID_ARGUMENT says what is wrong: dtypes, shapes, an index outside,
// an integer divided by zero.
absl::Status CheckScatter(ScatterOp op, DType dtype, const Shape& shape,
                          const Tensor& indices, const Tensor& updates);

// The same with indices of shape [..., k]: each vector of k numbers names the
// element or slice at those places of the first k dimensions, 1 <= k <= 7.
// `updates` is of shape indices.shape[:-1] + shape[k:]. A vector of indices is
// taken as one of shape [..., 1]. Only kUpdate, kAdd and kSubtract.
absl::Status CheckScatterNd(ScatterOp op, DType dtype, const Shape& shape,
                            const Tensor& indices, const Tensor& updates);

// Does what was checked, with CheckScatterNd if `nd`, in the order of the
// positions: repeated indices accumulate, and of repeated kUpdates the last
// stays. Integers wrap, also the least one divided by -1; float16 and bfloat16
// are rounded after each step; kMin and kMax take the update only where it is
// less (greater), so that a NaN already there stays and a NaN update is
// ignored. REQUIRES: the check is OK.
void ScatterInPlace(ScatterOp op, bool nd, const Tensor& indices,
                    const Tensor& updates, Tensor* target);

// The same with a tensor of `shape` that others hold: CoverRows takes the pages
// of the rows into an overlay of it, ScatterIntoOverlay then changes them and
// cannot fail. REQUIRES: the check is OK.
void CoverRows(bool nd, const Tensor& indices, const Tensor& base,
               TensorOverlay* overlay);
void ScatterIntoOverlay(ScatterOp op, bool nd, const Tensor& indices,
                        const Tensor& updates, const Shape& shape,
                        TensorOverlay* overlay);
// What CoverRows adds to an overlay at the most. Nothing needs to be checked.
int64_t ScatterPageBytes(bool nd, DType dtype, const Shape& shape,
                         const Tensor& indices);

// The shape that Gather gives, before anything is allocated. INVALID_ARGUMENT
// as Gather, but for the values of the indices.
absl::StatusOr<Shape> GatherShape(const Shape& params, const Tensor& indices,
                                  int64_t axis = 0);

// A new tensor of shape params[:axis] + indices.shape + params[axis + 1:] with
// the slices that int32 or int64 `indices` name along `axis`, which counts from
// the end when negative. INVALID_ARGUMENT says what is wrong: dtypes, shapes,
// an index outside. RESOURCE_EXHAUSTED when memory is short.
absl::StatusOr<std::shared_ptr<Tensor>> Gather(const TensorView& params,
                                               const Tensor& indices,
                                               int64_t axis = 0);

// The same where each vector along the last dimension of `indices` names an
// element or slice by its first places, 0 to 7 of them; of shape
// indices.shape[:-1] + params.shape[k:].
absl::StatusOr<Shape> GatherNdShape(const Shape& params, const Tensor& indices);
absl::StatusOr<std::shared_ptr<Tensor>> GatherNd(const TensorView& params,
                                                 const Tensor& indices);

}  // namespace varkeep

#endif  // VARKEEP_TENSOR_TENSOR_ROWS_H_
