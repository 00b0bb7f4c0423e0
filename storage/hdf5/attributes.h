// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_HDF5_ATTRIBUTES_H_
#define VARKEEP_STORAGE_HDF5_ATTRIBUTES_H_

#include <hdf5.h>

#include "absl/status/status.h"
#include "storage/checkpoint.h"

namespace varkeep::storage::hdf5 {

// Writes an attribute of an open object as h5py would: bool as its enumeration,
// int64 and uint64 as integers, a string as a UTF-8 scalar, a list of strings
// as a vector of them.
absl::Status WriteAttribute(hid_t object, const Attribute& attribute);

// The attribute "shape", a vector of int64: the shape of a null value.
absl::Status WriteShapeAttribute(hid_t object, const Shape& shape);

}  // namespace varkeep::storage::hdf5

#endif  // VARKEEP_STORAGE_HDF5_ATTRIBUTES_H_
