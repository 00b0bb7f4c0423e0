// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "tensor/row_errors.h"
#include "tensor/row_places.h"
#include "tensor/tensor_rows.h"

namespace varkeep {
namespace {

using Dims = std::span<const int64_t>;

absl::StatusOr<Shape> Join(Dims a, Dims b, Dims c) {
  std::vector<int64_t> dims(a.begin(), a.end());
  dims.insert(dims.end(), b.begin(), b.end());
  dims.insert(dims.end(), c.begin(), c.end());
  return Shape::Create(dims);
}

// The slices at `places`, once for each of the `outer` indices of the
// dimensions before the axis, of which each has `stride` elements.
absl::StatusOr<std::shared_ptr<Tensor>> CopyPlaces(const TensorView& params,
                                                   const RowPlaces& places,
                                                   int64_t outer,
                                                   int64_t stride,
                                                   const Shape& shape) {
  ASSIGN_OR_RETURN(std::shared_ptr<Tensor> result,
                   Tensor::Create(params.dtype(), shape));
  if (result->num_elements() == 0) return result;
  const int64_t item = ItemSize(params.dtype());
  const int64_t run = places.slice() * item;
  std::byte* out = result->mutable_bytes().data();
  for (int64_t i = 0; i < outer; ++i) {
    for (int64_t place = 0; place < places.count(); ++place, out += run) {
      params.CopyTo((i * stride + places.Offset(place)) * item, run, out);
    }
  }
  return result;
}

int64_t Product(Dims dims) {
  int64_t product = 1;
  for (int64_t dim : dims) product *= dim;
  return product;
}

// 0 <= axis. REQUIRES: GatherShape is OK.
int FromTheFront(int64_t axis, const Shape& params) {
  return static_cast<int>(axis < 0 ? axis + params.rank() : axis);
}

}  // namespace

absl::StatusOr<Shape> GatherShape(const Shape& params, const Tensor& indices,
                                  int64_t axis) {
  RETURN_IF_ERROR(CheckIndexDType(indices.dtype()));
  const int rank = params.rank();
  if (rank == 0) {
    return absl::InvalidArgumentError("params must be at least 1 dimensional");
  }
  if (axis < -rank || axis >= rank) {
    return absl::InvalidArgumentError(
        absl::StrCat("Expected axis in the range [", -rank, ", ", rank,
                     "), but got ", axis));
  }
  const auto at = static_cast<size_t>(FromTheFront(axis, params));
  return Join(params.dims().first(at), indices.shape().dims(),
              params.dims().subspan(at + 1));
}

absl::StatusOr<std::shared_ptr<Tensor>> Gather(const TensorView& params,
                                               const Tensor& indices,
                                               int64_t axis) {
  ASSIGN_OR_RETURN(Shape shape, GatherShape(params.shape(), indices, axis));
  const int at = FromTheFront(axis, params.shape());
  const RowPlaces places(params.shape(), at, 1, indices,
                         indices.num_elements());
  if (int64_t outside = places.FirstOutside(); outside >= 0) {
    return IndexError(indices, outside, params.shape().dim(at));
  }
  if (shape.num_elements() == 0) return Tensor::Create(params.dtype(), shape);
  return CopyPlaces(
      params, places,
      Product(params.shape().dims().first(static_cast<size_t>(at))),
      params.shape().dim(at) * places.slice(), shape);
}

absl::StatusOr<Shape> GatherNdShape(const Shape& params,
                                    const Tensor& indices) {
  RETURN_IF_ERROR(CheckIndexDType(indices.dtype()));
  if (params.rank() == 0) {
    return absl::InvalidArgumentError("params must be at least a vector");
  }
  const Shape& named = indices.shape();
  if (named.rank() == 0) {
    return absl::InvalidArgumentError("indices must be at least a vector");
  }
  const int64_t depth = named.dim(named.rank() - 1);
  if (depth > params.rank()) {
    return absl::InvalidArgumentError(
        absl::StrCat("index innermost dimension length must be <= params rank; "
                     "saw: ",
                     depth, " vs. ", params.rank()));
  }
  RETURN_IF_ERROR(CheckDepth(depth, 0));
  return Join(named.dims().first(static_cast<size_t>(named.rank() - 1)), {},
              params.dims().subspan(static_cast<size_t>(depth)));
}

absl::StatusOr<std::shared_ptr<Tensor>> GatherNd(const TensorView& params,
                                                 const Tensor& indices) {
  ASSIGN_OR_RETURN(Shape shape, GatherNdShape(params.shape(), indices));
  const Shape& named = indices.shape();
  const auto outer = static_cast<size_t>(named.rank() - 1);
  const auto depth = static_cast<int>(named.dim(named.rank() - 1));
  // With an empty tensor of indices some other dimension may be the empty one.
  ASSIGN_OR_RETURN(Shape places_shape,
                   Shape::Create(named.dims().first(outer)));
  const int64_t count = places_shape.num_elements();
  if (count > 0 && params.shape().num_elements() == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("Requested more than 0 entries, but params is empty.  "
                     "Params shape: ",
                     params.shape().ToString()));
  }
  const RowPlaces places(params.shape(), 0, depth, indices, count);
  if (int64_t outside = places.FirstOutside(); outside >= 0) {
    return IndexVectorError(indices, outside, depth, "param shape",
                            params.shape());
  }
  return CopyPlaces(params, places, 1, 0, shape);
}

}  // namespace varkeep
