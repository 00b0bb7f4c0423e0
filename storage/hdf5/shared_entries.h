// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_HDF5_SHARED_ENTRIES_H_
#define VARKEEP_STORAGE_HDF5_SHARED_ENTRIES_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace varkeep::storage::hdf5 {

// A file, in the same directory, that has values of another checkpoint.
struct Holder {
  std::string file;  // its name, without a slash
  int64_t size_bytes = 0;
  uint32_t crc32c = 0;  // of the whole file
  friend bool operator==(const Holder&, const Holder&) = default;
};

// "ckpt-000001.h5 86824 0c9d1f72", as a checkpoint's root attribute has it, and
// the inverse: DATA_LOSS.
std::string FormatHolder(const Holder& holder);
absl::StatusOr<Holder> ParseHolder(const std::string& text);

// The entries of a checkpoint that are not in its file: an external link leads
// to the dataset of the same path in the file that holds it.
struct SharedEntries {
  std::map<std::string, std::string> files;  // path of the entry: holder's file
  std::vector<Holder> holders;               // each file of `files` once
};

}  // namespace varkeep::storage::hdf5

#endif  // VARKEEP_STORAGE_HDF5_SHARED_ENTRIES_H_
