// SPDX-License-Identifier: Apache-2.0
#include "tensor/tensor_ops.h"

#include <algorithm>
#include <complex>
#include <cstdlib>
#include <cstring>
#include <type_traits>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "tensor/update_kernels.h"

namespace varkeep {
namespace {

// How the elements of a dtype are added, and how many such there are in one.
struct Addends {
  Addend addend;
  int64_t in_element = 1;
};

template <typename T>
Addends AddendsOf() {
  if constexpr (std::is_same_v<T, Eigen::half>) return {Addend::kFloat16};
  if constexpr (std::is_same_v<T, Eigen::bfloat16>) return {Addend::kBfloat16};
  if constexpr (std::is_same_v<T, float>) return {Addend::kFloat32};
  if constexpr (std::is_same_v<T, double>) return {Addend::kFloat64};
  if constexpr (std::is_same_v<T, std::complex<float>>) {
    return {Addend::kFloat32, 2};
  }
  if constexpr (std::is_same_v<T, std::complex<double>>) {
    return {Addend::kFloat64, 2};
  }
  if constexpr (sizeof(T) == 1) return {Addend::kInt8};
  if constexpr (sizeof(T) == 2) return {Addend::kInt16};
  if constexpr (sizeof(T) == 4) return {Addend::kInt32};
  return {Addend::kInt64};
}

// Bytes that a thread takes at a time; fewer are not worth a second thread.
constexpr int64_t kChunkBytes = 1 << 20;

void Combine(UpdateOp op, const Tensor& base, const Tensor& operand,
             Tensor* out, ThreadPool* pool) {
  if (!SupportsArithmetic(base.dtype())) std::abort();  // the caller checked
  const Addends addends = VisitDType(base.dtype(), [](auto tag) {
    return AddendsOf<typename decltype(tag)::type>();
  });
  const UpdateKernels& kernels = UpdateKernelsOf(ChosenCpuPath());
  const UpdateKernels::Kernel kernel =
      (op == UpdateOp::kAdd
           ? kernels.add
           : kernels.subtract)[static_cast<size_t>(addends.addend)];
  const int64_t size = base.size_bytes();
  const int64_t addend_size = ItemSize(base.dtype()) / addends.in_element;
  const std::byte* a = base.bytes().data();
  const std::byte* b = operand.bytes().data();
  std::byte* result = out->mutable_bytes().data();
  auto combine = [&](int64_t begin, int64_t bytes) {
    kernel(a + begin, b + begin, result + begin, bytes / addend_size);
  };
  if (pool == nullptr || size <= kChunkBytes) {
    combine(0, size);
    return;
  }
  pool->ParallelFor((size + kChunkBytes - 1) / kChunkBytes, [&](int64_t chunk) {
    const int64_t begin = chunk * kChunkBytes;
    combine(begin, std::min(kChunkBytes, size - begin));
  });
}

}  // namespace

bool SupportsArithmetic(DType dtype) { return dtype != DType::kBool; }

void UpdateInPlace(UpdateOp op, const Tensor& operand, Tensor* target,
                   ThreadPool* pool) {
  Combine(op, *target, operand, target, pool);
}

absl::StatusOr<std::shared_ptr<Tensor>> Updated(UpdateOp op, const Tensor& base,
                                                const Tensor& operand,
                                                ThreadPool* pool) {
  ASSIGN_OR_RETURN(std::shared_ptr<Tensor> result,
                   Tensor::Create(base.dtype(), base.shape()));
  Combine(op, base, operand, result.get(), pool);
  return result;
}

bool BitwiseEqual(const Tensor& a, const Tensor& b) {
  return a.dtype() == b.dtype() && a.shape() == b.shape() &&
         std::ranges::equal(a.bytes(), b.bytes());
}

absl::StatusOr<Shape> SliceShape(const Shape& shape, const SliceSpec& slice) {
  auto error = [&](absl::string_view what) {
    return absl::InvalidArgumentError(
        absl::StrCat("slice begin=[", absl::StrJoin(slice.begin, ","),
                     "] size=[", absl::StrJoin(slice.size, ","), "] ", what,
                     " shape ", shape.ToString()));
  };
  const auto rank = static_cast<size_t>(shape.rank());
  if (slice.begin.size() != rank || slice.size.size() != rank) {
    return error("does not have the rank of");
  }
  std::vector<int64_t> dims(rank);
  for (size_t i = 0; i < rank; ++i) {
    const int64_t dim = shape.dims()[i];
    const int64_t begin = slice.begin[i];
    if (begin < 0 || begin > dim || slice.size[i] < -1 ||
        slice.size[i] > dim - begin) {
      return error("reaches outside");
    }
    dims[i] = slice.size[i] == -1 ? dim - begin : slice.size[i];
  }
  return Shape::Create(dims);
}

std::optional<int64_t> ContiguousStart(const Shape& shape,
                                       const SliceSpec& slice) {
  int64_t start = 0;
  bool narrowed = false;  // more than one index of a dimension before
  for (int i = 0; i < shape.rank(); ++i) {
    const auto at = static_cast<size_t>(i);
    const int64_t dim = shape.dim(i);
    const int64_t size =
        slice.size[at] == -1 ? dim - slice.begin[at] : slice.size[at];
    if (narrowed && size != dim) return std::nullopt;
    narrowed = narrowed || size > 1;
    start = start * dim + slice.begin[at];
  }
  return start;
}

absl::StatusOr<std::shared_ptr<Tensor>> CopySlice(const TensorView& tensor,
                                                  const SliceSpec& slice) {
  ASSIGN_OR_RETURN(Shape shape, SliceShape(tensor.shape(), slice));
  ASSIGN_OR_RETURN(std::shared_ptr<Tensor> result,
                   Tensor::Create(tensor.dtype(), shape));
  if (result->num_elements() == 0) return result;
  const int rank = shape.rank();
  const int64_t item = ItemSize(tensor.dtype());
  // Bytes from one index of dimension i to the next, in the source.
  std::vector<int64_t> stride(static_cast<size_t>(rank) + 1, item);
  for (int i = rank - 1; i >= 0; --i) {
    const auto at = static_cast<size_t>(i);
    stride[at] = stride[at + 1] * tensor.shape().dim(i);
  }
  // Copies run by run, where a run is contiguous in the last dimension, and
  // counts the other dimensions up like an odometer.
  const int64_t run = rank == 0 ? item : shape.dim(rank - 1) * item;
  std::vector<int64_t> index(static_cast<size_t>(rank), 0);
  std::byte* out = result->mutable_bytes().data();
  for (;;) {
    int64_t offset = 0;
    for (int i = 0; i < rank; ++i) {
      const auto at = static_cast<size_t>(i);
      offset += (slice.begin[at] + index[at]) * stride[at + 1];
    }
    tensor.CopyTo(offset, run, out);
    out += run;
    int i = rank - 2;
    for (; i >= 0; --i) {
      if (++index[static_cast<size_t>(i)] < shape.dim(i)) break;
      index[static_cast<size_t>(i)] = 0;
    }
    if (i < 0) return result;
  }
}

}  // namespace varkeep
