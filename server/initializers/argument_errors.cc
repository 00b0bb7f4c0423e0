// SPDX-License-Identifier: Apache-2.0
#include "server/initializers/argument_errors.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <type_traits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace varkeep::initializers {
namespace {

// The shortest text that reads back as `value`, without ".0".
std::string ShortestRepr(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  const double magnitude = std::abs(value);
  // Where Python changes to an exponent.
  const bool fixed = magnitude == 0 || (magnitude >= 1e-4 && magnitude < 1e16);
  std::array<char, 64> text;
  const std::to_chars_result end = std::to_chars(
      text.data(), text.data() + text.size(), value,
      fixed ? std::chars_format::fixed : std::chars_format::scientific);
  return std::string(text.data(), end.ptr);
}

}  // namespace

std::string PythonRepr(double value) {
  std::string text = ShortestRepr(value);
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

std::string PythonRepr(std::complex<double> value) {
  const std::string imaginary = ShortestRepr(value.imag());
  if (value.real() == 0 && !std::signbit(value.real())) return imaginary + "j";
  const bool has_sign = imaginary.front() == '-';
  return absl::StrCat("(", ShortestRepr(value.real()), has_sign ? "" : "+",
                      imaginary, "j)");
}

std::string PythonRepr(bool value) { return value ? "True" : "False"; }

std::string PythonRepr(const Number& value) {
  if (const auto* integer = std::get_if<int64_t>(&value)) {
    return absl::StrCat(*integer);
  }
  return PythonRepr(std::get<double>(value));
}

absl::Status CheckFinite(absl::string_view name, const Number& value) {
  const auto* floating = std::get_if<double>(&value);
  if (floating == nullptr || std::isfinite(*floating)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      name, " must be a finite number, got ", PythonRepr(*floating)));
}

absl::Status WrongKindError(DType expected, absl::string_view repr,
                            absl::string_view python_type) {
  return absl::InvalidArgumentError(
      absl::StrFormat("Expected %s, got %s of type '%s' instead.",
                      DTypeName(expected), repr, python_type));
}

absl::Status InvalidDTypeError(DType dtype) {
  return absl::InvalidArgumentError(
      absl::StrCat("Invalid dtype tf.", DTypeName(dtype)));
}

absl::Status CheckFits(absl::string_view name, int64_t value, DType dtype) {
  const bool fits = VisitDType(dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
      return std::in_range<T>(value);
    } else {
      return true;
    }
  });
  if (fits) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(name, " ", value, " does not fit ", DTypeName(dtype)));
}

}  // namespace varkeep::initializers
