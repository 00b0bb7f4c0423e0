// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_IMPORT_HELPER_DATASET_CHECK_H_
#define VARKEEP_STORAGE_IMPORT_HELPER_DATASET_CHECK_H_

#include <hdf5.h>

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/import/hdf5_import.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace varkeep::storage {

// What an open dataset of a foreign file is. INVALID_ARGUMENT when it is
// nothing that is read.

// uint16 that says of itself that it is bfloat16 is
// (docs/checkpoint_format.md).
absl::StatusOr<DType> DTypeOfDataset(hid_t dataset);
// The shape of its dataspace, which is not null.
absl::StatusOr<Shape> ShapeOfDataset(hid_t space);
// Its values are in this file, in a layout and behind filters that are read,
// and `size_bytes` is not far more than what is stored; RESOURCE_EXHAUSTED when
// it is, or more than the limits.
absl::Status CheckStorage(hid_t dataset, int64_t size_bytes, int64_t file_bytes,
                          const ImportLimits& limits);

}  // namespace varkeep::storage

#endif  // VARKEEP_STORAGE_IMPORT_HELPER_DATASET_CHECK_H_
