// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_LOG_LOG_RECOVERY_H_
#define VARKEEP_STORAGE_LOG_LOG_RECOVERY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "storage/file_system.h"
#include "storage/log/log.h"
#include "storage/log/log_format.h"

namespace varkeep::storage {

// A segment that has records.
struct SegmentInfo {
  std::string path;
  uint64_t last = 0;  // revision of its last record
  int64_t bytes = 0;  // of its records
};

struct Recovery {
  std::vector<SegmentInfo> segments;  // oldest first; all on the disk
  // Of the segment that goes on after them. Without salt and `synced`.
  log_format::SegmentHeader next;
  // Files that hold nothing any more once `next` is on the disk.
  std::vector<std::string> void_files;
};

// The segments in `directory`, whose records after `after` are handed to
// `replay`. Errors as Log::Open. Changes nothing, but syncs what it keeps.
absl::StatusOr<Recovery> RecoverLog(FileSystem* file_system,
                                    const std::string& directory,
                                    uint64_t after, uint64_t skip,
                                    LogReplay replay,
                                    const LogProgress& progress,
                                    LogRecovered* recovered);

}  // namespace varkeep::storage

#endif  // VARKEEP_STORAGE_LOG_LOG_RECOVERY_H_
