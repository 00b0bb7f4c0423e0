// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_LOG_LOG_INSPECT_H_
#define VARKEEP_STORAGE_LOG_LOG_INSPECT_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/file_system.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace varkeep::storage {

// For a person who looks at a log that no server uses.

struct SegmentReport {
  enum class State {
    kClean,
    kTorn,     // ends in what was never completely written
    kDamaged,  // holds what was damaged later, or cannot be read at all
    kVoid,     // the log went on without it
  };
  std::string path;
  uint64_t first = 0;   // first revision it may hold
  uint64_t last = 0;    // of its last good record; first - 1 without any
  int64_t records = 0;  // good ones
  int64_t bytes = 0;    // of the good records
  int64_t end = 0;      // offset behind the last good one
  State state = State::kClean;
  std::string reason;  // why it is not clean
};

struct RecordReport {
  std::string path;
  int64_t offset = 0;
  int64_t bytes = 0;
  uint64_t before = 0;
  uint64_t revision = 0;
  int64_t body_bytes = 0;
  struct TensorReport {
    DType dtype = DType::kFloat32;
    Shape shape;
    int64_t bytes = 0;
  };
  std::vector<TensorReport> tensors;
};

// Reads all of the log and changes nothing; oldest first. `visit` may be null.
// NOT_FOUND when the directory has no segment.
absl::StatusOr<std::vector<SegmentReport>> InspectLog(
    FileSystem* file_system, const std::string& directory,
    const std::function<void(const RecordReport&)>& visit = nullptr);

struct Truncated {
  std::string backup;  // the folder with what was moved away
  int64_t offset = 0;  // where the segment was really cut
  uint64_t last = 0;   // revision of the last record that is left in it
};

// Gives up what the segment `file` (a name in `directory`) holds at `offset`
// and behind it, and all later segments: moves them into a new folder
// "log-backup-<number>" beside `directory` and writes back the good records
// before `offset`. An offset within a record cuts at its beginning. When it
// fails or is interrupted the moved files are in the backup; moving them back
// undoes it. NOT_FOUND without such a file; OUT_OF_RANGE when a record before
// `offset` is not good, naming it.
absl::StatusOr<Truncated> TruncateLog(FileSystem* file_system,
                                      const std::string& directory,
                                      const std::string& file, int64_t offset);

}  // namespace varkeep::storage

#endif  // VARKEEP_STORAGE_LOG_LOG_INSPECT_H_
