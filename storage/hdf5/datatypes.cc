// SPDX-License-Identifier: Apache-2.0
#include "storage/hdf5/datatypes.h"

#include "base/status_macros.h"
#include "storage/hdf5/error.h"

namespace varkeep::storage::hdf5 {
namespace {

absl::StatusOr<DatatypeHandle> Copy(hid_t type) {
  return Own<DatatypeHandle>(H5Tcopy(type), "H5Tcopy");
}

absl::StatusOr<DatatypeHandle> HalfType() {
  ASSIGN_OR_RETURN(DatatypeHandle type, Copy(H5T_IEEE_F32LE));
  // Sign at bit 15, 5 bits of exponent from 10 on, 10 bits of mantissa. The
  // fields must fit before the size may shrink.
  RETURN_IF_ERROR(
      Check(H5Tset_fields(type.id(), 15, 10, 5, 0, 10), "H5Tset_fields"));
  RETURN_IF_ERROR(Check(H5Tset_size(type.id(), 2), "H5Tset_size"));
  RETURN_IF_ERROR(Check(H5Tset_ebias(type.id(), 15), "H5Tset_ebias"));
  return type;
}

absl::StatusOr<DatatypeHandle> BoolType() {
  ASSIGN_OR_RETURN(auto type, Own<DatatypeHandle>(H5Tenum_create(H5T_STD_I8LE),
                                                  "H5Tenum_create"));
  const int8_t no = 0;
  const int8_t yes = 1;
  RETURN_IF_ERROR(
      Check(H5Tenum_insert(type.id(), "FALSE", &no), "H5Tenum_insert"));
  RETURN_IF_ERROR(
      Check(H5Tenum_insert(type.id(), "TRUE", &yes), "H5Tenum_insert"));
  return type;
}

absl::StatusOr<DatatypeHandle> ComplexType(hid_t part, size_t part_bytes) {
  ASSIGN_OR_RETURN(auto type,
                   Own<DatatypeHandle>(H5Tcreate(H5T_COMPOUND, 2 * part_bytes),
                                       "H5Tcreate"));
  RETURN_IF_ERROR(Check(H5Tinsert(type.id(), "r", 0, part), "H5Tinsert"));
  RETURN_IF_ERROR(
      Check(H5Tinsert(type.id(), "i", part_bytes, part), "H5Tinsert"));
  return type;
}

}  // namespace

absl::StatusOr<DatatypeHandle> FileType(DType dtype) {
  switch (dtype) {
    case DType::kFloat16:
      return HalfType();
    case DType::kFloat32:
      return Copy(H5T_IEEE_F32LE);
    case DType::kFloat64:
      return Copy(H5T_IEEE_F64LE);
    case DType::kInt8:
      return Copy(H5T_STD_I8LE);
    case DType::kInt16:
      return Copy(H5T_STD_I16LE);
    case DType::kInt32:
      return Copy(H5T_STD_I32LE);
    case DType::kInt64:
      return Copy(H5T_STD_I64LE);
    case DType::kUint8:
      return Copy(H5T_STD_U8LE);
    case DType::kBfloat16:
    case DType::kUint16:
      return Copy(H5T_STD_U16LE);
    case DType::kUint32:
      return Copy(H5T_STD_U32LE);
    case DType::kUint64:
      return Copy(H5T_STD_U64LE);
    case DType::kBool:
      return BoolType();
    case DType::kComplex64:
      return ComplexType(H5T_IEEE_F32LE, 4);
    case DType::kComplex128:
      return ComplexType(H5T_IEEE_F64LE, 8);
  }
  return absl::InternalError("not a dtype");
}

absl::StatusOr<DatatypeHandle> StringType() {
  ASSIGN_OR_RETURN(DatatypeHandle type, Copy(H5T_C_S1));
  RETURN_IF_ERROR(Check(H5Tset_size(type.id(), H5T_VARIABLE), "H5Tset_size"));
  RETURN_IF_ERROR(Check(H5Tset_cset(type.id(), H5T_CSET_UTF8), "H5Tset_cset"));
  return type;
}

}  // namespace varkeep::storage::hdf5
