// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_IMPORT_HELPER_DATASET_FINDER_H_
#define VARKEEP_STORAGE_IMPORT_HELPER_DATASET_FINDER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "storage/hdf5/handle.h"
#include "storage/import/hdf5_import.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace varkeep::storage {

struct FoundDataset {
  std::string path;
  bool has_value = true;  // false: a null dataspace
  DType dtype = DType::kFloat32;
  Shape shape;
  int64_t size_bytes = 0;
};

// What is wanted of a file of `file_bytes` bytes.
struct DatasetSearch {
  ImportLimits limits;
  std::vector<std::string> only;
  int64_t file_bytes = 0;
};

// All datasets that are wanted, by path. Every one can be read without leaving
// the file and has a size that its stored bytes can bear; a file that has any
// other is refused. Errors as ImportHdf5, naming the object. Reads no values.
absl::StatusOr<std::vector<FoundDataset>> FindDatasets(
    hid_t file, const DatasetSearch& search);

// The value of a dataset that was found, row-major. DATA_LOSS.
absl::StatusOr<std::vector<std::byte>> ReadValue(hid_t file,
                                                 const FoundDataset& dataset);

}  // namespace varkeep::storage

#endif  // VARKEEP_STORAGE_IMPORT_HELPER_DATASET_FINDER_H_
