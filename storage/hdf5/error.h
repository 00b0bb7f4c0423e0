// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_HDF5_ERROR_H_
#define VARKEEP_STORAGE_HDF5_ERROR_H_

#include <hdf5.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/hdf5/handle.h"

namespace varkeep::storage::hdf5 {

// To be called by each thread before it uses HDF5: nothing is printed to
// standard error, no plugin is ever loaded. Cheap. Thread-safe.
void PrepareThread();

// What the calling thread's HDF5 error stack says about the failed `call`, as
// INTERNAL; clears the stack.
absl::Status ErrorFromStack(absl::string_view call);

// For calls that answer with a negative number on failure.
inline absl::Status Check(herr_t result, absl::string_view call) {
  return result >= 0 ? absl::OkStatus() : ErrorFromStack(call);
}

// For calls that answer with a new identifier:
// Own<DatasetHandle>(H5Dcreate2(...), "H5Dcreate2").
template <typename H>
absl::StatusOr<H> Own(hid_t id, absl::string_view call) {
  if (id < 0) return ErrorFromStack(call);
  return H(id);
}

}  // namespace varkeep::storage::hdf5

#endif  // VARKEEP_STORAGE_HDF5_ERROR_H_
