// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_LOG_LOG_FORMAT_H_
#define VARKEEP_STORAGE_LOG_LOG_FORMAT_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// The bytes of a segment file as structs: docs/log_format.md.
namespace varkeep::storage::log_format {

inline constexpr uint32_t kFormatVersion = 1;
// Records begin here; the header is in the first 128 bytes.
inline constexpr int64_t kFirstRecord = 4096;
// Records, their headers and their tensors begin at multiples of this, so that
// no header straddles two sectors of a disk.
inline constexpr int64_t kAlignment = 64;
inline constexpr int64_t kSectorBytes = 512;
// The last 8 bytes of every record. No byte of it is 0 or one bit away from 0,
// so that a record whose end was never written is known by the zeros there.
inline constexpr uint64_t kEndMark = 0xd1ceb0a5d1ceb0a5;
inline constexpr int64_t kMaxBodyBytes = int64_t{1} << 30;

constexpr int64_t RoundUp(int64_t value, int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

// Where the segment before really ended. What its file holds behind `end` is
// void.
struct Predecessor {
  uint64_t salt = 0;   // 0: there is none
  uint64_t base = 0;   // as in its header; names its file
  uint64_t last = 0;   // revision of its last record
  int64_t end = 0;     // offset behind it
  uint32_t chain = 0;  // as ChainOf after it
};

struct SegmentHeader {
  uint64_t salt = 0;    // random, not 0; in every record of the segment
  uint64_t number = 0;  // of all segments ever begun the later has the higher
  uint64_t from = 0;    // the last revision that existed before
  uint64_t base = 0;    // its first record leads on from here; >= from
  uint64_t synced = 0;  // known to be on the disk when it began
  Predecessor predecessor;
};

using SegmentHeaderBytes = std::array<std::byte, 128>;
SegmentHeaderBytes Encode(const SegmentHeader& header);
// DATA_LOSS when it is damaged, FAILED_PRECONDITION when a newer program wrote
// it.
absl::StatusOr<SegmentHeader> DecodeSegmentHeader(
    const SegmentHeaderBytes& bytes);

struct RecordHeader {
  uint32_t payload_crc = 0;  // of all that follows the header
  int64_t bytes = 0;         // of the record, header and end mark included
  uint64_t before = 0;
  uint64_t revision = 0;
  uint64_t synced = 0;  // known to be on the disk when it was written
  uint32_t body_bytes = 0;
  uint32_t tensors = 0;
};

using RecordHeaderBytes = std::array<std::byte, 64>;
RecordHeaderBytes Encode(const RecordHeader& header, uint64_t salt);
// Nothing when these bytes are not the header of a record of the segment.
std::optional<RecordHeader> DecodeRecordHeader(
    std::span<const std::byte, 64> bytes, uint64_t salt);

// The checksum over the headers of all records of a segment so far.
uint32_t ChainOf(std::span<const std::byte, 64> header, uint32_t before);

// "log-00000000000000000042" for base 41: the first revision it may hold.
std::string SegmentFileName(uint64_t base);
// The inverse; nothing for other names.
std::optional<uint64_t> ParseSegmentFileName(absl::string_view name);
// A segment that is written before it is known where it begins.
std::string DraftName(uint64_t number);
// What a segment is called until it is complete; of drafts and others.
std::string TemporaryName(absl::string_view name);
bool IsTemporaryName(absl::string_view name);

}  // namespace varkeep::storage::log_format

#endif  // VARKEEP_STORAGE_LOG_LOG_FORMAT_H_
