// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_LOG_SEGMENT_WRITER_H_
#define VARKEEP_STORAGE_LOG_SEGMENT_WRITER_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/file_system.h"
#include "storage/log/log_format.h"
#include "storage/log/log_record.h"
#include "storage/log/segment_draft.h"

namespace varkeep::storage {

// How far a segment is written.
struct SegmentPosition {
  uint64_t last =
      0;  // revision of the last record; the base when there is none
  int64_t end = log_format::kFirstRecord;
  uint32_t chain = 0;
};

// A file that is to become a segment: it has its size and its room, but neither
// header nor name.
struct EmptySegment {
  std::string path;
  std::unique_ptr<File> file;
  int64_t room = 0;  // its size
};

// One segment being written. One thread at a time.
class SegmentWriter {
 public:
  // Makes the file `path` for one: with room for `bytes` in all, or, when that
  // is more than a quarter of what the disk has free, for less, but at least
  // for one record of `least` bytes. After an error nothing is left.
  static absl::StatusOr<EmptySegment> Prepare(FileSystem* file_system,
                                              const std::string& directory,
                                              const std::string& path,
                                              int64_t bytes, int64_t least);
  // Removes one that is not needed.
  static void Discard(FileSystem* file_system, EmptySegment empty);

  // Makes it a segment: header and name are on the disk afterwards. `uncertain`
  // is set when after an error the segment may be there all the same, or
  // writing failed otherwise than for want of room.
  static absl::StatusOr<std::unique_ptr<SegmentWriter>> Begin(
      FileSystem* file_system, const std::string& directory,
      const log_format::SegmentHeader& header, EmptySegment empty,
      bool* uncertain);

  // Both in one.
  static absl::StatusOr<std::unique_ptr<SegmentWriter>> Create(
      FileSystem* file_system, const std::string& directory,
      const log_format::SegmentHeader& header, int64_t bytes, int64_t least,
      bool* uncertain);

  // Makes the draft's file a segment that has its record, on the disk as well.
  // REQUIRES: the draft is complete. Errors as Begin.
  static absl::StatusOr<std::unique_ptr<SegmentWriter>> Adopt(
      FileSystem* file_system, const std::string& directory,
      const log_format::SegmentHeader& header, SegmentDraft* draft,
      bool* uncertain);

  const log_format::SegmentHeader& header() const { return header_; }
  const SegmentPosition& position() const { return position_; }
  // The same file opened once more, to be synced while this one is written.
  const std::shared_ptr<File>& sync_handle() const { return sync_handle_; }
  // True when a record of `bytes` has its place.
  bool Fits(int64_t bytes) const { return bytes <= room_ - position_.end; }
  bool half_full() const { return position_.end > room_ / 2; }

  // Appends the records in order. After an error part of them may have been
  // written; the position is as before.
  absl::Status Write(std::span<EncodedRecord* const> records, uint64_t synced);
  // Gives back the room that is not used, if it can; for a segment that nothing
  // more is written to.
  void TrimTo(const SegmentPosition& end);

 private:
  static absl::StatusOr<std::shared_ptr<File>> Enter(
      FileSystem* file_system, File* file, const std::string& temporary,
      const std::string& directory, const log_format::SegmentHeader& header,
      bool* uncertain);
  SegmentWriter(const log_format::SegmentHeader& header,
                std::unique_ptr<File> file, std::shared_ptr<File> sync_handle,
                int64_t room);

  const log_format::SegmentHeader header_;
  const std::unique_ptr<File> file_;
  const std::shared_ptr<File> sync_handle_;
  const int64_t room_;  // size of the file
  SegmentPosition position_;
  std::vector<std::byte> buffer_;
};

}  // namespace varkeep::storage

#endif  // VARKEEP_STORAGE_LOG_SEGMENT_WRITER_H_
