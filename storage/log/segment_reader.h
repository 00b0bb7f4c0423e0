// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_LOG_SEGMENT_READER_H_
#define VARKEEP_STORAGE_LOG_SEGMENT_READER_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/file_system.h"
#include "storage/log/log.h"
#include "storage/log/log_format.h"
#include "storage/log/log_record.h"
#include "storage/log/segment_writer.h"

namespace varkeep::storage {

// A file read through a window, so that small reads do not each ask the system.
// One thread.
class WindowedFile {
 public:
  WindowedFile(std::unique_ptr<File> file, int64_t size)
      : file_(std::move(file)), size_(size) {}

  int64_t size() const { return size_; }
  // REQUIRES: the range lies within the file.
  absl::Status Read(int64_t offset, std::span<std::byte> out);
  absl::Status Sync() { return file_->Sync(); }

 private:
  const std::unique_ptr<File> file_;
  const int64_t size_;
  std::vector<std::byte> window_;
  int64_t window_begin_ = 0;
};

// Reads the records of one segment, in order, up to the first that is not good.
// Believes no length before it was checked. One thread.
class SegmentReader {
 public:
  // Reads the header. Besides errors of the file system DATA_LOSS and
  // FAILED_PRECONDITION as DecodeSegmentHeader.
  static absl::StatusOr<std::unique_ptr<SegmentReader>> Open(
      FileSystem* file_system, const std::string& path);

  const std::string& path() const { return path_; }
  const log_format::SegmentHeader& header() const { return header_; }
  // Behind the last good record.
  const SegmentPosition& position() const { return position_; }
  int64_t file_bytes() const { return file_.size(); }
  absl::Status Sync() { return file_.Sync(); }

  enum class Step {
    kRecord,   // `record` was read
    kSkipped,  // a record up to revision `after`; only its header was checked
    kEnd,      // zeros instead of a header, or the end of the file
    kFlaw,     // something that is not a good record: flaw()
  };
  // Records end at `limit` at the latest. Errors of the file system and of the
  // memory are passed on.
  absl::StatusOr<Step> Next(int64_t limit, uint64_t after, LogRecord* record);

  struct Flaw {
    std::string reason;
    int64_t bytes = 0;  // of the record; of its header when that is damaged
    // It has the marks of sectors that never reached the disk.
    bool torn = false;
  };
  const Flaw& flaw() const { return flaw_; }
  // After kEnd, when it is known that a record was to follow.
  void MissRecord() {
    SetFlaw("there are zeros where a record was to follow", true);
  }
  // Header and layout of the last record that was read.
  const log_format::RecordHeader& record_header() const { return record_; }

  // What lies behind `offset`, where no record is good.
  struct Rest {
    int64_t end = 0;      // behind the last byte that is not zero
    int64_t records = 0;  // headers of this segment's records
    uint64_t synced = 0;  // the highest revision they say was on the disk
  };
  absl::StatusOr<Rest> Scan(int64_t offset);

 private:
  SegmentReader(std::string path, std::unique_ptr<File> file, int64_t size);

  absl::StatusOr<Step> HeaderFlaw(std::span<const std::byte, 64> bytes,
                                  int64_t limit);
  absl::StatusOr<Step> PayloadFlaw(absl::string_view reason);
  Step SetFlaw(absl::string_view reason, bool torn);
  absl::StatusOr<bool> ReadPayload(LogRecord* record);
  absl::Status ReadPieces(int64_t offset, std::span<std::byte> out,
                          uint32_t* crc);
  absl::StatusOr<bool> HasZeroSector(int64_t begin, int64_t end);

  const std::string path_;
  WindowedFile file_;
  log_format::SegmentHeader header_;
  SegmentPosition position_;
  log_format::RecordHeader record_;
  Flaw flaw_;
};

}  // namespace varkeep::storage

#endif  // VARKEEP_STORAGE_LOG_SEGMENT_READER_H_
