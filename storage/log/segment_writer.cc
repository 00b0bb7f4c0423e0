// SPDX-License-Identifier: Apache-2.0
//
// A new segment is written under a temporary name and takes its own when its
// header is on the disk; its name is on the disk before anything is written to
// it. So a segment whose header cannot be read, or that is missing between two
// others, was damaged: no power cut does that.
//
// The file has its final size from the beginning, all zeros: a sync then has
// bytes to store, not a new size.
#include "storage/log/segment_writer.h"

#include <algorithm>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace varkeep::storage {
namespace {

using log_format::kFirstRecord;
using log_format::RoundUp;

// The least that is asked for; more, where there is not enough for a whole
// segment, is a multiple.
constexpr int64_t kSmallRoom = int64_t{1} << 20;
// Pieces below it are copied together; others are written from where they are.
constexpr size_t kCopyBelow = size_t{64} << 10;
constexpr size_t kBufferBytes = size_t{1} << 20;

// Reserves `bytes`, or what is less but has room for `least`: of the free bytes
// a quarter, for checkpoints need room as well; gives how much.
absl::StatusOr<int64_t> ReserveRoom(File* file, int64_t free, int64_t bytes,
                                    int64_t least) {
  const int64_t small = RoundUp(kFirstRecord + least, kSmallRoom);
  bytes = std::min(bytes, std::max(small, RoundUp(free / 4, kSmallRoom)));
  absl::Status reserved = file->Reserve(bytes);
  // A quota may allow less than is free.
  if (absl::IsResourceExhausted(reserved) && small < bytes) {
    bytes = small;
    reserved = file->Reserve(bytes);
  }
  RETURN_IF_ERROR(reserved);
  RETURN_IF_ERROR(file->Truncate(bytes));
  return bytes;
}

}  // namespace

SegmentWriter::SegmentWriter(const log_format::SegmentHeader& header,
                             std::unique_ptr<File> file,
                             std::shared_ptr<File> sync_handle, int64_t room)
    : header_(header),
      file_(std::move(file)),
      sync_handle_(std::move(sync_handle)),
      room_(room) {
  position_.last = header.base;
}

// Writes the header and syncs; then the file gets its name. Gives the file
// opened once more.
absl::StatusOr<std::shared_ptr<File>> SegmentWriter::Enter(
    FileSystem* file_system, File* file, const std::string& temporary,
    const std::string& directory, const log_format::SegmentHeader& header,
    bool* uncertain) {
  const std::string path =
      absl::StrCat(directory, "/", log_format::SegmentFileName(header.base));
  std::shared_ptr<File> sync_handle;
  auto name = [&]() -> absl::Status {
    RETURN_IF_ERROR(file->WriteAt(0, log_format::Encode(header)));
    RETURN_IF_ERROR(file->Sync());
    // Before the segment has its name: an error must not leave one behind.
    ASSIGN_OR_RETURN(sync_handle, file_system->OpenForRead(temporary));
    return file_system->Rename(temporary, path);
  };
  absl::Status named = name();
  if (!named.ok()) {
    *uncertain = !absl::IsResourceExhausted(named);
    file_system->Remove(temporary).IgnoreError();
    return named;
  }
  absl::Status kept = file_system->SyncDirectory(directory);
  *uncertain = !kept.ok();
  RETURN_IF_ERROR(kept);
  return sync_handle;
}

absl::StatusOr<EmptySegment> SegmentWriter::Prepare(
    FileSystem* file_system, const std::string& directory,
    const std::string& path, int64_t bytes, int64_t least) {
  EmptySegment empty{path, nullptr, 0};
  auto prepare = [&]() -> absl::Status {
    RETURN_IF_ERROR(file_system->MakeDirectory(directory));
    ASSIGN_OR_RETURN(int64_t free, file_system->FreeBytes(directory));
    ASSIGN_OR_RETURN(empty.file, CreateTemporary(file_system, path));
    ASSIGN_OR_RETURN(empty.room,
                     ReserveRoom(empty.file.get(), free, bytes, least));
    return absl::OkStatus();
  };
  absl::Status prepared = prepare();
  if (prepared.ok()) return empty;
  Discard(file_system, std::move(empty));
  return prepared;
}

void SegmentWriter::Discard(FileSystem* file_system, EmptySegment empty) {
  empty.file.reset();
  file_system->Remove(empty.path).IgnoreError();
}

absl::StatusOr<std::unique_ptr<SegmentWriter>> SegmentWriter::Begin(
    FileSystem* file_system, const std::string& directory,
    const log_format::SegmentHeader& header, EmptySegment empty,
    bool* uncertain) {
  ASSIGN_OR_RETURN(std::shared_ptr<File> sync_handle,
                   Enter(file_system, empty.file.get(), empty.path, directory,
                         header, uncertain));
  return absl::WrapUnique(new SegmentWriter(
      header, std::move(empty.file), std::move(sync_handle), empty.room));
}

absl::StatusOr<std::unique_ptr<SegmentWriter>> SegmentWriter::Create(
    FileSystem* file_system, const std::string& directory,
    const log_format::SegmentHeader& header, int64_t bytes, int64_t least,
    bool* uncertain) {
  const std::string temporary = absl::StrCat(
      directory, "/",
      log_format::TemporaryName(log_format::SegmentFileName(header.base)));
  absl::StatusOr<EmptySegment> empty =
      Prepare(file_system, directory, temporary, bytes, least);
  if (!empty.ok()) {
    *uncertain = !absl::IsResourceExhausted(empty.status());
    return empty.status();
  }
  return Begin(file_system, directory, header, *std::move(empty), uncertain);
}

absl::StatusOr<std::unique_ptr<SegmentWriter>> SegmentWriter::Adopt(
    FileSystem* file_system, const std::string& directory,
    const log_format::SegmentHeader& header, SegmentDraft* draft,
    bool* uncertain) {
  SegmentPosition position;
  EncodedRecord* const record = draft->record();
  position.chain = log_format::ChainOf(
      record->Finish(header.base, header.synced, header.salt), 0);
  position.last = header.base + record->revisions();
  position.end = kFirstRecord + record->bytes();

  absl::Status begun = draft->WriteBegin();
  if (!begun.ok()) {
    *uncertain = !absl::IsResourceExhausted(begun);
    return begun;
  }
  std::unique_ptr<File> file = draft->TakeFile();
  ASSIGN_OR_RETURN(std::shared_ptr<File> sync_handle,
                   Enter(file_system, file.get(), draft->path(), directory,
                         header, uncertain));
  auto writer = absl::WrapUnique(new SegmentWriter(
      header, std::move(file), std::move(sync_handle), position.end));
  writer->position_ = position;
  return writer;
}

absl::Status SegmentWriter::Write(std::span<EncodedRecord* const> records,
                                  uint64_t synced) {
  SegmentPosition next = position_;
  int64_t written = position_.end;
  buffer_.clear();
  absl::Status status;
  auto flush = [&](std::span<const std::byte> bytes) {
    if (!status.ok() || bytes.empty()) return;
    status = file_->WriteAt(written, bytes);
    written += static_cast<int64_t>(bytes.size());
  };
  auto add = [&](std::span<const std::byte> piece) {
    const bool copy = piece.size() < kCopyBelow;
    if (!copy || buffer_.size() + piece.size() > kBufferBytes) {
      flush(buffer_);
      buffer_.clear();
    }
    if (copy) {
      buffer_.insert(buffer_.end(), piece.begin(), piece.end());
    } else {
      flush(piece);
    }
  };
  for (EncodedRecord* record : records) {
    next.chain = log_format::ChainOf(
        record->Finish(next.last, synced, header_.salt), next.chain);
    next.last += record->revisions();
    next.end += record->bytes();
    record->ForEachPiece(add);
  }
  flush(buffer_);
  RETURN_IF_ERROR(status);
  position_ = next;
  return absl::OkStatus();
}

void SegmentWriter::TrimTo(const SegmentPosition& end) {
  file_->Truncate(end.end).IgnoreError();
}

}  // namespace varkeep::storage
