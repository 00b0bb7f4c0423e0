// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_LOG_SEGMENT_END_H_
#define VARKEEP_STORAGE_LOG_SEGMENT_END_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "storage/file_system.h"
#include "storage/log/segment_chain.h"
#include "storage/log/segment_reader.h"

namespace varkeep::storage {

// Why the good records of a segment end where they do.
struct SegmentEnd {
  enum class Kind {
    kComplete,  // there are no more
    kTorn,      // the power was cut before the next was on the disk
    kDamaged,   // the next was on the disk and is damaged
  };
  Kind kind = Kind::kComplete;
  int64_t lost_bytes = 0;  // torn: of all that is not zero behind, in all files
  std::string reason;
};

// Where records of a segment of a chain may end at the latest.
int64_t LimitOf(const std::vector<SegmentFile>& chain, size_t i,
                const SegmentReader& reader);

// Decides about segment `i` of `chain`, whose `reader` came to `step`, which is
// kEnd or kFlaw. What happened to revisions up to `after` does not matter.
absl::StatusOr<SegmentEnd> ExamineEnd(FileSystem* file_system,
                                      const std::vector<SegmentFile>& chain,
                                      size_t i, SegmentReader::Step step,
                                      uint64_t after, SegmentReader* reader);

}  // namespace varkeep::storage

#endif  // VARKEEP_STORAGE_LOG_SEGMENT_END_H_
