// SPDX-License-Identifier: Apache-2.0
#include "storage/log/log_syncer.h"

#include <algorithm>
#include <utility>

namespace varkeep::storage {

void LogSyncer::Reset(uint64_t synced, std::shared_ptr<File> file) {
  MutexLock lock(&mutex_);
  while (syncing_) sync_ended_.Wait(&mutex_);
  files_.clear();
  if (file != nullptr) files_.push_back({std::move(file), synced});
  synced_ = synced;
  error_ = absl::OkStatus();
}

void LogSyncer::Roll(std::shared_ptr<File> file) {
  MutexLock lock(&mutex_);
  const uint64_t written = files_.empty() ? synced_ : files_.back().written;
  // The last one too: everything in it may be on the disk already.
  while (!syncing_ && !files_.empty() && files_.front().written <= synced_) {
    files_.pop_front();
  }
  files_.push_back({std::move(file), written});
}

void LogSyncer::Written(uint64_t revision) {
  MutexLock lock(&mutex_);
  files_.back().written = revision;
}

absl::Status LogSyncer::SyncThrough(uint64_t revision) {
  MutexLock lock(&mutex_);
  while (syncing_) sync_ended_.Wait(&mutex_);
  if (!error_.ok()) return error_;
  if (synced_ >= revision) return absl::OkStatus();
  const std::deque<Unsynced> files = files_;
  syncing_ = true;
  mutex_.Unlock();
  absl::Status status;
  for (const Unsynced& unsynced : files) {
    status = unsynced.file->Sync();
    if (!status.ok()) break;
  }
  mutex_.Lock();
  syncing_ = false;
  sync_ended_.NotifyAll();
  if (!status.ok()) {
    if (error_.ok()) error_ = status;
    return error_;
  }
  if (!error_.ok()) return error_;
  if (!files.empty()) synced_ = std::max(synced_, files.back().written);
  while (files_.size() > 1 && files_.front().written <= synced_) {
    files_.pop_front();
  }
  return absl::OkStatus();
}

void LogSyncer::Break(const absl::Status& error) {
  MutexLock lock(&mutex_);
  if (error_.ok()) error_ = error;
}

uint64_t LogSyncer::synced() const {
  MutexLock lock(&mutex_);
  return synced_;
}

absl::Status LogSyncer::error() const {
  MutexLock lock(&mutex_);
  return error_;
}

bool LogSyncer::has_older() const {
  MutexLock lock(&mutex_);
  return files_.size() > 1;
}

}  // namespace varkeep::storage
