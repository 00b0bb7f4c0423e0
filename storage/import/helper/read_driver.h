// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_IMPORT_HELPER_READ_DRIVER_H_
#define VARKEEP_STORAGE_IMPORT_HELPER_READ_DRIVER_H_

#include <hdf5.h>

#include "absl/status/statusor.h"
#include "storage/file_system.h"
#include "storage/hdf5/handle.h"

namespace varkeep::storage {

// Lets HDF5 read a File and open nothing by itself. One thread. `file` must
// outlive what is returned. DATA_LOSS and INTERNAL with HDF5's words.
absl::StatusOr<hdf5::FileHandle> OpenHdf5(File* file);

}  // namespace varkeep::storage

#endif  // VARKEEP_STORAGE_IMPORT_HELPER_READ_DRIVER_H_
