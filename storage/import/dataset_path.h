// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_IMPORT_DATASET_PATH_H_
#define VARKEEP_STORAGE_IMPORT_DATASET_PATH_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace varkeep::storage {

inline constexpr size_t kMaxPathBytes = 4096;

// The path of an object in a file that nobody vouches for: "a/b/c". Components
// are not empty, "." or ".."; UTF-8 without control characters, kMaxPathBytes
// at most. INVALID_ARGUMENT.
absl::Status CheckDatasetPath(absl::string_view path);

// `text` for a message of one line: control characters and what is not UTF-8 as
// "?", cut at 1 KiB.
std::string Printable(absl::string_view text);

}  // namespace varkeep::storage

#endif  // VARKEEP_STORAGE_IMPORT_DATASET_PATH_H_
