// SPDX-License-Identifier: Apache-2.0
#include "storage/log/log_record.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "absl/strings/str_cat.h"
#include "base/crc32c.h"
#include "base/status_macros.h"

namespace varkeep::storage {
namespace {

using log_format::kAlignment;
using log_format::RoundUp;

constexpr int64_t kHeader = sizeof(log_format::RecordHeaderBytes);
constexpr int64_t kEndMarkBytes = 8;
constexpr int64_t kTableEntry = 8;  // without the dimensions
constexpr int64_t kMaxRecordBytes = int64_t{1} << 60;

int64_t TableBytes(const LogEntry& entry) {
  int64_t bytes = 0;
  for (const TensorRef& tensor : entry.tensors) {
    bytes += kTableEntry + 8 * tensor->shape().rank();
  }
  return bytes;
}

absl::Status Validate(const LogEntry& entry) {
  if (entry.revisions == 0) {
    return absl::InvalidArgumentError("a log entry takes no revision");
  }
  if (static_cast<int64_t>(entry.body.size()) >= log_format::kMaxBodyBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("the body of a log entry has ", entry.body.size(),
                     " bytes; ", log_format::kMaxBodyBytes, " is too large"));
  }
  if (entry.tensors.size() > std::numeric_limits<uint32_t>::max() / 64) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a log entry has ", entry.tensors.size(), " tensors: too many"));
  }
  int64_t left = kMaxRecordBytes;
  for (const TensorRef& tensor : entry.tensors) {
    if (tensor->size_bytes() > left) {
      return absl::InvalidArgumentError(
          absl::StrCat("the tensors of a log entry have more than ",
                       kMaxRecordBytes, " bytes"));
    }
    left -= tensor->size_bytes();
  }
  return absl::OkStatus();
}

void PutTable(const LogEntry& entry, std::vector<std::byte>* out) {
  for (const TensorRef& tensor : entry.tensors) {
    std::byte start[kTableEntry] = {};
    start[0] = static_cast<std::byte>(tensor->dtype());
    start[1] = static_cast<std::byte>(tensor->shape().rank());
    out->insert(out->end(), std::begin(start), std::end(start));
    auto dims = std::as_bytes(tensor->shape().dims());
    out->insert(out->end(), dims.begin(), dims.end());
  }
}

}  // namespace

absl::StatusOr<EncodedRecord> EncodedRecord::Create(const LogEntry& entry) {
  ASSIGN_OR_RETURN(EncodedRecord record, CreateUnsealed(entry));
  record.Seal(record.PayloadCrc());
  return record;
}

absl::StatusOr<EncodedRecord> EncodedRecord::CreateUnsealed(
    const LogEntry& entry) {
  RETURN_IF_ERROR(Validate(entry));
  EncodedRecord record;
  record.revisions_ = entry.revisions;
  record.header_.body_bytes = static_cast<uint32_t>(entry.body.size());
  record.header_.tensors = static_cast<uint32_t>(entry.tensors.size());
  record.small_.reserve(static_cast<size_t>(
      kHeader + TableBytes(entry) + static_cast<int64_t>(entry.body.size()) +
      2 * kAlignment * (1 + static_cast<int64_t>(entry.tensors.size()))));
  record.small_.resize(kHeader);
  PutTable(entry, &record.small_);
  auto body = std::as_bytes(std::span(entry.body));
  record.small_.insert(record.small_.end(), body.begin(), body.end());
  record.AddTensors(entry);
  return record;
}

int64_t EncodedRecord::TensorOffset(const LogEntry& entry) {
  return RoundUp(
      kHeader + TableBytes(entry) + static_cast<int64_t>(entry.body.size()),
      kAlignment);
}

void EncodedRecord::AddTensors(const LogEntry& entry) {
  auto at = static_cast<int64_t>(small_.size());
  for (const TensorRef& tensor : entry.tensors) {
    const int64_t begin = RoundUp(at, kAlignment);
    small_.resize(small_.size() + static_cast<size_t>(begin - at));
    ends_.push_back(small_.size());
    tensors_.push_back(tensor->bytes());
    at = begin + tensor->size_bytes();
  }
  header_.bytes = RoundUp(at + kEndMarkBytes, kAlignment);
  small_.resize(small_.size() + static_cast<size_t>(header_.bytes - at));
  std::memcpy(small_.data() + small_.size() - kEndMarkBytes,
              &log_format::kEndMark, kEndMarkBytes);
  ends_.push_back(small_.size());
}

uint32_t EncodedRecord::PayloadCrc() const {
  uint32_t crc = 0;
  bool first = true;
  ForEachPiece([&](std::span<const std::byte> piece) {
    crc = Crc32c(first ? piece.subspan(kHeader) : piece, crc);
    first = false;
  });
  return crc;
}

log_format::RecordHeaderBytes EncodedRecord::Finish(uint64_t before,
                                                    uint64_t synced,
                                                    uint64_t salt) {
  header_.before = before;
  header_.revision = before + revisions_;
  header_.synced = synced;
  const log_format::RecordHeaderBytes bytes = Encode(header_, salt);
  std::copy(bytes.begin(), bytes.end(), small_.begin());
  return bytes;
}

void EncodedRecord::ForEachPiece(
    absl::FunctionRef<void(std::span<const std::byte>)> visit) const {
  size_t begin = 0;
  for (size_t i = 0; i < ends_.size(); ++i) {
    visit(std::span(small_).subspan(begin, ends_[i] - begin));
    begin = ends_[i];
    if (i < tensors_.size()) visit(tensors_[i]);
  }
}

int64_t LargestTable(const log_format::RecordHeader& header) {
  return std::min<int64_t>(
      header.bytes - kHeader,
      int64_t{header.tensors} * (kTableEntry + 8 * Shape::kMaxRank));
}

absl::StatusOr<RecordLayout> ParseRecordTable(
    const log_format::RecordHeader& header,
    std::span<const std::byte> payload) {
  const absl::Status damaged =
      absl::DataLossError("its table of tensors is damaged");
  if (header.tensors > payload.size() / kTableEntry) return damaged;
  RecordLayout layout;
  layout.tensors.resize(header.tensors);
  size_t at = 0;
  for (TensorPlace& place : layout.tensors) {
    if (payload.size() - at < kTableEntry) return damaged;
    place.dtype = static_cast<DType>(payload[at]);
    const auto rank = static_cast<size_t>(payload[at + 1]);
    at += kTableEntry;
    if (std::find(std::begin(kAllDTypes), std::end(kAllDTypes), place.dtype) ==
            std::end(kAllDTypes) ||
        rank > Shape::kMaxRank || payload.size() - at < 8 * rank) {
      return damaged;
    }
    int64_t dims[Shape::kMaxRank];
    std::memcpy(dims, payload.data() + at, 8 * rank);
    at += 8 * rank;
    absl::StatusOr<Shape> shape = Shape::Create(std::span(dims, rank));
    if (!shape.ok()) return damaged;
    place.shape = *shape;
    absl::StatusOr<int64_t> bytes = SizeBytes(place.dtype, place.shape);
    if (!bytes.ok() || *bytes > header.bytes) return damaged;
    place.bytes = *bytes;
  }
  layout.body_offset = kHeader + static_cast<int64_t>(at);
  int64_t end = layout.body_offset + int64_t{header.body_bytes};
  for (TensorPlace& place : layout.tensors) {
    place.offset = RoundUp(end, kAlignment);
    if (place.offset > header.bytes - place.bytes) return damaged;
    end = place.offset + place.bytes;
  }
  if (RoundUp(end + kEndMarkBytes, kAlignment) != header.bytes) return damaged;
  return layout;
}

}  // namespace varkeep::storage
