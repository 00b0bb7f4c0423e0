// SPDX-License-Identifier: Apache-2.0
//
// The orthogonal factor of a matrix of normal numbers. The sign of each column
// is chosen so that the other factor has a positive diagonal, which makes the
// result the same for every exact method of factoring.
#include <Eigen/Core>
#include <Eigen/QR>
#include <algorithm>
#include <new>
#include <type_traits>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "server/initializers/argument_errors.h"
#include "server/initializers/element_cast.h"
#include "server/initializers/kinds.h"

namespace varkeep::initializers {
namespace {

template <typename T>
using Matrix =
    Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <typename T>
using MatrixView = Eigen::Map<Matrix<T>>;

template <typename T>
T Sign(T value) {
  return static_cast<T>((value > 0) - (value < 0));
}

// Draws a matrix with at least as many rows as columns and writes its
// orthogonal factor to `q`, of the same size.
template <typename T>
absl::Status DrawOrthogonal(const Source& source, MatrixView<T> q) {
  ASSIGN_OR_RETURN(std::shared_ptr<Tensor> normals,
                   Tensor::Create(DTypeOf<T>(), Shape({q.rows(), q.cols()})));
  DrawNormal<T>(source.Stream(normals->num_elements()), T(1), T(0),
                normals->mutable_values<T>(), source.pool);
  MatrixView<T> a(normals->mutable_values<T>().data(), q.rows(), q.cols());
  const Eigen::HouseholderQR<Eigen::Ref<Matrix<T>>> qr(a);
  q.setIdentity();
  q.applyOnTheLeft(qr.householderQ());
  for (Eigen::Index i = 0; i < q.cols(); ++i) q.col(i) *= Sign(a(i, i));
  return absl::OkStatus();
}

// Writes gain * (q as out's shape, transposed if that is wide) to `out`.
template <typename T, typename Compute>
void Deliver(const MatrixView<Compute>& q, double gain, Tensor* out) {
  const Eigen::Index columns = out->shape().dim(out->shape().rank() - 1);
  MatrixView<T> result(out->mutable_values<T>().data(),
                       out->num_elements() / columns, columns);
  const T factor = CastElement<T>(gain);
  const bool transpose = result.rows() < result.cols();
  for (Eigen::Index row = 0; row < result.rows(); ++row) {
    for (Eigen::Index column = 0; column < columns; ++column) {
      const Compute element = transpose ? q(column, row) : q(row, column);
      result(row, column) = static_cast<T>(element) * factor;
    }
  }
}

template <typename T>
absl::Status FillOrthogonal(double gain, const Source& source, Tensor* out) {
  // The small floats are factored as float: TensorFlow has no rule for them.
  using Compute = std::conditional_t<kIsSmallFloat<T>, float, T>;
  const int64_t columns = out->shape().dim(out->shape().rank() - 1);
  const int64_t rows = out->num_elements() / columns;
  const Shape tall({std::max(rows, columns), std::min(rows, columns)});
  ASSIGN_OR_RETURN(std::shared_ptr<Tensor> memory,
                   Tensor::Create(DTypeOf<Compute>(), tall));
  MatrixView<Compute> q(memory->mutable_values<Compute>().data(), tall.dim(0),
                        tall.dim(1));
  RETURN_IF_ERROR(DrawOrthogonal<Compute>(source, q));
  Deliver<T>(q, gain, out);
  return absl::OkStatus();
}

}  // namespace

absl::Status Check(const OrthogonalInitializer& init, DType dtype,
                   const Shape& shape) {
  if (shape.rank() < 2) {
    return absl::InvalidArgumentError(
        "The tensor to initialize must be at least two-dimensional");
  }
  RETURN_IF_ERROR(CheckFinite("gain", init.gain));
  return Check(RandomNormalInitializer{}, dtype, shape);
}

absl::Status Fill(const OrthogonalInitializer& init, const Source& source,
                  Tensor* out) {
  if (out->num_elements() == 0) return absl::OkStatus();
  // Eigen's working memory is small, but its want is an exception.
  try {
    return VisitDType(out->dtype(), [&](auto tag) -> absl::Status {
      using T = typename decltype(tag)::type;
      if constexpr (std::is_floating_point_v<T> || kIsSmallFloat<T>) {
        return FillOrthogonal<T>(init.gain, source, out);
      }
      return absl::InternalError("orthogonal draw of no floating dtype");
    });
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError(
        absl::StrCat("out of memory: cannot factor a matrix of shape ",
                     out->shape().ToString()));
  }
}

}  // namespace varkeep::initializers
