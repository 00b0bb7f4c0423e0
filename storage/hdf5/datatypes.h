// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_HDF5_DATATYPES_H_
#define VARKEEP_STORAGE_HDF5_DATATYPES_H_

#include "absl/status/statusor.h"
#include "storage/hdf5/handle.h"
#include "tensor/dtype.h"

namespace varkeep::storage::hdf5 {

// How elements of `dtype` are kept: always as they are in memory, so nothing is
// converted. Chosen so that h5py knows them: float16 is an IEEE half, bool an
// enumeration {FALSE, TRUE} of int8, complex a compound {r, i}. bfloat16 has no
// HDF5 type and is kept as its 16 bits, uint16.
absl::StatusOr<DatatypeHandle> FileType(DType dtype);

// A UTF-8 string of any length.
absl::StatusOr<DatatypeHandle> StringType();

}  // namespace varkeep::storage::hdf5

#endif  // VARKEEP_STORAGE_HDF5_DATATYPES_H_
