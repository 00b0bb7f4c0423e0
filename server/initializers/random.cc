// SPDX-License-Identifier: Apache-2.0
//
// Uniform, normal and truncated normal numbers with given parameters.
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "server/initializers/argument_errors.h"
#include "server/initializers/element_cast.h"
#include "server/initializers/kinds.h"

namespace varkeep::initializers {
namespace {

// A parameter in the dtype of the variable, where all arithmetic is done.
template <typename T>
T Parameter(const Number& number) {
  return std::visit(
      [](auto value) {
        if constexpr (std::is_integral_v<T>) {
          return static_cast<T>(value);
        } else {
          return CastElement<T>(static_cast<double>(value));
        }
      },
      number);
}

// Calls visitor(TypeTag<T>()) for a floating dtype; others do nothing.
template <typename Visitor>
void VisitFloating(DType dtype, const Visitor& visitor) {
  VisitDType(dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_floating_point_v<T> || kIsSmallFloat<T>) {
      visitor(tag);
    }
  });
}

// An integer bound must be an integer within the dtype.
absl::Status CheckIntegerBound(absl::string_view name, const Number& bound,
                               DType dtype) {
  if (const auto* integer = std::get_if<int64_t>(&bound)) {
    return CheckFits(name, *integer, dtype);
  }
  return WrongKindError(dtype, PythonRepr(bound), "float");
}

absl::Status CheckIntegerUniform(const RandomUniformInitializer& init,
                                 DType dtype, const Shape& shape) {
  if (!init.maxval) {
    return absl::InvalidArgumentError(absl::StrCat(
        "Must specify maxval for integer dtype tf.", DTypeName(dtype)));
  }
  RETURN_IF_ERROR(CheckIntegerBound("minval", init.minval, dtype));
  RETURN_IF_ERROR(CheckIntegerBound("maxval", *init.maxval, dtype));
  const int64_t low = std::get<int64_t>(init.minval);
  const int64_t high = std::get<int64_t>(*init.maxval);
  if (low >= high && shape.num_elements() > 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("Need minval < maxval, got ", low, " >= ", high));
  }
  return absl::OkStatus();
}

// For both normal distributions.
absl::Status CheckNormal(double mean, double stddev, DType dtype) {
  RETURN_IF_ERROR(CheckFinite("mean", mean));
  RETURN_IF_ERROR(CheckFinite("stddev", stddev));
  if (IsFloating(dtype)) return absl::OkStatus();
  if (!IsComplex(dtype)) {
    return WrongKindError(dtype, PythonRepr(mean), "float");
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "Value passed to parameter 'dtype' has DataType ", DTypeName(dtype),
      " not in list of allowed values: float16, bfloat16, float32, float64"));
}

template <typename T>
void FillIntegerUniform(const RandomUniformInitializer& init,
                        const Source& source, Tensor* out) {
  DrawUniformInt(source.Stream(out->num_elements()), Parameter<T>(init.minval),
                 Parameter<T>(*init.maxval), out->mutable_values<T>(),
                 source.pool);
}

}  // namespace

absl::Status Check(const RandomUniformInitializer& init, DType dtype,
                   const Shape& shape) {
  const bool integer = dtype == DType::kInt32 || dtype == DType::kInt64;
  if (!integer && !IsFloating(dtype)) return InvalidDTypeError(dtype);
  RETURN_IF_ERROR(CheckFinite("minval", init.minval));
  RETURN_IF_ERROR(CheckFinite("maxval", init.maxval.value_or(0.0)));
  return integer ? CheckIntegerUniform(init, dtype, shape) : absl::OkStatus();
}

absl::Status Check(const RandomNormalInitializer& init, DType dtype,
                   const Shape&) {
  return CheckNormal(init.mean, init.stddev, dtype);
}

absl::Status Check(const TruncatedNormalInitializer& init, DType dtype,
                   const Shape&) {
  return CheckNormal(init.mean, init.stddev, dtype);
}

absl::Status Fill(const RandomUniformInitializer& init, const Source& source,
                  Tensor* out) {
  if (out->dtype() == DType::kInt32) {
    FillIntegerUniform<int32_t>(init, source, out);
  } else if (out->dtype() == DType::kInt64) {
    FillIntegerUniform<int64_t>(init, source, out);
  }
  VisitFloating(out->dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T low = Parameter<T>(init.minval);
    const T high = Parameter<T>(init.maxval.value_or(1.0));
    DrawUniform<T>(source.Stream(out->num_elements()), high - low, low,
                   out->mutable_values<T>(), source.pool);
  });
  return absl::OkStatus();
}

absl::Status Fill(const RandomNormalInitializer& init, const Source& source,
                  Tensor* out) {
  VisitFloating(out->dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    DrawNormal<T>(source.Stream(out->num_elements()), Parameter<T>(init.stddev),
                  Parameter<T>(init.mean), out->mutable_values<T>(),
                  source.pool);
  });
  return absl::OkStatus();
}

absl::Status Fill(const TruncatedNormalInitializer& init, const Source& source,
                  Tensor* out) {
  VisitFloating(out->dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    DrawTruncatedNormal<T>(source.Stream(out->num_elements()),
                           Parameter<T>(init.stddev), Parameter<T>(init.mean),
                           out->mutable_values<T>(), source.pool);
  });
  return absl::OkStatus();
}

}  // namespace varkeep::initializers
