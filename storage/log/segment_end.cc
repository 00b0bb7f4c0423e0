// SPDX-License-Identifier: Apache-2.0
//
// Torn or damaged?
//
// Where a record is not good there are two cases. Either the power was cut
// before it was on the disk: the log ends there, and that is no loss, because
// nobody was told that it was safe. Or it was on the disk and is damaged: then
// nothing is done without a person. It is the first only when
//   - the place has the marks of sectors that were never written: zeros where a
//     record has none, or the end of the file; and
//   - nothing valid behind it says that this revision was on the disk already.
//     Every record and every segment header carries the last revision known to
//     be on the disk when it was written.
#include "storage/log/segment_end.h"

#include <algorithm>
#include <memory>

#include "base/status_macros.h"

namespace varkeep::storage {
namespace {

using Kind = SegmentEnd::Kind;
using log_format::kFirstRecord;

absl::StatusOr<SegmentEnd> TornOrDamaged(FileSystem* file_system,
                                         const std::vector<SegmentFile>& chain,
                                         size_t i, uint64_t after,
                                         SegmentReader* reader) {
  const SegmentPosition& at = reader->position();
  SegmentEnd end{Kind::kDamaged, 0, reader->flaw().reason};
  if (!reader->flaw().torn) return end;
  ASSIGN_OR_RETURN(SegmentReader::Rest rest, reader->Scan(at.end));
  uint64_t synced = rest.synced;
  end.lost_bytes = rest.end - at.end;
  for (size_t later = i + 1; later < chain.size(); ++later) {
    ASSIGN_OR_RETURN(std::unique_ptr<SegmentReader> other,
                     SegmentReader::Open(file_system, chain[later].path));
    ASSIGN_OR_RETURN(rest, other->Scan(kFirstRecord));
    synced = std::max({synced, rest.synced, other->header().synced});
    end.lost_bytes += rest.end - kFirstRecord;
  }
  if (synced <= std::max(at.last, after)) end.kind = Kind::kTorn;
  return end;
}

}  // namespace

int64_t LimitOf(const std::vector<SegmentFile>& chain, size_t i,
                const SegmentReader& reader) {
  return i + 1 == chain.size() ? reader.file_bytes()
                               : chain[i + 1].header.predecessor.end;
}

absl::StatusOr<SegmentEnd> ExamineEnd(FileSystem* file_system,
                                      const std::vector<SegmentFile>& chain,
                                      size_t i, SegmentReader::Step step,
                                      uint64_t after, SegmentReader* reader) {
  const SegmentPosition& at = reader->position();
  if (step == SegmentReader::Step::kEnd) {
    if (i + 1 == chain.size()) {
      ASSIGN_OR_RETURN(SegmentReader::Rest rest, reader->Scan(at.end));
      if (rest.end == at.end) return SegmentEnd();
    } else if (const auto& told = chain[i + 1].header.predecessor;
               at.end == told.end) {
      if (at.last == told.last && at.chain == told.chain) return SegmentEnd();
      return SegmentEnd{Kind::kDamaged, 0,
                        "its records are not those that the next file follows"};
    }
    reader->MissRecord();
  }
  return TornOrDamaged(file_system, chain, i, after, reader);
}

}  // namespace varkeep::storage
