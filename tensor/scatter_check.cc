// SPDX-License-Identifier: Apache-2.0
//
// What is refused before anything is written, in TensorFlow's order: dtypes,
// shapes, indices. A division of integers by zero, which would end
// TensorFlow's process, is refused as well.
#include <algorithm>
#include <string>
#include <type_traits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "tensor/row_errors.h"
#include "tensor/row_places.h"
#include "tensor/tensor_rows.h"

namespace varkeep {
namespace {

using Dims = std::span<const int64_t>;

// As TensorFlow names its ops: "Scatter" or "ScatterNd", then this.
absl::string_view OpSuffix(ScatterOp op) {
  switch (op) {
    case ScatterOp::kUpdate:
      return "Update";
    case ScatterOp::kAdd:
      return "Add";
    case ScatterOp::kSubtract:
      return "Sub";
    case ScatterOp::kMultiply:
      return "Mul";
    case ScatterOp::kDivide:
      return "Div";
    case ScatterOp::kMin:
      return "Min";
    case ScatterOp::kMax:
      return "Max";
  }
  std::abort();  // not a ScatterOp
}

absl::Status CheckDTypes(absl::string_view family, ScatterOp op, DType dtype,
                         const Tensor& indices, const Tensor& updates) {
  if (!SupportsScatter(op, dtype)) {
    return absl::InvalidArgumentError(
        absl::StrCat("Value passed to parameter 'ref' has DataType ",
                     DTypeName(dtype), " not in list of allowed values: ",
                     op == ScatterOp::kMin || op == ScatterOp::kMax
                         ? "float16, bfloat16, float32, float64, int32, int64"
                         : "every dtype but bool"));
  }
  RETURN_IF_ERROR(CheckIndexDType(indices.dtype()));
  if (updates.dtype() == dtype) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "Input 'updates' of '", family, OpSuffix(op), "' Op has type ",
      DTypeName(updates.dtype()), " that does not match type ",
      DTypeName(dtype), " of argument 'ref'."));
}

absl::Status CheckDivisors(ScatterOp op, const Tensor& updates) {
  if (op != ScatterOp::kDivide || !IsInteger(updates.dtype())) {
    return absl::OkStatus();
  }
  bool zero = false;
  VisitDType(updates.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_integral_v<T>) {
      zero = std::ranges::count(updates.values<T>(), T{0}) > 0;
    }
  });
  if (!zero) return absl::OkStatus();
  return absl::InvalidArgumentError("Integer division by zero");
}

absl::Status CheckRowShapes(const Shape& shape, const Shape& indices,
                            const Shape& updates) {
  if (shape.rank() == 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "params must be at least 1-D, got shape ", shape.ToString()));
  }
  const auto outer = static_cast<size_t>(indices.rank());
  const Dims inner = shape.dims().subspan(1);
  const Dims got = updates.dims();
  if (got.empty() || (got.size() == outer + inner.size() &&
                      std::ranges::equal(got.first(outer), indices.dims()) &&
                      std::ranges::equal(got.subspan(outer), inner))) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "Must have updates.shape = indices.shape + params.shape[1:] or "
      "updates.shape = [], got updates.shape ",
      updates.ToString(), ", indices.shape ", indices.ToString(),
      ", params.shape ", shape.ToString()));
}

std::string Brackets(Dims dims) {
  return absl::StrCat("[", absl::StrJoin(dims, ","), "]");
}

// How TensorFlow tells two different lists of dimensions apart.
std::string Difference(Dims a, Dims b) {
  if (a.size() != b.size()) {
    return absl::StrCat("Shapes must be equal rank, but are ", a.size(),
                        " and ", b.size());
  }
  size_t i = 0;
  while (a[i] == b[i]) ++i;
  return absl::StrCat(
      "Dimension ", i, " in both shapes must be equal, but are ", a[i], " and ",
      b[i], ". Shapes are ", Brackets(a), " and ", Brackets(b), ".");
}

struct NdShapes {
  Dims shape, indices, updates;
  size_t depth = 0;  // dimensions that one index vector names
  size_t outer = 0;  // dimensions of `updates` that count index vectors

  Dims inner() const { return shape.subspan(std::min(depth, shape.size())); }
  Dims updates_outer() const {
    return updates.first(std::min(outer, updates.size()));
  }
  Dims updates_inner() const {
    return updates.subspan(std::min(outer, updates.size()));
  }
};

// Empty when they fit. These are the words of graph construction, where
// TensorFlow finds the same mistakes earlier and says which dimensions it
// means.
std::string NdMisfit(const NdShapes& s) {
  const Dims outer = s.indices.first(s.outer);
  if (!std::ranges::equal(outer, s.updates_outer())) {
    return absl::StrCat("The outer ", s.outer,
                        " dimensions of indices.shape=", Brackets(s.indices),
                        " must match the outer ", s.outer,
                        " dimensions of updates.shape=", Brackets(s.updates),
                        ": ", Difference(outer, s.updates_outer()));
  }
  if (s.depth > s.shape.size()) {
    return absl::StrCat("Shape must be at least rank ", s.depth,
                        " but is rank ", s.shape.size());
  }
  if (!std::ranges::equal(s.inner(), s.updates_inner())) {
    return absl::StrCat("The inner ", s.inner().size(),
                        " dimensions of input.shape=", Brackets(s.shape),
                        " must match the inner ", s.updates_inner().size(),
                        " dimensions of updates.shape=", Brackets(s.updates),
                        ": ", Difference(s.inner(), s.updates_inner()));
  }
  return "";
}

absl::Status CheckNdRanks(const Shape& shape, const Shape& indices,
                          const Shape& updates) {
  if (shape.rank() == 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "Output must be at least 1-D, got shape: ", shape.ToString()));
  }
  if (indices.rank() == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("Indices shape must have rank at least one. Found:",
                     indices.ToString()));
  }
  if (updates.rank() == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("Updates shape must have rank at least one. Found:",
                     updates.ToString()));
  }
  return absl::OkStatus();
}

absl::Status CheckNdShapes(const Shape& shape, const Shape& indices,
                           const Shape& updates) {
  RETURN_IF_ERROR(CheckNdRanks(shape, indices, updates));
  if (shape.num_elements() == 0 &&
      (indices.num_elements() > 0 || updates.num_elements() > 0)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "Indices and updates specified for empty output.  indices shape: ",
        indices.ToString()));
  }
  NdShapes s{shape.dims(), indices.dims(), updates.dims()};
  const bool vectors = indices.rank() > 1;
  s.depth = vectors ? static_cast<size_t>(indices.dims().back()) : 1;
  s.outer = vectors ? static_cast<size_t>(indices.rank() - 1) : 1;
  const std::string misfit = NdMisfit(s);
  if (updates.dim(0) != indices.dim(0)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "The outermost dimension of updates and indices must match. Got "
        "indices.shape ",
        indices.ToString(), ", updates.shape ", updates.ToString(), ". ",
        misfit));
  }
  if (!misfit.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "Must have updates.shape = indices.shape[:batch_dim] + "
        "params_shape[slice_dim:], got updates.shape: ",
        updates.ToString(), ", indices.shape: ", indices.ToString(),
        ", params_shape: ", shape.ToString(), ", slice_dim: ", s.depth,
        ", and batch_dim: ", s.outer, ". ", misfit));
  }
  return CheckDepth(static_cast<int64_t>(s.depth), 1);
}

}  // namespace

absl::Status CheckScatter(ScatterOp op, DType dtype, const Shape& shape,
                          const Tensor& indices, const Tensor& updates) {
  RETURN_IF_ERROR(CheckDTypes("Scatter", op, dtype, indices, updates));
  RETURN_IF_ERROR(CheckRowShapes(shape, indices.shape(), updates.shape()));
  const RowPlaces places(shape, 0, 1, indices, indices.num_elements());
  if (int64_t outside = places.FirstOutside(); outside >= 0) {
    return IndexError(indices, outside, shape.dim(0));
  }
  if (places.count() == 0) return absl::OkStatus();
  return CheckDivisors(op, updates);
}

absl::Status CheckScatterNd(ScatterOp op, DType dtype, const Shape& shape,
                            const Tensor& indices, const Tensor& updates) {
  RETURN_IF_ERROR(CheckDTypes("ScatterNd", op, dtype, indices, updates));
  RETURN_IF_ERROR(CheckNdShapes(shape, indices.shape(), updates.shape()));
  if (indices.num_elements() == 0) return absl::OkStatus();
  const Shape& named = indices.shape();
  const int depth =
      static_cast<int>(named.rank() > 1 ? named.dim(named.rank() - 1) : 1);
  const RowPlaces places(shape, 0, depth, indices,
                         indices.num_elements() / depth);
  if (int64_t outside = places.FirstOutside(); outside >= 0) {
    return IndexVectorError(indices, outside, depth, "shape", shape);
  }
  return absl::OkStatus();
}

}  // namespace varkeep
