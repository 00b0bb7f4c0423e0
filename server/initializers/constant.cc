// SPDX-License-Identifier: Apache-2.0
//
// Values that are known beforehand: zeros, ones, a constant, a given value.
#include <algorithm>
#include <complex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "server/initializers/argument_errors.h"
#include "server/initializers/element_cast.h"
#include "server/initializers/fill.h"
#include "server/initializers/kinds.h"

namespace varkeep::initializers {
namespace {

// What Python calls a value: each kind is also good where the next is wanted,
// but for bool, which only a bool will do for.
enum class Kind { kBool, kInt, kFloat, kComplex };

Kind KindOf(DType dtype) {
  if (dtype == DType::kBool) return Kind::kBool;
  if (IsInteger(dtype)) return Kind::kInt;
  return IsFloating(dtype) ? Kind::kFloat : Kind::kComplex;
}

absl::string_view PythonType(Kind kind) {
  switch (kind) {
    case Kind::kBool:
      return "bool";
    case Kind::kInt:
      return "int";
    case Kind::kFloat:
      return "float";
    case Kind::kComplex:
      return "complex";
  }
  std::abort();
}

// The first element of a tensor that has one, as Python prints it.
std::string FirstElementRepr(const Tensor& value) {
  return VisitDType(value.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T first = value.values<T>()[0];
    if constexpr (std::is_same_v<T, bool>) {
      return PythonRepr(first);
    } else if constexpr (std::is_integral_v<T>) {
      return absl::StrCat(first);
    } else if constexpr (kIsComplex<T>) {
      return PythonRepr(CastElement<std::complex<double>>(first));
    } else {
      return PythonRepr(CastElement<double>(first));
    }
  });
}

// Every integer of `value` must fit the integer type `dtype`.
absl::Status CheckIntegersFit(const Tensor& value, DType dtype) {
  return VisitDType(value.dtype(), [&](auto from) -> absl::Status {
    using From = typename decltype(from)::type;
    if constexpr (std::is_integral_v<From> && !std::is_same_v<From, bool>) {
      for (From element : value.values<From>()) {
        if (!std::in_range<int64_t>(element)) {
          if (dtype == DType::kUint64) continue;
          return absl::InvalidArgumentError(absl::StrCat(
              "value ", element, " does not fit ", DTypeName(dtype)));
        }
        RETURN_IF_ERROR(
            CheckFits("value", static_cast<int64_t>(element), dtype));
      }
    }
    return absl::OkStatus();
  });
}

absl::Status CheckKind(const Tensor& value, DType dtype) {
  if (value.num_elements() == 0) return absl::OkStatus();
  const Kind given = KindOf(value.dtype());
  const Kind wanted = KindOf(dtype);
  if (given > wanted || (wanted == Kind::kBool && given != Kind::kBool)) {
    return WrongKindError(dtype, FirstElementRepr(value), PythonType(given));
  }
  return IsInteger(dtype) ? CheckIntegersFit(value, dtype) : absl::OkStatus();
}

template <typename T>
void FillConstant(const Tensor& value, std::span<T> out, ThreadPool* pool) {
  VisitDType(value.dtype(), [&](auto from) {
    using From = typename decltype(from)::type;
    const std::span<const From> elements = value.values<From>();
    const size_t given = std::min(elements.size(), out.size());
    for (size_t i = 0; i < given; ++i) out[i] = CastElement<T>(elements[i]);
    const T last = given == 0 ? T(0) : out[given - 1];
    FillWith(out.subspan(given), last, pool);
  });
}

// Makes every element of `out` the number `value`.
void FillNumber(int value, ThreadPool* pool, Tensor* out) {
  VisitDType(out->dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    FillWith(out->mutable_values<T>(), CastElement<T>(value), pool);
  });
}

}  // namespace

absl::Status Check(const ZerosInitializer&, DType, const Shape&) {
  return absl::OkStatus();
}

absl::Status Check(const OnesInitializer&, DType, const Shape&) {
  return absl::OkStatus();
}

absl::Status Check(const ConstantInitializer& init, DType dtype,
                   const Shape& shape) {
  if (init.value == nullptr) {
    return absl::InvalidArgumentError("constant initializer has no value");
  }
  const Tensor& value = *init.value;
  if (init.check_kind) {
    // TensorFlow does not look at a Python value when there is nothing to fill.
    if (shape.num_elements() == 0) return absl::OkStatus();
    RETURN_IF_ERROR(CheckKind(value, dtype));
  }
  if (init.verify_shape && !(value.shape() == shape)) {
    return absl::InvalidArgumentError(
        absl::StrCat("Expected Tensor's shape: ", shape.ToTupleString(),
                     ", got ", value.shape().ToTupleString(), "."));
  }
  if (value.num_elements() > shape.num_elements()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "Too many elements provided. Needed at most ", shape.num_elements(),
        ", but received ", value.num_elements()));
  }
  return absl::OkStatus();
}

absl::Status Check(const ValueInitializer& init, DType dtype,
                   const Shape& shape) {
  if (init.value == nullptr) {
    return absl::InvalidArgumentError("value initializer has no value");
  }
  if (init.value->dtype() == dtype && init.value->shape() == shape) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "initial value is ", DTypeName(init.value->dtype()), " of shape ",
      init.value->shape().ToString(), ", variable is ", DTypeName(dtype),
      " of shape ", shape.ToString()));
}

absl::Status Fill(const ZerosInitializer&, const Source& source, Tensor* out) {
  FillNumber(0, source.pool, out);
  return absl::OkStatus();
}

absl::Status Fill(const OnesInitializer&, const Source& source, Tensor* out) {
  FillNumber(1, source.pool, out);
  return absl::OkStatus();
}

absl::Status Fill(const ConstantInitializer& init, const Source& source,
                  Tensor* out) {
  VisitDType(out->dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    FillConstant(*init.value, out->mutable_values<T>(), source.pool);
  });
  return absl::OkStatus();
}

}  // namespace varkeep::initializers
