// SPDX-License-Identifier: Apache-2.0
#include "storage/hdf5/attributes.h"

#include <algorithm>
#include <string>
#include <type_traits>
#include <utility>

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

// An attribute that is open, with what it is made of.
struct OpenAttribute {
  AttributeHandle handle;
  DatatypeHandle type;
  DataspaceHandle space;
  int rank = 0;
  size_t elements = 0;
};

absl::StatusOr<OpenAttribute> OpenByName(hid_t object, const char* name) {
  OpenAttribute opened;
  ASSIGN_OR_RETURN(
      opened.handle,
      Own<AttributeHandle>(H5Aopen(object, name, H5P_DEFAULT), "H5Aopen"));
  ASSIGN_OR_RETURN(
      opened.type,
      Own<DatatypeHandle>(H5Aget_type(opened.handle.id()), "H5Aget_type"));
  ASSIGN_OR_RETURN(
      opened.space,
      Own<DataspaceHandle>(H5Aget_space(opened.handle.id()), "H5Aget_space"));
  opened.rank = H5Sget_simple_extent_ndims(opened.space.id());
  const hssize_t elements = H5Sget_simple_extent_npoints(opened.space.id());
  if (opened.rank < 0 || elements < 0) {
    return ErrorFromStack("H5Sget_simple_extent_npoints");
  }
  opened.elements = static_cast<size_t>(elements);
  return opened;
}

using AttributeValue = decltype(Attribute::value);

absl::StatusOr<AttributeValue> ReadStrings(const OpenAttribute& opened) {
  if (H5Tis_variable_str(opened.type.id()) <= 0 || opened.rank > 1) {
    return absl::InternalError("it is an unexpected kind of string");
  }
  ASSIGN_OR_RETURN(DatatypeHandle type, StringType());
  std::vector<char*> texts(std::max<size_t>(opened.elements, 1), nullptr);
  absl::Status status =
      Check(H5Aread(opened.handle.id(), type.id(), texts.data()), "H5Aread");
  std::vector<std::string> strings;
  for (size_t i = 0; i < opened.elements; ++i) {
    strings.emplace_back(texts[i] == nullptr ? "" : texts[i]);
    H5free_memory(texts[i]);  // also what was read before an error
  }
  RETURN_IF_ERROR(status);
  if (opened.rank == 1) return AttributeValue(std::move(strings));
  if (strings.empty()) return absl::InternalError("it has no value");
  return AttributeValue(std::move(strings[0]));
}

template <typename T>
absl::StatusOr<AttributeValue> ReadScalar(const OpenAttribute& opened,
                                          hid_t type) {
  if (opened.rank != 0 || opened.elements != 1) {
    return absl::InternalError("it is not a scalar");
  }
  T value{};
  RETURN_IF_ERROR(Check(H5Aread(opened.handle.id(), type, &value), "H5Aread"));
  if constexpr (std::is_same_v<T, int8_t>) {
    return AttributeValue(value != 0);
  } else {
    return AttributeValue(value);
  }
}

absl::StatusOr<AttributeValue> ReadValue(hid_t object, const char* name) {
  ASSIGN_OR_RETURN(OpenAttribute opened, OpenByName(object, name));
  const hid_t type = opened.type.id();
  switch (H5Tget_class(type)) {
    case H5T_STRING:
      return ReadStrings(opened);
    case H5T_INTEGER:
      return H5Tget_sign(type) == H5T_SGN_NONE
                 ? ReadScalar<uint64_t>(opened, H5T_NATIVE_UINT64)
                 : ReadScalar<int64_t>(opened, H5T_NATIVE_INT64);
    case H5T_ENUM: {
      ASSIGN_OR_RETURN(DatatypeHandle expected, FileType(DType::kBool));
      if (H5Tequal(type, expected.id()) > 0) {
        return ReadScalar<int8_t>(opened, type);
      }
      break;
    }
    default:
      break;
  }
  return absl::InternalError("it is of an unexpected type");
}

herr_t CollectName(hid_t /*object*/, const char* name,
                   const H5A_info_t* /*info*/, void* names) {
  static_cast<std::vector<std::string>*>(names)->emplace_back(name);
  return 0;
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

absl::StatusOr<std::vector<Attribute>> ReadAttributes(hid_t object) {
  std::vector<std::string> names;
  RETURN_IF_ERROR(Check(H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, nullptr,
                                    CollectName, &names),
                        "H5Aiterate2"));
  std::sort(names.begin(), names.end());
  std::vector<Attribute> attributes;
  for (const std::string& name : names) {
    if (name == kShape) continue;
    absl::StatusOr<AttributeValue> value = ReadValue(object, name.c_str());
    if (!value.ok()) {
      return Annotate(value.status(), absl::StrCat("attribute '", name, "'"));
    }
    attributes.push_back({name, *std::move(value)});
  }
  return attributes;
}

absl::Status WriteShapeAttribute(hid_t object, const Shape& shape) {
  ASSIGN_OR_RETURN(DataspaceHandle space, Vector(shape.dims().size()));
  const int64_t none = 0;
  return Put(object, kShape, H5T_STD_I64LE, space.id(),
             shape.rank() == 0 ? &none : shape.dims().data());
}

absl::StatusOr<Shape> ReadShapeAttribute(hid_t object) {
  ASSIGN_OR_RETURN(OpenAttribute opened, OpenByName(object, kShape));
  if (opened.rank != 1 || opened.elements > Shape::kMaxRank ||
      H5Tequal(opened.type.id(), H5T_STD_I64LE) <= 0) {
    return absl::InternalError("the attribute 'shape' is not a shape");
  }
  std::array<int64_t, Shape::kMaxRank> dims{};
  RETURN_IF_ERROR(Check(
      H5Aread(opened.handle.id(), H5T_NATIVE_INT64, dims.data()), "H5Aread"));
  return Shape::Create(std::span(dims).first(opened.elements));
}

}  // namespace varkeep::storage::hdf5
