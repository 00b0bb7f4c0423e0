// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_IMPORT_HDF5_IMPORT_H_
#define VARKEEP_STORAGE_IMPORT_HDF5_IMPORT_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tensor/tensor.h"

namespace varkeep::storage {

struct ImportLimits {
  int64_t max_file_bytes = int64_t{1} << 40;
  int64_t max_tensor_bytes = int64_t{16} << 30;
  int64_t max_total_bytes = int64_t{256} << 30;
  int64_t max_objects = 100'000;  // groups and datasets
  int64_t max_depth = 64;         // components of a path
  // How long to wait for the reading process in all; one second more for every
  // 16 MiB of the file and of what came out of it.
  absl::Duration timeout = absl::Seconds(10);
};

struct ImportOptions {
  ImportLimits limits;
  // Only datasets that are, or are beneath, one of these paths; what is not
  // beneath them is not even looked at. None: all.
  std::vector<std::string> only;
  // The program that reads; "": varkeep-import-helper beside the running one.
  std::string helper;
  // Bytes of values that came and in all; may be null.
  std::function<void(int64_t, int64_t)> progress;
};

struct ImportedDataset {
  std::string path;  // "dense/kernel:0": UTF-8, no control characters
  TensorRef value;   // null when the file has the dataset without a value
};

struct ImportSummary {
  int64_t datasets = 0;
  int64_t value_bytes = 0;
};

// Reads an HDF5 file that nobody vouches for: HDF5 sees it only in a process of
// its own that can do nothing but read this one file (docs/import.md), and what
// that process says is checked again. `visit` gets each dataset in the order of
// their paths as soon as it is read; an error from it ends the import and is
// returned as it is.
//
// Other errors name the file and, where there is one, the object:
// INVALID_ARGUMENT (no HDF5 file, or it has what is not read: links, external
// storage, other types, filters), DATA_LOSS (damaged; or reading it broke the
// process), RESOURCE_EXHAUSTED (a limit), DEADLINE_EXCEEDED, NOT_FOUND,
// PERMISSION_DENIED, FAILED_PRECONDITION (no helper, no sandbox here).
absl::StatusOr<ImportSummary> ImportHdf5(
    const std::string& path, const ImportOptions& options,
    const std::function<absl::Status(const ImportedDataset&)>& visit);

}  // namespace varkeep::storage

#endif  // VARKEEP_STORAGE_IMPORT_HDF5_IMPORT_H_
