// SPDX-License-Identifier: Apache-2.0
//
// The file is that of an ordinary segment with the record at its usual place.
// Spaces behind the body move the tensor to the beginning of a page, so that
// its bytes go from memory to the disk without a copy.
#include "storage/log/segment_draft.h"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "absl/memory/memory.h"
#include "absl/strings/string_view.h"
#include "base/crc32c.h"
#include "base/status_macros.h"
#include "storage/log/log_format.h"

namespace varkeep::storage {
namespace {

using log_format::kFirstRecord;
using log_format::RoundUp;

constexpr int64_t kPage = 4096;
constexpr int64_t kPiece = int64_t{4} << 20;
constexpr size_t kHeader = sizeof(log_format::RecordHeaderBytes);

std::string PaddedBody(const LogEntry& entry) {
  const int64_t at = kFirstRecord + EncodedRecord::TensorOffset(entry);
  return entry.body +
         std::string(static_cast<size_t>(RoundUp(at, kPage) - at), ' ');
}

bool IsPadded(absl::string_view body, absl::string_view padded) {
  return padded.substr(0, body.size()) == body &&
         padded.find_first_not_of(' ', body.size()) == padded.npos;
}

// Of a record with one tensor: what comes before it, itself, what comes after.
std::vector<std::span<const std::byte>> PiecesOf(const EncodedRecord& record) {
  std::vector<std::span<const std::byte>> pieces;
  record.ForEachPiece(
      [&](std::span<const std::byte> piece) { pieces.push_back(piece); });
  return pieces;
}

}  // namespace

absl::StatusOr<std::unique_ptr<File>> CreateTemporary(FileSystem* file_system,
                                                      const std::string& path) {
  absl::StatusOr<std::unique_ptr<File>> file = file_system->Create(path);
  if (!absl::IsAlreadyExists(file.status())) return file;
  RETURN_IF_ERROR(file_system->Remove(path));
  return file_system->Create(path);
}

SegmentDraft::SegmentDraft(FileSystem* file_system, const std::string& path,
                           LogEntry entry, EncodedRecord record)
    : file_system_(file_system),
      path_(path),
      entry_(std::move(entry)),
      record_(std::move(record)),
      thread_([this] { Run(); }) {}

absl::StatusOr<std::unique_ptr<SegmentDraft>> SegmentDraft::Create(
    FileSystem* file_system, const std::string& path, LogEntry entry) {
  entry.body = PaddedBody(entry);
  ASSIGN_OR_RETURN(EncodedRecord record, EncodedRecord::CreateUnsealed(entry));
  return absl::WrapUnique(
      new SegmentDraft(file_system, path, std::move(entry), std::move(record)));
}

SegmentDraft::~SegmentDraft() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  thread_.join();
  if (file_ == nullptr) return;
  file_.reset();
  file_system_->Remove(path_).IgnoreError();
}

void SegmentDraft::Extend(int64_t bytes) {
  MutexLock lock(&mutex_);
  available_ = std::max(available_, bytes);
  changed_.NotifyAll();
}

bool SegmentDraft::Complete(const LogEntry& entry) {
  if (entry.tensors != entry_.tensors || entry.revisions != entry_.revisions ||
      !IsPadded(entry.body, entry_.body)) {
    return false;
  }
  MutexLock lock(&mutex_);
  if (available_ < entry_.tensors[0]->size_bytes()) return false;
  while (!done_) changed_.Wait(&mutex_);
  return outcome_.ok();
}

absl::Status SegmentDraft::WriteBegin() {
  return file_->WriteAt(kFirstRecord, PiecesOf(record_)[0]);
}

void SegmentDraft::Run() {
  absl::Status status = WriteAll();
  MutexLock lock(&mutex_);
  outcome_ = std::move(status);
  done_ = true;
  changed_.NotifyAll();
}

absl::Status SegmentDraft::WriteAll() {
  ASSIGN_OR_RETURN(file_, CreateTemporary(file_system_, path_));
  const int64_t bytes = kFirstRecord + record_.bytes();
  RETURN_IF_ERROR(file_->Reserve(bytes));
  RETURN_IF_ERROR(file_->Truncate(bytes));

  const auto pieces = PiecesOf(record_);
  uint32_t crc = Crc32c(pieces[0].subspan(kHeader));
  auto at = kFirstRecord + static_cast<int64_t>(pieces[0].size());
  std::span<const std::byte> rest = pieces[1];
  int64_t ready = 0;  // of the rest
  while (!rest.empty()) {
    const auto want = std::min(static_cast<int64_t>(rest.size()), kPiece);
    if (ready < want) {
      const auto done = static_cast<int64_t>(pieces[1].size() - rest.size());
      ASSIGN_OR_RETURN(ready, WaitFor(done + want));
      ready -= done;
    }
    const auto piece = rest.first(static_cast<size_t>(want));
    RETURN_IF_ERROR(file_->WriteAt(at, piece));
    crc = Crc32c(piece, crc);
    at += want;
    ready -= want;
    rest = rest.subspan(piece.size());
  }
  RETURN_IF_ERROR(file_->WriteAt(at, pieces[2]));
  record_.Seal(Crc32c(pieces[2], crc));
  return absl::OkStatus();
}

// Until so many bytes of the tensor are there; gives how many.
absl::StatusOr<int64_t> SegmentDraft::WaitFor(int64_t bytes) {
  MutexLock lock(&mutex_);
  while (available_ < bytes && !stopping_) changed_.Wait(&mutex_);
  if (stopping_) return absl::CancelledError("the entry was given up");
  return available_;
}

}  // namespace varkeep::storage
