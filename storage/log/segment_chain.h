// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_LOG_SEGMENT_CHAIN_H_
#define VARKEEP_STORAGE_LOG_SEGMENT_CHAIN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/file_system.h"
#include "storage/log/log_format.h"

namespace varkeep::storage {

struct SegmentFile {
  std::string path;
  int64_t file_bytes = 0;
  log_format::SegmentHeader header;
};

// What the names and headers in a log's directory say.
struct SegmentChain {
  // From the segment begun last back along the predecessors, as far as they are
  // there; oldest first.
  std::vector<SegmentFile> segments;
  // Segments that the log went on without.
  std::vector<SegmentFile> cut_off;
  // Older ones, from which a segment to the chain is missing or unreadable.
  std::vector<SegmentFile> unconnected;
  // Segments whose header cannot be read, with the error.
  struct Unreadable {
    std::string path;
    uint64_t base = 0;
    absl::Status error;
  };
  std::vector<Unreadable> unreadable;
  std::vector<std::string> temporary;  // paths
  uint64_t highest_number = 0;
};

// Empty when the directory is not there. FAILED_PRECONDITION when a segment is
// of a newer program; errors of the file system.
absl::StatusOr<SegmentChain> ReadSegmentChain(FileSystem* file_system,
                                              const std::string& directory);

}  // namespace varkeep::storage

#endif  // VARKEEP_STORAGE_LOG_SEGMENT_CHAIN_H_
