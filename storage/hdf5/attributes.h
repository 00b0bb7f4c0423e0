// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_HDF5_ATTRIBUTES_H_
#define VARKEEP_STORAGE_HDF5_ATTRIBUTES_H_

#include <hdf5.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/checkpoint.h"
#include "storage/hdf5/handle.h"

namespace varkeep::storage::hdf5 {

// Writes attributes of open objects. Keeps what HDF5 wants to be told about
// each of them: making that anew took as long as the attribute. One thread
// only.
class AttributeWriter {
 public:
  static absl::StatusOr<AttributeWriter> Create();

  // As h5py would: bool as its enumeration, int64 and uint64 as integers, a
  // string as a UTF-8 scalar, a list of strings as a vector of them.
  absl::Status Write(hid_t object, const Attribute& attribute) const;

  // The attribute "shape", a vector of int64: the shape of a null value.
  absl::Status WriteShape(hid_t object, const Shape& shape) const;

 private:
  AttributeWriter() = default;

  absl::Status Put(hid_t object, const std::string& name, hid_t type,
                   hid_t space, const void* value) const;
  absl::Status PutValue(hid_t object, const std::string& name,
                        bool value) const;
  absl::Status PutValue(hid_t object, const std::string& name,
                        int64_t value) const;
  absl::Status PutValue(hid_t object, const std::string& name,
                        uint64_t value) const;
  absl::Status PutValue(hid_t object, const std::string& name,
                        const std::string& value) const;
  absl::Status PutValue(hid_t object, const std::string& name,
                        const std::vector<std::string>& value) const;

  PropertiesHandle properties_;
  DataspaceHandle scalar_;
  DatatypeHandle bool_;
  DatatypeHandle string_;
};

}  // namespace varkeep::storage::hdf5

#endif  // VARKEEP_STORAGE_HDF5_ATTRIBUTES_H_
