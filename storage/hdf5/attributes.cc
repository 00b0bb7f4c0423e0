// SPDX-License-Identifier: Apache-2.0
#include "storage/hdf5/attributes.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_annotate.h"
#include "base/status_macros.h"
#include "storage/hdf5/datatypes.h"
#include "storage/hdf5/error.h"
#include "storage/hdf5/handle.h"

namespace varkeep::storage::hdf5 {
namespace {

constexpr char kShape[] = "shape";

absl::StatusOr<DataspaceHandle> Scalar() {
  return Own<DataspaceHandle>(H5Screate(H5S_SCALAR), "H5Screate");
}

absl::StatusOr<DataspaceHandle> Vector(size_t size) {
  const hsize_t dim = size;
  return Own<DataspaceHandle>(H5Screate_simple(1, &dim, nullptr),
                              "H5Screate_simple");
}

absl::Status Put(hid_t object, const std::string& name, hid_t type, hid_t space,
                 const void* value) {
  ASSIGN_OR_RETURN(
      auto properties,
      Own<PropertiesHandle>(H5Pcreate(H5P_ATTRIBUTE_CREATE), "H5Pcreate"));
  RETURN_IF_ERROR(Check(H5Pset_char_encoding(properties.id(), H5T_CSET_UTF8),
                        "H5Pset_char_encoding"));
  ASSIGN_OR_RETURN(
      auto attribute,
      Own<AttributeHandle>(H5Acreate2(object, name.c_str(), type, space,
                                      properties.id(), H5P_DEFAULT),
                           "H5Acreate2"));
  return Check(H5Awrite(attribute.id(), type, value), "H5Awrite");
}

absl::Status PutStrings(hid_t object, const std::string& name,
                        const DataspaceHandle& space,
                        const std::vector<const char*>& strings) {
  ASSIGN_OR_RETURN(DatatypeHandle type, StringType());
  const char* none = nullptr;  // HDF5 wants an address, also for no strings
  return Put(object, name, type.id(), space.id(),
             strings.empty() ? &none : strings.data());
}

absl::Status PutValue(hid_t object, const std::string& name, bool value) {
  ASSIGN_OR_RETURN(DatatypeHandle type, FileType(DType::kBool));
  ASSIGN_OR_RETURN(DataspaceHandle space, Scalar());
  const int8_t stored = value ? 1 : 0;
  return Put(object, name, type.id(), space.id(), &stored);
}

absl::Status PutValue(hid_t object, const std::string& name, int64_t value) {
  ASSIGN_OR_RETURN(DataspaceHandle space, Scalar());
  return Put(object, name, H5T_STD_I64LE, space.id(), &value);
}

absl::Status PutValue(hid_t object, const std::string& name, uint64_t value) {
  ASSIGN_OR_RETURN(DataspaceHandle space, Scalar());
  return Put(object, name, H5T_STD_U64LE, space.id(), &value);
}

absl::Status PutValue(hid_t object, const std::string& name,
                      const std::string& value) {
  ASSIGN_OR_RETURN(DataspaceHandle space, Scalar());
  return PutStrings(object, name, space, {value.c_str()});
}

absl::Status PutValue(hid_t object, const std::string& name,
                      const std::vector<std::string>& value) {
  ASSIGN_OR_RETURN(DataspaceHandle space, Vector(value.size()));
  std::vector<const char*> strings;
  for (const std::string& text : value) strings.push_back(text.c_str());
  return PutStrings(object, name, space, strings);
}

}  // namespace

absl::Status WriteAttribute(hid_t object, const Attribute& attribute) {
  absl::Status status = std::visit(
      [&](const auto& value) {
        return PutValue(object, attribute.name, value);
      },
      attribute.value);
  return Annotate(status, absl::StrCat("attribute '", attribute.name, "'"));
}

absl::Status WriteShapeAttribute(hid_t object, const Shape& shape) {
  ASSIGN_OR_RETURN(DataspaceHandle space, Vector(shape.dims().size()));
  const int64_t none = 0;
  return Put(object, kShape, H5T_STD_I64LE, space.id(),
             shape.rank() == 0 ? &none : shape.dims().data());
}

}  // namespace varkeep::storage::hdf5
