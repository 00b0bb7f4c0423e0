// SPDX-License-Identifier: Apache-2.0
#include "storage/hdf5/attributes.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_annotate.h"
#include "base/status_macros.h"
#include "storage/hdf5/datatypes.h"
#include "storage/hdf5/error.h"

namespace varkeep::storage::hdf5 {
namespace {

constexpr char kShape[] = "shape";

absl::StatusOr<DataspaceHandle> Vector(size_t size) {
  const hsize_t dim = size;
  return Own<DataspaceHandle>(H5Screate_simple(1, &dim, nullptr),
                              "H5Screate_simple");
}

}  // namespace

absl::StatusOr<AttributeWriter> AttributeWriter::Create() {
  AttributeWriter writer;
  ASSIGN_OR_RETURN(
      writer.properties_,
      Own<PropertiesHandle>(H5Pcreate(H5P_ATTRIBUTE_CREATE), "H5Pcreate"));
  RETURN_IF_ERROR(
      Check(H5Pset_char_encoding(writer.properties_.id(), H5T_CSET_UTF8),
            "H5Pset_char_encoding"));
  ASSIGN_OR_RETURN(writer.scalar_,
                   Own<DataspaceHandle>(H5Screate(H5S_SCALAR), "H5Screate"));
  ASSIGN_OR_RETURN(writer.bool_, FileType(DType::kBool));
  ASSIGN_OR_RETURN(writer.string_, StringType());
  return writer;
}

absl::Status AttributeWriter::Put(hid_t object, const std::string& name,
                                  hid_t type, hid_t space,
                                  const void* value) const {
  ASSIGN_OR_RETURN(
      auto attribute,
      Own<AttributeHandle>(H5Acreate2(object, name.c_str(), type, space,
                                      properties_.id(), H5P_DEFAULT),
                           "H5Acreate2"));
  return Check(H5Awrite(attribute.id(), type, value), "H5Awrite");
}

absl::Status AttributeWriter::PutValue(hid_t object, const std::string& name,
                                       bool value) const {
  const int8_t stored = value ? 1 : 0;
  return Put(object, name, bool_.id(), scalar_.id(), &stored);
}

absl::Status AttributeWriter::PutValue(hid_t object, const std::string& name,
                                       int64_t value) const {
  return Put(object, name, H5T_STD_I64LE, scalar_.id(), &value);
}

absl::Status AttributeWriter::PutValue(hid_t object, const std::string& name,
                                       uint64_t value) const {
  return Put(object, name, H5T_STD_U64LE, scalar_.id(), &value);
}

absl::Status AttributeWriter::PutValue(hid_t object, const std::string& name,
                                       const std::string& value) const {
  const char* text = value.c_str();
  return Put(object, name, string_.id(), scalar_.id(), &text);
}

absl::Status AttributeWriter::PutValue(
    hid_t object, const std::string& name,
    const std::vector<std::string>& value) const {
  ASSIGN_OR_RETURN(DataspaceHandle space, Vector(value.size()));
  std::vector<const char*> strings;
  for (const std::string& text : value) strings.push_back(text.c_str());
  const char* none = nullptr;  // HDF5 wants an address, also for no strings
  return Put(object, name, string_.id(), space.id(),
             strings.empty() ? &none : strings.data());
}

absl::Status AttributeWriter::Write(hid_t object,
                                    const Attribute& attribute) const {
  absl::Status status = std::visit(
      [&](const auto& value) {
        return PutValue(object, attribute.name, value);
      },
      attribute.value);
  return Annotate(status, absl::StrCat("attribute '", attribute.name, "'"));
}

absl::Status AttributeWriter::WriteShape(hid_t object,
                                         const Shape& shape) const {
  ASSIGN_OR_RETURN(DataspaceHandle space, Vector(shape.dims().size()));
  const int64_t none = 0;
  return Put(object, kShape, H5T_STD_I64LE, space.id(),
             shape.rank() == 0 ? &none : shape.dims().data());
}

}  // namespace varkeep::storage::hdf5
