// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <complex>
#include <cstring>
#include <string>
#include <type_traits>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "tensor/row_places.h"
#include "tensor/tensor_rows.h"

namespace varkeep {
namespace {

template <ScatterOp kOp, typename T>
constexpr bool kDefined = kOp == ScatterOp::kUpdate ||
                          (kOp == ScatterOp::kMin || kOp == ScatterOp::kMax
                               ? std::is_same_v<T, Eigen::half> ||
                                     std::is_same_v<T, Eigen::bfloat16> ||
                                     std::is_floating_point_v<T> ||
                                     std::is_same_v<T, int32_t> ||
                                     std::is_same_v<T, int64_t>
                               : !std::is_same_v<T, bool>);

// Signed overflow is undefined in C++; TensorFlow's integers wrap, which
// unsigned arithmetic does. Not in a type so small that it is promoted to a
// signed one.
template <ScatterOp kOp, typename T>
T CombineIntegers(T a, T b) {
  using U =
      std::conditional_t<(sizeof(T) < 4), uint32_t, std::make_unsigned_t<T>>;
  const auto x = static_cast<U>(a);
  const auto y = static_cast<U>(b);
  if constexpr (kOp == ScatterOp::kAdd) return static_cast<T>(x + y);
  if constexpr (kOp == ScatterOp::kSubtract) return static_cast<T>(x - y);
  if constexpr (kOp == ScatterOp::kMultiply) return static_cast<T>(x * y);
  if constexpr (kOp == ScatterOp::kDivide) {
    if (std::is_signed_v<T> && b == static_cast<T>(-1)) {
      return static_cast<T>(U{0} - x);
    }
    return static_cast<T>(a / b);
  }
}

template <ScatterOp kOp, typename T>
T Combine(T a, T b) {
  if constexpr (kOp == ScatterOp::kUpdate) {
    return b;
  } else if constexpr (kOp == ScatterOp::kMin) {
    return b < a ? b : a;
  } else if constexpr (kOp == ScatterOp::kMax) {
    return a < b ? b : a;
  } else if constexpr (std::is_integral_v<T>) {
    return CombineIntegers<kOp>(a, b);
  } else if constexpr (kOp == ScatterOp::kAdd) {
    return static_cast<T>(a + b);
  } else if constexpr (kOp == ScatterOp::kSubtract) {
    return static_cast<T>(a - b);
  } else if constexpr (kOp == ScatterOp::kMultiply) {
    return static_cast<T>(a * b);
  } else {
    return static_cast<T>(a / b);
  }
}

template <ScatterOp kOp, typename T>
void Apply(const RowPlaces& places, const T* updates, bool scalar, T* target) {
  const int64_t slice = places.slice();
  for (int64_t place = 0; place < places.count(); ++place) {
    T* row = target + places.Offset(place);
    if (scalar) {
      const T update = *updates;
      for (int64_t i = 0; i < slice; ++i) row[i] = Combine<kOp>(row[i], update);
    } else {
      const T* update = updates + place * slice;
      for (int64_t i = 0; i < slice; ++i) {
        row[i] = Combine<kOp>(row[i], update[i]);
      }
    }
  }
}

template <ScatterOp kOp>
using OpTag = std::integral_constant<ScatterOp, kOp>;

// Calls visitor(OpTag<op>()).
template <typename Visitor>
void VisitOp(ScatterOp op, const Visitor& visitor) {
  switch (op) {
    case ScatterOp::kUpdate:
      return visitor(OpTag<ScatterOp::kUpdate>());
    case ScatterOp::kAdd:
      return visitor(OpTag<ScatterOp::kAdd>());
    case ScatterOp::kSubtract:
      return visitor(OpTag<ScatterOp::kSubtract>());
    case ScatterOp::kMultiply:
      return visitor(OpTag<ScatterOp::kMultiply>());
    case ScatterOp::kDivide:
      return visitor(OpTag<ScatterOp::kDivide>());
    case ScatterOp::kMin:
      return visitor(OpTag<ScatterOp::kMin>());
    case ScatterOp::kMax:
      return visitor(OpTag<ScatterOp::kMax>());
  }
}

void Apply(ScatterOp op, const RowPlaces& places, const Tensor& updates,
           bool scalar, Tensor* target) {
  if (places.count() == 0 || places.slice() == 0) return;
  VisitDType(target->dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    VisitOp(op, [&](auto chosen) {
      if constexpr (kDefined<chosen.value, T>) {
        Apply<chosen.value>(places, updates.values<T>().data(), scalar,
                            target->mutable_values<T>().data());
      } else {
        std::abort();  // the caller checked
      }
    });
  });
}

absl::StatusOr<std::shared_ptr<Tensor>> Copy(const Tensor& base,
                                             ThreadPool* pool) {
  ASSIGN_OR_RETURN(std::shared_ptr<Tensor> copy,
                   Tensor::Create(base.dtype(), base.shape()));
  constexpr int64_t kChunk = 1 << 20;  // bytes a thread takes at a time
  const int64_t size = base.size_bytes();
  const std::byte* from = base.bytes().data();
  std::byte* to = copy->mutable_bytes().data();
  auto copy_chunk = [&](int64_t chunk) {
    const int64_t begin = chunk * kChunk;
    std::memcpy(to + begin, from + begin,
                static_cast<size_t>(std::min(kChunk, size - begin)));
  };
  const int64_t chunks = (size + kChunk - 1) / kChunk;
  if (pool != nullptr && chunks > 1) {
    pool->ParallelFor(chunks, copy_chunk);
  } else {
    for (int64_t i = 0; i < chunks; ++i) copy_chunk(i);
  }
  return copy;
}

}  // namespace

bool SupportsScatter(ScatterOp op, DType dtype) {
  bool supported = false;
  VisitDType(dtype, [&](auto tag) {
    VisitOp(op, [&](auto chosen) {
      supported = kDefined<chosen.value, typename decltype(tag)::type>;
    });
  });
  return supported;
}

void ScatterInPlace(ScatterOp op, const Tensor& indices, const Tensor& updates,
                    Tensor* target) {
  const RowPlaces places(target->shape(), 0, 1, indices,
                         indices.num_elements());
  const bool scalar = updates.shape().rank() == 0;
  Apply(op, places, updates, scalar, target);
}

void ScatterNdInPlace(ScatterOp op, const Tensor& indices,
                      const Tensor& updates, Tensor* target) {
  if (indices.num_elements() == 0) return;
  const Shape& named = indices.shape();
  const int64_t depth = named.rank() > 1 ? named.dim(named.rank() - 1) : 1;
  const RowPlaces places(target->shape(), 0, static_cast<int>(depth), indices,
                         indices.num_elements() / depth);
  Apply(op, places, updates, false, target);
}

absl::StatusOr<std::shared_ptr<Tensor>> Scattered(ScatterOp op,
                                                  const Tensor& base,
                                                  const Tensor& indices,
                                                  const Tensor& updates,
                                                  ThreadPool* pool) {
  ASSIGN_OR_RETURN(std::shared_ptr<Tensor> result, Copy(base, pool));
  ScatterInPlace(op, indices, updates, result.get());
  return result;
}

absl::StatusOr<std::shared_ptr<Tensor>> ScatteredNd(ScatterOp op,
                                                    const Tensor& base,
                                                    const Tensor& indices,
                                                    const Tensor& updates,
                                                    ThreadPool* pool) {
  ASSIGN_OR_RETURN(std::shared_ptr<Tensor> result, Copy(base, pool));
  ScatterNdInPlace(op, indices, updates, result.get());
  return result;
}

}  // namespace varkeep
