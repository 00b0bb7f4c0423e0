// SPDX-License-Identifier: Apache-2.0
#include "storage/log/segment_reader.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/crc32c.h"
#include "base/status_annotate.h"
#include "base/status_macros.h"

namespace varkeep::storage {
namespace {

using log_format::kFirstRecord;
using log_format::kSectorBytes;
using log_format::RecordHeaderBytes;

constexpr int64_t kHeader = sizeof(RecordHeaderBytes);
constexpr int64_t kWindowBytes = int64_t{256} << 10;
// Read and added to the checksum while it is in the processor's cache.
constexpr size_t kPieceBytes = size_t{256} << 10;

bool AllZero(std::span<const std::byte> bytes) {
  return std::all_of(bytes.begin(), bytes.end(),
                     [](std::byte b) { return b == std::byte{0}; });
}

// Bytes up to and including the last that is not zero.
size_t UsedBytes(std::span<const std::byte> bytes) {
  while (!bytes.empty() && bytes.back() == std::byte{0}) {
    bytes = bytes.first(bytes.size() - 1);
  }
  return bytes.size();
}

}  // namespace

absl::Status WindowedFile::Read(int64_t offset, std::span<std::byte> out) {
  if (out.empty()) return absl::OkStatus();
  const auto size = static_cast<int64_t>(out.size());
  const auto have = static_cast<int64_t>(window_.size());
  if (offset >= window_begin_ && offset < window_begin_ + have) {
    const int64_t skip = offset - window_begin_;
    const auto part = static_cast<size_t>(std::min(size, have - skip));
    std::memcpy(out.data(), window_.data() + skip, part);
    if (part == out.size()) return absl::OkStatus();
    return Read(offset + static_cast<int64_t>(part), out.subspan(part));
  }
  if (size >= kWindowBytes / 2) return file_->ReadAt(offset, out);
  window_.resize(static_cast<size_t>(std::min(kWindowBytes, size_ - offset)));
  window_begin_ = offset;
  absl::Status status = file_->ReadAt(offset, window_);
  if (!status.ok()) {
    window_.clear();
    return status;
  }
  std::memcpy(out.data(), window_.data(), out.size());
  return absl::OkStatus();
}

SegmentReader::SegmentReader(std::string path, std::unique_ptr<File> file,
                             int64_t size)
    : path_(std::move(path)), file_(std::move(file), size) {}

absl::StatusOr<std::unique_ptr<SegmentReader>> SegmentReader::Open(
    FileSystem* file_system, const std::string& path) {
  ASSIGN_OR_RETURN(std::unique_ptr<File> file, file_system->OpenForRead(path));
  ASSIGN_OR_RETURN(int64_t size, file->Size());
  log_format::SegmentHeaderBytes bytes{};
  const auto have =
      static_cast<size_t>(std::min(size, static_cast<int64_t>(bytes.size())));
  RETURN_IF_ERROR(file->ReadAt(0, std::span(bytes).first(have)));
  absl::StatusOr<log_format::SegmentHeader> header =
      log_format::DecodeSegmentHeader(bytes);
  if (!header.ok()) {
    return Annotate(header.status(), absl::StrCat("log file '", path, "'"));
  }
  std::unique_ptr<SegmentReader> reader(
      new SegmentReader(path, std::move(file), size));
  reader->header_ = *header;
  reader->position_.last = header->base;
  return reader;
}

absl::StatusOr<SegmentReader::Step> SegmentReader::Next(int64_t limit,
                                                        uint64_t after,
                                                        LogRecord* record) {
  limit = std::min(limit, file_.size());
  RecordHeaderBytes bytes{};
  const int64_t have = std::clamp<int64_t>(limit - position_.end, 0, kHeader);
  if (have > 0) {
    RETURN_IF_ERROR(file_.Read(
        position_.end, std::span(bytes).first(static_cast<size_t>(have))));
  }
  record_ = log_format::RecordHeader();
  record_.bytes = kHeader;
  if (AllZero(bytes)) return Step::kEnd;
  const auto header = log_format::DecodeRecordHeader(bytes, header_.salt);
  if (!header.has_value()) return HeaderFlaw(bytes, limit);
  record_ = *header;
  if (record_.before != position_.last) {
    return SetFlaw(
        absl::StrCat("the record leads on from revision ", record_.before,
                     ", the one before it led to ", position_.last),
        false);
  }
  if (record_.bytes > limit - position_.end) {
    return SetFlaw(
        absl::StrCat("the record has ", record_.bytes, " bytes, the file only ",
                     limit - position_.end, " more"),
        limit == file_.size());
  }
  const bool skipped = record_.revision <= after;
  if (!skipped) {
    ASSIGN_OR_RETURN(bool good, ReadPayload(record));
    if (!good) return PayloadFlaw("the record does not match its checksum");
  }
  position_.last = record_.revision;
  position_.end += record_.bytes;
  position_.chain = log_format::ChainOf(bytes, position_.chain);
  return skipped ? Step::kSkipped : Step::kRecord;
}

SegmentReader::Step SegmentReader::SetFlaw(absl::string_view reason,
                                           bool torn) {
  flaw_ = {std::string(reason), record_.bytes, torn};
  return Step::kFlaw;
}

// A header lies within one sector, which a disk writes as a whole: it can only
// be incomplete when the write ended in it.
absl::StatusOr<SegmentReader::Step> SegmentReader::HeaderFlaw(
    std::span<const std::byte, 64> bytes, int64_t limit) {
  bool torn = limit - position_.end < kHeader && limit == file_.size();
  if (!torn && UsedBytes(bytes) < bytes.size()) {
    ASSIGN_OR_RETURN(Rest rest, Scan(position_.end));
    torn = rest.end < position_.end + kHeader;
  }
  return SetFlaw(torn ? "the header of the record is not complete"
                      : "the header of the record is damaged",
                 torn);
}

absl::StatusOr<SegmentReader::Step> SegmentReader::PayloadFlaw(
    absl::string_view reason) {
  const int64_t end = position_.end + record_.bytes;
  ASSIGN_OR_RETURN(bool zero, HasZeroSector(position_.end, end));
  if (zero) {
    return SetFlaw("part of the record never reached the disk", true);
  }
  // A write that ended within the record ended before its end mark.
  std::byte last{0};
  RETURN_IF_ERROR(file_.Read(end - 1, std::span(&last, 1)));
  if (last == std::byte{0})
    return SetFlaw("the end of the record is missing", true);
  return SetFlaw(reason, false);
}

// True when some sector's share of the range is all zero.
absl::StatusOr<bool> SegmentReader::HasZeroSector(int64_t begin, int64_t end) {
  std::array<std::byte, kSectorBytes> sector;
  while (begin < end) {
    const int64_t next =
        std::min(end, log_format::RoundUp(begin + 1, kSectorBytes));
    auto share = std::span(sector).first(static_cast<size_t>(next - begin));
    RETURN_IF_ERROR(file_.Read(begin, share));
    if (AllZero(share)) return true;
    begin = next;
  }
  return false;
}

// False when it is damaged.
absl::StatusOr<bool> SegmentReader::ReadPayload(LogRecord* record) {
  std::vector<std::byte> head(static_cast<size_t>(LargestTable(record_)));
  RETURN_IF_ERROR(file_.Read(position_.end + kHeader, head));
  absl::StatusOr<RecordLayout> layout = ParseRecordTable(record_, head);
  if (!layout.ok()) return false;
  uint32_t crc = 0;
  int64_t at = kHeader;  // from the beginning of the record
  auto read_to = [&](int64_t offset) -> absl::Status {
    head.resize(static_cast<size_t>(offset - at));
    RETURN_IF_ERROR(ReadPieces(position_.end + at, head, &crc));
    at = offset;
    return absl::OkStatus();
  };
  record->before = record_.before;
  record->revision = record_.revision;
  record->entry.revisions = record_.revision - record_.before;
  RETURN_IF_ERROR(read_to(layout->body_offset));
  record->entry.body.resize(record_.body_bytes);
  RETURN_IF_ERROR(
      ReadPieces(position_.end + at,
                 std::as_writable_bytes(std::span(record->entry.body)), &crc));
  at += int64_t{record_.body_bytes};
  record->entry.tensors.clear();
  record->entry.tensors.reserve(layout->tensors.size());
  for (const TensorPlace& place : layout->tensors) {
    RETURN_IF_ERROR(read_to(place.offset));
    ASSIGN_OR_RETURN(std::shared_ptr<Tensor> tensor,
                     Tensor::Create(place.dtype, place.shape));
    RETURN_IF_ERROR(
        ReadPieces(position_.end + at, tensor->mutable_bytes(), &crc));
    at += place.bytes;
    record->entry.tensors.push_back(std::move(tensor));
  }
  RETURN_IF_ERROR(read_to(record_.bytes));
  return crc == record_.payload_crc;
}

absl::Status SegmentReader::ReadPieces(int64_t offset, std::span<std::byte> out,
                                       uint32_t* crc) {
  while (!out.empty()) {
    auto piece = out.first(std::min(out.size(), kPieceBytes));
    RETURN_IF_ERROR(file_.Read(offset, piece));
    *crc = Crc32c(piece, *crc);
    offset += static_cast<int64_t>(piece.size());
    out = out.subspan(piece.size());
  }
  return absl::OkStatus();
}

absl::StatusOr<SegmentReader::Rest> SegmentReader::Scan(int64_t offset) {
  Rest rest;
  rest.end = offset;
  std::vector<std::byte> block(kPieceBytes);
  while (offset < file_.size()) {
    auto bytes = std::span(block).first(static_cast<size_t>(
        std::min<int64_t>(kPieceBytes, file_.size() - offset)));
    RETURN_IF_ERROR(file_.Read(offset, bytes));
    if (size_t used = UsedBytes(bytes); used > 0) {
      rest.end = offset + static_cast<int64_t>(used);
      for (size_t at = 0; at + kHeader <= bytes.size(); at += kHeader) {
        std::span<const std::byte, kHeader> candidate(bytes.data() + at,
                                                      kHeader);
        auto header = log_format::DecodeRecordHeader(candidate, header_.salt);
        if (!header.has_value()) continue;
        ++rest.records;
        rest.synced = std::max(rest.synced, header->synced);
      }
    }
    offset += static_cast<int64_t>(bytes.size());
  }
  return rest;
}

}  // namespace varkeep::storage
