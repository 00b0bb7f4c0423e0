// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <complex>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "tensor/row_places.h"
#include "tensor/tensor_overlay.h"
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

// Where the elements of a target are: a function for each run of them that lies
// in one place, with how many came before.
template <typename T>
class WholeTarget {
 public:
  explicit WholeTarget(Tensor* target)
      : elements_(target->mutable_values<T>().data()) {}
  template <typename Visitor>
  void VisitRuns(int64_t first, int64_t count, const Visitor& visitor) const {
    visitor(elements_ + first, count, 0);
  }

 private:
  T* const elements_;
};

template <typename T>
class OverlaidTarget {
 public:
  explicit OverlaidTarget(TensorOverlay* overlay) : overlay_(overlay) {}
  template <typename Visitor>
  void VisitRuns(int64_t first, int64_t count, const Visitor& visitor) const {
    constexpr int64_t kItem = sizeof(T);
    for (int64_t done = 0; done < count;) {
      const std::span<std::byte> run =
          overlay_->Covered((first + done) * kItem, (count - done) * kItem);
      const auto elements = static_cast<int64_t>(run.size()) / kItem;
      visitor(reinterpret_cast<T*>(run.data()), elements, done);
      done += elements;
    }
  }

 private:
  TensorOverlay* const overlay_;
};

template <typename T>
WholeTarget<T> TargetOf(Tensor* tensor) {
  return WholeTarget<T>(tensor);
}
template <typename T>
OverlaidTarget<T> TargetOf(TensorOverlay* overlay) {
  return OverlaidTarget<T>(overlay);
}

template <ScatterOp kOp, typename T, typename Target>
void Apply(const RowPlaces& places, const T* updates, bool scalar,
           const Target& target) {
  const int64_t slice = places.slice();
  for (int64_t place = 0; place < places.count(); ++place) {
    target.VisitRuns(places.Offset(place), slice,
                     [&](T* row, int64_t count, int64_t done) {
                       if (scalar) {
                         const T update = *updates;
                         for (int64_t i = 0; i < count; ++i) {
                           row[i] = Combine<kOp>(row[i], update);
                         }
                       } else {
                         const T* update = updates + place * slice + done;
                         for (int64_t i = 0; i < count; ++i) {
                           row[i] = Combine<kOp>(row[i], update[i]);
                         }
                       }
                     });
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

// `target`: a Tensor or a TensorOverlay.
template <typename Target>
void Apply(ScatterOp op, const RowPlaces& places, const Tensor& updates,
           Target* target) {
  if (places.count() == 0 || places.slice() == 0) return;
  const bool scalar = updates.shape().rank() == 0;
  VisitDType(updates.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    VisitOp(op, [&](auto chosen) {
      if constexpr (kDefined<chosen.value, T>) {
        Apply<chosen.value>(places, updates.values<T>().data(), scalar,
                            TargetOf<T>(target));
      } else {
        std::abort();  // the caller checked
      }
    });
  });
}

// Dimensions that one index names. REQUIRES: there are indices.
int64_t DepthOf(const Tensor& indices, bool nd) {
  const Shape& named = indices.shape();
  return nd && named.rank() > 1 ? named.dim(named.rank() - 1) : 1;
}

RowPlaces PlacesOf(const Shape& shape, const Tensor& indices, bool nd) {
  if (indices.num_elements() == 0) return {shape, 0, 0, indices, 0};
  const int64_t depth = DepthOf(indices, nd);
  return {shape, 0, static_cast<int>(depth), indices,
          indices.num_elements() / depth};
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

void ScatterInPlace(ScatterOp op, bool nd, const Tensor& indices,
                    const Tensor& updates, Tensor* target) {
  Apply(op, PlacesOf(target->shape(), indices, nd), updates, target);
}

int64_t ScatterPageBytes(bool nd, DType dtype, const Shape& shape,
                         const Tensor& indices) {
  if (indices.num_elements() == 0 || DepthOf(indices, nd) > shape.rank()) {
    return 0;
  }
  const RowPlaces places = PlacesOf(shape, indices, nd);
  const int64_t one =
      TensorOverlay::PageBytesOf(places.slice() * ItemSize(dtype));
  int64_t bytes = 0;
  if (__builtin_mul_overflow(places.count(), one, &bytes)) {
    return std::numeric_limits<int64_t>::max();
  }
  return bytes;
}

void CoverRows(bool nd, const Tensor& indices, const Tensor& base,
               TensorOverlay* overlay) {
  const RowPlaces places = PlacesOf(base.shape(), indices, nd);
  const int64_t item = ItemSize(base.dtype());
  for (int64_t place = 0; place < places.count(); ++place) {
    overlay->Cover(base, places.Offset(place) * item, places.slice() * item);
  }
}

void ScatterIntoOverlay(ScatterOp op, bool nd, const Tensor& indices,
                        const Tensor& updates, const Shape& shape,
                        TensorOverlay* overlay) {
  Apply(op, PlacesOf(shape, indices, nd), updates, overlay);
}

}  // namespace varkeep
