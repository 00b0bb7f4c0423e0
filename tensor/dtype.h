// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TENSOR_DTYPE_H_
#define VARKEEP_TENSOR_DTYPE_H_

#include <Eigen/Core>
#include <complex>
#include <cstdint>
#include <cstdlib>
#include <type_traits>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace varkeep {

// The element types of a tensor. The numbers are those of the wire and never
// change.
enum class DType : uint8_t {
  kFloat16 = 1,
  kBfloat16 = 2,
  kFloat32 = 3,
  kFloat64 = 4,
  kInt8 = 5,
  kInt16 = 6,
  kInt32 = 7,
  kInt64 = 8,
  kUint8 = 9,
  kUint16 = 10,
  kUint32 = 11,
  kUint64 = 12,
  kBool = 13,
  kComplex64 = 14,
  kComplex128 = 15,
};

inline constexpr DType kAllDTypes[] = {
    DType::kFloat16, DType::kBfloat16,  DType::kFloat32,   DType::kFloat64,
    DType::kInt8,    DType::kInt16,     DType::kInt32,     DType::kInt64,
    DType::kUint8,   DType::kUint16,    DType::kUint32,    DType::kUint64,
    DType::kBool,    DType::kComplex64, DType::kComplex128};

// TensorFlow's name: "float32", "bfloat16", "bool", ...
absl::string_view DTypeName(DType dtype);

// The inverse of DTypeName. INVALID_ARGUMENT names the text and lists the
// types.
absl::StatusOr<DType> ParseDType(absl::string_view name);

// Bytes of one element.
int64_t ItemSize(DType dtype);

bool IsFloating(DType dtype);  // float16, bfloat16, float32, float64
bool IsInteger(DType dtype);   // signed and unsigned, not bool
bool IsComplex(DType dtype);

// The C++ type of one element in memory.
template <typename T>
struct TypeTag {
  using type = T;
};

// Calls visitor(TypeTag<T>()) with the C++ type T of `dtype`'s elements.
template <typename Visitor>
decltype(auto) VisitDType(DType dtype, Visitor&& visitor) {
  switch (dtype) {
    case DType::kFloat16:
      return visitor(TypeTag<Eigen::half>());
    case DType::kBfloat16:
      return visitor(TypeTag<Eigen::bfloat16>());
    case DType::kFloat32:
      return visitor(TypeTag<float>());
    case DType::kFloat64:
      return visitor(TypeTag<double>());
    case DType::kInt8:
      return visitor(TypeTag<int8_t>());
    case DType::kInt16:
      return visitor(TypeTag<int16_t>());
    case DType::kInt32:
      return visitor(TypeTag<int32_t>());
    case DType::kInt64:
      return visitor(TypeTag<int64_t>());
    case DType::kUint8:
      return visitor(TypeTag<uint8_t>());
    case DType::kUint16:
      return visitor(TypeTag<uint16_t>());
    case DType::kUint32:
      return visitor(TypeTag<uint32_t>());
    case DType::kUint64:
      return visitor(TypeTag<uint64_t>());
    case DType::kBool:
      return visitor(TypeTag<bool>());
    case DType::kComplex64:
      return visitor(TypeTag<std::complex<float>>());
    case DType::kComplex128:
      return visitor(TypeTag<std::complex<double>>());
  }
  std::abort();  // not a DType: a bug of ours, wire values are checked
}

// The DType of a C++ element type, for typed access.
template <typename T>
constexpr DType DTypeOf() {
  if constexpr (std::is_same_v<T, Eigen::half>) return DType::kFloat16;
  if constexpr (std::is_same_v<T, Eigen::bfloat16>) return DType::kBfloat16;
  if constexpr (std::is_same_v<T, float>) return DType::kFloat32;
  if constexpr (std::is_same_v<T, double>) return DType::kFloat64;
  if constexpr (std::is_same_v<T, int8_t>) return DType::kInt8;
  if constexpr (std::is_same_v<T, int16_t>) return DType::kInt16;
  if constexpr (std::is_same_v<T, int32_t>) return DType::kInt32;
  if constexpr (std::is_same_v<T, int64_t>) return DType::kInt64;
  if constexpr (std::is_same_v<T, uint8_t>) return DType::kUint8;
  if constexpr (std::is_same_v<T, uint16_t>) return DType::kUint16;
  if constexpr (std::is_same_v<T, uint32_t>) return DType::kUint32;
  if constexpr (std::is_same_v<T, uint64_t>) return DType::kUint64;
  if constexpr (std::is_same_v<T, bool>) return DType::kBool;
  if constexpr (std::is_same_v<T, std::complex<float>>) {
    return DType::kComplex64;
  }
  if constexpr (std::is_same_v<T, std::complex<double>>) {
    return DType::kComplex128;
  }
}

}  // namespace varkeep

#endif  // VARKEEP_TENSOR_DTYPE_H_
