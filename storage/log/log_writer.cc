// SPDX-License-Identifier: Apache-2.0
//
// Group commit. Appenders stand in a queue. Whoever is at its front writes for
// itself and for those behind it, as many as fit, syncs once, publishes all of
// them in order, and wakes them. Locks are not held meanwhile: being at the
// front is what gives the right to write. Encoding and checksums are done by
// each appender before it queues.
//
// An entry that has a draft stands in the queue as others do, but takes the
// turn alone, and only to make the draft's file the next segment.
//
// What is committed is what was published. Bytes that a failed write left
// behind are never written over: the segment is left, and the next one's header
// says that it ended before them.
#include "storage/log/log_writer.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace varkeep::storage {
namespace {

constexpr int64_t kBatchBytes = int64_t{8} << 20;

absl::Status Unavailable(const absl::Status& error) {
  return absl::UnavailableError(
      absl::StrCat("the log is broken: ", error.message()));
}

}  // namespace

struct LogWriter::Request {
  // Null: it wants the turn for itself.
  EncodedRecord* record = nullptr;
  SegmentDraft* draft = nullptr;  // whose record it is, if there is one
  bool sync = false;
  const absl::FunctionRef<void(uint64_t)>* publish = nullptr;
  // Set by the leader, before it is kDone.
  absl::Status status;
  bool synced = false;

  enum Phase : uint32_t { kQueued, kLeads, kDone };
  std::atomic<uint32_t> phase = kQueued;

  // The request may be gone as soon as its phase has changed; its address is
  // all that is needed then. Not a condition variable: those who are woken
  // would only wait again, for its mutex.
  void Wake(Phase now) {
    phase.store(now);
    phase.notify_one();
  }
};

LogWriter::LogWriter(FileSystem* file_system, const LogOptions& options,
                     Recovery recovery)
    : file_system_(file_system),
      options_(options),
      next_(recovery.next),
      next_number_(recovery.next.number),
      void_files_(std::move(recovery.void_files)),
      preparer_(file_system, options.directory, options.prepare_in_background),
      published_(recovery.next.base),
      segments_(std::move(recovery.segments)) {
  syncer_.Reset(next_.base, nullptr);
}

LogWriter::~LogWriter() {
  std::thread background;
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    background_wakes_.NotifyAll();
    background.swap(background_);
  }
  if (background.joinable()) background.join();
}

absl::StatusOr<bool> LogWriter::Start() {
  bool uncertain = false;
  absl::Status begun = BeginSegment(0, next_.base, &uncertain);
  if (!begun.ok() && (uncertain || !absl::IsResourceExhausted(begun))) {
    return begun;
  }
  if (begun.ok()) {
    const std::string current =
        absl::StrCat(options_.directory, "/",
                     log_format::SegmentFileName(segment_->header().base));
    for (const std::string& path : void_files_) {
      // What cannot be removed now is found again by the next recovery.
      if (path != current) file_system_->Remove(path).IgnoreError();
    }
  }
  void_files_.clear();
  return begun.ok();
}

absl::StatusOr<Durability> LogWriter::Append(
    const LogEntry& entry, Durability wanted,
    absl::FunctionRef<void(uint64_t)> publish) {
  Request request;
  absl::StatusOr<EncodedRecord> encoded;
  auto* const draft = static_cast<SegmentDraft*>(entry.draft);
  if (draft != nullptr && draft->Complete(entry)) {
    request.draft = draft;
    request.record = draft->record();
  } else {
    encoded = EncodedRecord::Create(entry);
    RETURN_IF_ERROR(encoded.status());
    request.record = &*encoded;
  }
  request.sync = wanted == Durability::kFsync;
  request.publish = &publish;
  WaitForTurn(&request);
  if (request.phase == Request::kLeads) {
    const Batch batch = TakeBatch(&request);
    last_group_ = batch.size();
    absl::Status status = WriteBatch(batch, request.sync);
    if (status.ok()) {
      Commit(batch);
      PrepareNext();
    }
    for (Request* member : batch) {
      member->status = status;
      member->synced = request.sync;
    }
    EndTurn(batch);
  }
  RETURN_IF_ERROR(request.status);
  if (request.synced) return Durability::kFsync;
  if (wanted != Durability::kInterval) return wanted;
  MutexLock lock(&mutex_);
  if (!background_.joinable()) {
    background_ = std::thread([this] { SyncInBackground(); });
  }
  if (!sync_at_) {
    sync_at_ = options_.clock->Now() + options_.sync_interval;
    background_wakes_.NotifyAll();
  }
  return wanted;
}

void LogWriter::WaitForTurn(Request* request) {
  {
    MutexLock lock(&mutex_);
    queue_.push_back(request);
    if (queue_.front() == request) request->phase = Request::kLeads;
  }
  request->phase.wait(Request::kQueued);
}

void LogWriter::EndTurn(const Batch& batch) {
  Request* next = nullptr;
  {
    MutexLock lock(&mutex_);
    queue_.erase(queue_.begin(),
                 queue_.begin() + static_cast<int64_t>(batch.size()));
    if (!queue_.empty()) next = queue_.front();
  }
  // First, so that its write is under way while the others wake up.
  if (next != nullptr) next->Wake(Request::kLeads);
  for (size_t i = 1; i < batch.size(); ++i) batch[i]->Wake(Request::kDone);
}

std::unique_ptr<LogDraft> LogWriter::Draft(LogEntry entry) {
  if (entry.tensors.size() != 1 ||
      entry.tensors[0]->size_bytes() < options_.draft_bytes) {
    return nullptr;
  }
  auto draft =
      SegmentDraft::Create(file_system_, NewDraftPath(), std::move(entry));
  return draft.ok() ? *std::move(draft) : nullptr;
}

std::string LogWriter::NewDraftPath() {
  return absl::StrCat(options_.directory, "/",
                      log_format::DraftName(++drafts_));
}

// Those whom the last group held up are about to append again. To let them in
// costs less than the sync that they would otherwise wait for.
void LogWriter::AwaitFollowers() {
  size_t waiting = 0;
  for (int idle = 0; last_group_ > 1 && idle < 2; ++idle) {
    std::this_thread::yield();
    MutexLock lock(&mutex_);
    if (queue_.size() > waiting) idle = -1;
    waiting = queue_.size();
    if (waiting >= last_group_) return;
  }
}

// The leader, and those behind it that share its segment and its wish.
LogWriter::Batch LogWriter::TakeBatch(Request* leader) {
  Batch batch = {leader};
  int64_t bytes = leader->record->bytes();
  if (leader->draft != nullptr || segment_ == nullptr || !segment_->Fits(bytes))
    return batch;
  if (leader->sync) AwaitFollowers();
  MutexLock lock(&mutex_);
  for (size_t i = 1; i < queue_.size(); ++i) {
    Request* request = queue_[i];
    if (request->record == nullptr || request->draft != nullptr) break;
    // Nobody waits for a sync that it did not ask for.
    if (request->sync && !leader->sync) break;
    bytes += request->record->bytes();
    if (bytes > kBatchBytes || !segment_->Fits(bytes)) break;
    batch.push_back(request);
  }
  return batch;
}

absl::Status LogWriter::WriteBatch(const Batch& batch, bool sync) {
  if (absl::Status error = syncer_.error(); !error.ok()) {
    return Unavailable(error);
  }
  Request* const leader = batch.front();
  return leader->draft != nullptr ? Adopt(leader->draft, sync)
                                  : WriteRecords(batch, sync);
}

absl::Status LogWriter::WriteRecords(const Batch& batch, bool sync) {
  RETURN_IF_ERROR(MakeRoom(batch.front()->record->bytes()));
  // First, so that the records say of all that is older that it is on the disk.
  if (sync && syncer_.has_older()) {
    absl::Status status = syncer_.SyncThrough(committed_.last);
    if (!status.ok()) return Unavailable(status);
  }
  std::vector<EncodedRecord*> records;
  for (Request* member : batch) records.push_back(member->record);
  absl::Status written = segment_->Write(records, syncer_.synced());
  if (absl::IsResourceExhausted(written)) {
    Leave();
    return written;
  }
  if (!written.ok()) {
    syncer_.Break(written);
    return Unavailable(written);
  }
  const uint64_t last = segment_->position().last;
  syncer_.Written(last);
  if (!sync) return absl::OkStatus();
  absl::Status synced = syncer_.SyncThrough(last);
  return synced.ok() ? synced : Unavailable(synced);
}

// The draft becomes the segment. Its bytes are on the disk then, whatever was
// asked for.
absl::Status LogWriter::Adopt(SegmentDraft* draft, bool sync) {
  if (sync) {
    absl::Status status = syncer_.SyncThrough(committed_.last);
    if (!status.ok()) return Unavailable(status);
  }
  bool uncertain = false;
  absl::Status begun = BeginSegment(
      syncer_.synced(), [&](const log_format::SegmentHeader& header) {
        return SegmentWriter::Adopt(file_system_, options_.directory, header,
                                    draft, &uncertain);
      });
  if (uncertain) {
    syncer_.Break(begun);
    return Unavailable(begun);
  }
  RETURN_IF_ERROR(begun);
  const uint64_t last = segment_->position().last;
  syncer_.Written(last);
  if (!sync) return absl::OkStatus();
  absl::Status synced = syncer_.SyncThrough(last);
  return synced.ok() ? synced : Unavailable(synced);
}

void LogWriter::Commit(const Batch& batch) {
  uint64_t revision = committed_.last;
  committed_ = segment_->position();
  {
    MutexLock lock(&mutex_);
    segments_.back().last = committed_.last;
    segments_.back().bytes = committed_.end - log_format::kFirstRecord;
  }
  for (Request* member : batch) {
    revision += member->record->revisions();
    (*member->publish)(revision);
  }
  MutexLock lock(&mutex_);
  published_ = committed_.last;
  for (Request* member : batch) appended_bytes_ += member->record->bytes();
}

// Once for each segment: a full disk is not asked again and again.
void LogWriter::PrepareNext() {
  if (next_prepared_ || !segment_->half_full()) return;
  next_prepared_ = true;
  preparer_.Prepare(NewDraftPath(), RoomForNext());
}

absl::Status LogWriter::MakeRoom(int64_t bytes) {
  if (segment_ != nullptr && segment_->Fits(bytes)) return absl::OkStatus();
  bool uncertain = false;
  absl::Status begun = BeginSegment(bytes, syncer_.synced(), &uncertain);
  if (!uncertain) return begun;
  syncer_.Break(begun);
  return Unavailable(begun);
}

// A log that grows fast begins few segments, one that does not reserves little.
int64_t LogWriter::RoomForNext() const {
  const int64_t least = options_.segment_bytes;
  return std::clamp(state().bytes, least,
                    std::max(least, options_.max_segment_bytes));
}

// The header of the segment that follows what is committed.
log_format::SegmentHeader LogWriter::NextHeader() const {
  if (segment_ == nullptr) return next_;
  const log_format::SegmentHeader& header = segment_->header();
  log_format::SegmentHeader next = header;
  if (committed_.end > log_format::kFirstRecord) {
    next.from = next.base = committed_.last;
    next.predecessor = {header.salt, header.base, committed_.last,
                        committed_.end, committed_.chain};
  }
  return next;
}

absl::Status LogWriter::BeginSegment(int64_t bytes, uint64_t synced,
                                     bool* uncertain) {
  return BeginSegment(synced, [&](const log_format::SegmentHeader& header) {
    if (std::optional<EmptySegment> empty = preparer_.Take(bytes)) {
      auto begun = SegmentWriter::Begin(file_system_, options_.directory,
                                        header, *std::move(empty), uncertain);
      if (begun.ok() || *uncertain) return begun;
    }
    return SegmentWriter::Create(
        file_system_, options_.directory, header,
        std::max(RoomForNext(), log_format::kFirstRecord + bytes), bytes,
        uncertain);
  });
}

absl::Status LogWriter::BeginSegment(uint64_t synced, MakeSegment make) {
  log_format::SegmentHeader header = NextHeader();
  header.number = next_number_++;
  header.synced = synced;
  do {
    header.salt = random_();
  } while (header.salt == 0);
  absl::StatusOr<std::unique_ptr<SegmentWriter>> begun = make(header);
  RETURN_IF_ERROR(begun.status());
  if (segment_ != nullptr) preparer_.Retire(std::move(segment_), committed_);
  segment_ = *std::move(begun);
  next_prepared_ = false;
  committed_ = {.last = header.base};  // a record that it has comes next
  syncer_.Roll(segment_->sync_handle());
  const std::string path = absl::StrCat(
      options_.directory, "/", log_format::SegmentFileName(header.base));
  MutexLock lock(&mutex_);
  // One without records is replaced, for it has the same name.
  if (!segments_.empty() && segments_.back().path == path) segments_.pop_back();
  segments_.push_back({path, header.base, 0});
  return absl::OkStatus();
}

// Writes no more to the segment; the next one says where it ended.
void LogWriter::Leave() {
  if (segment_ == nullptr) return;
  next_ = NextHeader();
  segment_->TrimTo(committed_);
  segment_.reset();
}

absl::Status LogWriter::Sync() {
  uint64_t published;
  {
    MutexLock lock(&mutex_);
    published = published_;
  }
  absl::Status synced = syncer_.SyncThrough(published);
  return synced.ok() ? synced : Unavailable(synced);
}

absl::Status LogWriter::Restart() {
  Request request;
  WaitForTurn(&request);
  absl::Status status;
  if (!syncer_.error().ok()) {
    const uint64_t published = PublishedRevision();
    bool uncertain = false;
    status = BeginSegment(0, published, &uncertain);
    if (status.ok()) syncer_.Reset(published, segment_->sync_handle());
  }
  EndTurn({&request});
  return status;
}

absl::Status LogWriter::DropThrough(uint64_t revision) {
  MutexLock dropping(&drop_mutex_);
  std::vector<std::string> paths;
  {
    MutexLock lock(&mutex_);
    for (size_t i = 0; i + 1 < segments_.size(); ++i) {
      if (segments_[i].last > revision) break;
      paths.push_back(segments_[i].path);
    }
  }
  for (const std::string& path : paths) {
    absl::Status removed = file_system_->Remove(path);
    if (!removed.ok() && !absl::IsNotFound(removed)) return removed;
    MutexLock lock(&mutex_);
    segments_.erase(segments_.begin());
  }
  if (paths.empty()) return absl::OkStatus();
  return file_system_->SyncDirectory(options_.directory);
}

Log::State LogWriter::state() const {
  State state;
  state.broken = syncer_.error();
  const uint64_t synced = syncer_.synced();
  MutexLock lock(&mutex_);
  state.published = published_;
  state.appended_bytes = appended_bytes_;
  state.synced = std::min(synced, published_);
  state.segments = static_cast<int64_t>(segments_.size());
  for (const SegmentInfo& segment : segments_) state.bytes += segment.bytes;
  return state;
}

uint64_t LogWriter::PublishedRevision() const {
  MutexLock lock(&mutex_);
  return published_;
}

// An error is kept by the syncer, where the next Append finds it.
void LogWriter::SyncInBackground() {
  mutex_.Lock();
  while (!stopping_ || sync_at_) {
    if (!sync_at_) {
      background_wakes_.Wait(&mutex_);
      continue;
    }
    if (!stopping_ && options_.clock->Now() < *sync_at_) {
      options_.clock->WaitUntil(*sync_at_, &background_wakes_, &mutex_);
      continue;
    }
    sync_at_.reset();
    const uint64_t published = published_;
    mutex_.Unlock();
    syncer_.SyncThrough(published).IgnoreError();
    mutex_.Lock();
  }
  mutex_.Unlock();
}

}  // namespace varkeep::storage
