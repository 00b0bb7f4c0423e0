// SPDX-License-Identifier: Apache-2.0
#include "tensor/tensor_ops.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <type_traits>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"

namespace varkeep {
namespace {

// Signed overflow is undefined in C++; TensorFlow's integers wrap, which
// unsigned arithmetic does.
template <typename T>
T Combine(UpdateOp op, T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    using U = std::make_unsigned_t<T>;
    const auto x = static_cast<U>(a);
    const auto y = static_cast<U>(b);
    return static_cast<T>(static_cast<U>(op == UpdateOp::kAdd ? x + y : x - y));
  } else {
    return op == UpdateOp::kAdd ? static_cast<T>(a + b) : static_cast<T>(a - b);
  }
}

// `base` and `out` may be the same memory. The operation is chosen outside the
// loop so that the compiler can vectorise it.
template <UpdateOp kOp, typename T>
void Combine(const T* base, const T* operand, T* out, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    out[i] = Combine(kOp, base[i], operand[i]);
  }
}

// Elements that a thread takes at a time; fewer are not worth a second thread.
constexpr int64_t kChunk = 1 << 18;

void Combine(UpdateOp op, const Tensor& base, const Tensor& operand,
             Tensor* out, ThreadPool* pool) {
  VisitDType(base.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_same_v<T, bool>) {
      std::abort();  // the caller checked SupportsArithmetic
    } else {
      const T* a = base.values<T>().data();
      const T* b = operand.values<T>().data();
      T* result = out->mutable_values<T>().data();
      auto combine = [&](int64_t begin, int64_t count) {
        if (op == UpdateOp::kAdd) {
          Combine<UpdateOp::kAdd>(a + begin, b + begin, result + begin, count);
        } else {
          Combine<UpdateOp::kSubtract>(a + begin, b + begin, result + begin,
                                       count);
        }
      };
      const int64_t elements = base.num_elements();
      if (pool == nullptr || elements <= kChunk) {
        combine(0, elements);
        return;
      }
      pool->ParallelFor((elements + kChunk - 1) / kChunk, [&](int64_t chunk) {
        const int64_t begin = chunk * kChunk;
        combine(begin, std::min(kChunk, elements - begin));
      });
    }
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

absl::StatusOr<std::shared_ptr<Tensor>> CopySlice(const Tensor& tensor,
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
    std::memcpy(out, tensor.bytes().data() + offset, static_cast<size_t>(run));
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
