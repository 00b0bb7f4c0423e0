// SPDX-License-Identifier: Apache-2.0
#include "storage/import/helper/dataset_check.h"

#include <algorithm>
#include <array>
#include <variant>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "storage/hdf5/datatypes.h"
#include "storage/hdf5/error.h"
#include "storage/hdf5/format.h"
#include "storage/hdf5/handle.h"
#include "storage/import/import_stream.h"

namespace varkeep::storage {
namespace {

using hdf5::Check;
using hdf5::Own;

absl::Status Refused(absl::string_view why) {
  return absl::InvalidArgumentError(why);
}

const char* ClassName(H5T_class_t type) {
  switch (type) {
    case H5T_TIME:
      return "times";
    case H5T_STRING:
      return "strings";
    case H5T_BITFIELD:
      return "bit fields";
    case H5T_OPAQUE:
      return "opaque bytes";
    case H5T_COMPOUND:
      return "a compound";
    case H5T_REFERENCE:
      return "references";
    case H5T_ENUM:
      return "an enumeration";
    case H5T_VLEN:
      return "sequences of any length";
    case H5T_ARRAY:
      return "arrays";
    default:
      return "numbers of an unusual form";
  }
}

// `type` is how `dtype` is stored, in either byte order.
absl::StatusOr<bool> IsStored(hid_t type, DType dtype) {
  ASSIGN_OR_RETURN(hdf5::DatatypeHandle stored, hdf5::FileType(dtype));
  if (H5Tequal(type, stored.id()) > 0) return true;
  if (dtype == DType::kBool || IsComplex(dtype)) return false;
  RETURN_IF_ERROR(
      Check(H5Tset_order(stored.id(), H5T_ORDER_BE), "H5Tset_order"));
  return H5Tequal(type, stored.id()) > 0;
}

// Our own checkpoints say so in a text; the bytes are those of a uint16.
absl::StatusOr<bool> SaysBfloat16(hid_t dataset) {
  const htri_t exists = H5Aexists(dataset, hdf5::kDType);
  if (exists < 0) return hdf5::ErrorFromStack("H5Aexists");
  if (exists == 0) return false;
  ASSIGN_OR_RETURN(auto attribute,
                   Own<hdf5::AttributeHandle>(
                       H5Aopen(dataset, hdf5::kDType, H5P_DEFAULT), "H5Aopen"));
  ASSIGN_OR_RETURN(auto type, Own<hdf5::DatatypeHandle>(
                                  H5Aget_type(attribute.id()), "H5Aget_type"));
  ASSIGN_OR_RETURN(
      auto space,
      Own<hdf5::DataspaceHandle>(H5Aget_space(attribute.id()), "H5Aget_space"));
  if (H5Tis_variable_str(type.id()) <= 0 ||
      H5Sget_simple_extent_npoints(space.id()) != 1) {
    return false;
  }
  char* text = nullptr;
  RETURN_IF_ERROR(Check(H5Aread(attribute.id(), type.id(), &text), "H5Aread"));
  const bool says = text != nullptr && absl::string_view(text) == "bfloat16";
  H5free_memory(text);
  return says;
}

absl::Status CheckFilters(hid_t properties) {
  const int count = H5Pget_nfilters(properties);
  if (count < 0) return hdf5::ErrorFromStack("H5Pget_nfilters");
  for (int i = 0; i < count; ++i) {
    unsigned flags = 0;
    size_t values = 0;
    unsigned config = 0;
    const H5Z_filter_t filter =
        H5Pget_filter2(properties, static_cast<unsigned>(i), &flags, &values,
                       nullptr, 0, nullptr, &config);
    if (filter < 0) return hdf5::ErrorFromStack("H5Pget_filter2");
    if (filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE &&
        filter != H5Z_FILTER_FLETCHER32) {
      return Refused(absl::StrCat(
          "it is stored with filter ", filter,
          "; only deflate (gzip), shuffle and fletcher32 are read"));
    }
  }
  return absl::OkStatus();
}

// HDF5 holds whole chunks in memory.
absl::Status CheckChunk(hid_t properties, hid_t dataset, int64_t most) {
  std::array<hsize_t, Shape::kMaxRank> dims{};
  const int rank = H5Pget_chunk(properties, Shape::kMaxRank, dims.data());
  if (rank < 0 || rank > Shape::kMaxRank) {
    return hdf5::ErrorFromStack("H5Pget_chunk");
  }
  ASSIGN_OR_RETURN(auto type, Own<hdf5::DatatypeHandle>(H5Dget_type(dataset),
                                                        "H5Dget_type"));
  auto bytes = static_cast<__int128>(H5Tget_size(type.id()));
  for (size_t i = 0; i < static_cast<size_t>(rank); ++i) {
    bytes = std::min<__int128>(bytes * dims[i], INT64_MAX);
  }
  if (bytes <= most) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat("one of its chunks has ",
                                                   static_cast<int64_t>(bytes),
                                                   " bytes, more than ", most));
}

}  // namespace

absl::StatusOr<DType> DTypeOfDataset(hid_t dataset) {
  ASSIGN_OR_RETURN(auto type, Own<hdf5::DatatypeHandle>(H5Dget_type(dataset),
                                                        "H5Dget_type"));
  for (DType dtype : kAllDTypes) {
    if (dtype == DType::kBfloat16) continue;  // as uint16
    ASSIGN_OR_RETURN(bool is_stored, IsStored(type.id(), dtype));
    if (!is_stored) continue;
    if (dtype != DType::kUint16) return dtype;
    ASSIGN_OR_RETURN(bool is_bfloat16, SaysBfloat16(dataset));
    return is_bfloat16 ? DType::kBfloat16 : dtype;
  }
  return Refused(absl::StrCat("its elements are ",
                              ClassName(H5Tget_class(type.id())),
                              ", which no variable can hold"));
}

absl::StatusOr<Shape> ShapeOfDataset(hid_t space) {
  const int rank = H5Sget_simple_extent_ndims(space);
  if (rank < 0) return hdf5::ErrorFromStack("H5Sget_simple_extent_ndims");
  if (rank > Shape::kMaxRank) {
    return Refused(
        absl::StrCat("it has rank ", rank, ", more than ", Shape::kMaxRank));
  }
  std::array<hsize_t, Shape::kMaxRank> dims{};
  if (H5Sget_simple_extent_dims(space, dims.data(), nullptr) != rank) {
    return hdf5::ErrorFromStack("H5Sget_simple_extent_dims");
  }
  std::array<int64_t, Shape::kMaxRank> signed_dims{};
  std::copy(dims.begin(), dims.end(), signed_dims.begin());
  return Shape::Create(std::span(signed_dims).first(static_cast<size_t>(rank)));
}

absl::Status CheckStorage(hid_t dataset, int64_t size_bytes, int64_t file_bytes,
                          const ImportLimits& limits) {
  ASSIGN_OR_RETURN(auto properties,
                   Own<hdf5::PropertiesHandle>(H5Dget_create_plist(dataset),
                                               "H5Dget_create_plist"));
  const hid_t id = properties.id();
  if (H5Pget_external_count(id) != 0) {
    return Refused("its values are in another file (external storage)");
  }
  const H5D_layout_t layout = H5Pget_layout(id);
  if (layout == H5D_VIRTUAL) {
    return Refused("its values are those of other datasets (virtual dataset)");
  }
  if (layout != H5D_CONTIGUOUS && layout != H5D_CHUNKED &&
      layout != H5D_COMPACT) {
    return Refused("it has an unknown layout");
  }
  RETURN_IF_ERROR(CheckFilters(id));
  if (size_bytes > limits.max_tensor_bytes) {
    return absl::ResourceExhaustedError(absl::StrCat("it has ", size_bytes,
                                                     " bytes, the limit is ",
                                                     limits.max_tensor_bytes));
  }
  const hsize_t stored = H5Dget_storage_size(dataset);
  if (stored > static_cast<hsize_t>(file_bytes)) {
    return absl::DataLossError(absl::StrCat(
        "it says that it has ", stored, " bytes in a file of ", file_bytes));
  }
  // HDF5 1.10.8 would give what is in memory behind it.
  if (layout == H5D_COMPACT && stored != static_cast<hsize_t>(size_bytes)) {
    return absl::DataLossError(absl::StrCat(
        "it has ", size_bytes, " bytes, of which ", stored, " are stored"));
  }
  const int64_t most = ExpansionLimit(static_cast<int64_t>(stored));
  if (size_bytes > most) {
    return absl::ResourceExhaustedError(
        absl::StrCat("it has ", size_bytes, " bytes, more than ", kMaxExpansion,
                     " times the ", stored, " that are stored"));
  }
  if (layout != H5D_CHUNKED) return absl::OkStatus();
  return CheckChunk(
      id, dataset,
      std::min(limits.max_tensor_bytes, ExpansionLimit(file_bytes)));
}

}  // namespace varkeep::storage
