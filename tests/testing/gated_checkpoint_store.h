// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TESTS_TESTING_GATED_CHECKPOINT_STORE_H_
#define VARKEEP_TESTS_TESTING_GATED_CHECKPOINT_STORE_H_

#include <memory>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "storage/checkpoint_store.h"

namespace varkeep {

// Passes every call on to another store; a test can hold a Write at its
// beginning and make it and others fail. Thread-safe.
class GatedCheckpointStore final : public storage::CheckpointStore {
 public:
  // `base` is borrowed.
  explicit GatedCheckpointStore(storage::CheckpointStore* base) : base_(base) {}

  // From now on Write waits until the gate is opened.
  void CloseGate() { SetOpen(false); }
  void OpenGate() { SetOpen(true); }
  // Waits until `count` Writes have begun in all.
  void WaitForWrites(int count) {
    MutexLock lock(&mutex_);
    while (writes_ < count) changed_.Wait(&mutex_);
  }
  int writes() const {
    MutexLock lock(&mutex_);
    return writes_;
  }
  // The next Write gives this error and writes nothing.
  void FailNextWrite(absl::Status error) {
    MutexLock lock(&mutex_);
    error_ = std::move(error);
  }
  // Every List gives this error; OK ends it.
  void FailLists(absl::Status error) {
    MutexLock lock(&mutex_);
    list_error_ = std::move(error);
  }
  // Every Remove gives this error; OK ends it.
  void FailRemoves(absl::Status error) {
    MutexLock lock(&mutex_);
    remove_error_ = std::move(error);
  }

  absl::StatusOr<storage::CheckpointInfo> Write(
      storage::CheckpointContents contents,
      const storage::CheckpointProgress& progress) override {
    absl::Status error;
    {
      MutexLock lock(&mutex_);
      ++writes_;
      changed_.NotifyAll();
      while (!open_) changed_.Wait(&mutex_);
      std::swap(error, error_);
    }
    if (!error.ok()) return error;
    return base_->Write(std::move(contents), progress);
  }
  absl::StatusOr<std::vector<storage::CheckpointInfo>> List() override {
    {
      MutexLock lock(&mutex_);
      if (!list_error_.ok()) return list_error_;
    }
    return base_->List();
  }
  absl::StatusOr<std::unique_ptr<storage::CheckpointReader>> Open(
      storage::CheckpointId id) override {
    return base_->Open(id);
  }
  absl::StatusOr<storage::VerifyReport> Verify(
      storage::CheckpointId id,
      const storage::VerifyProgress& progress) override {
    return base_->Verify(id, progress);
  }
  absl::Status Remove(storage::CheckpointId id) override {
    {
      MutexLock lock(&mutex_);
      if (!remove_error_.ok()) return remove_error_;
    }
    return base_->Remove(id);
  }

 private:
  void SetOpen(bool open) {
    MutexLock lock(&mutex_);
    open_ = open;
    changed_.NotifyAll();
  }

  storage::CheckpointStore* const base_;
  mutable Mutex mutex_;
  // Notified when anything below changes; Write and the test wait.
  CondVar changed_;
  bool open_ ABSL_GUARDED_BY(mutex_) = true;
  int writes_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status error_ ABSL_GUARDED_BY(mutex_);
  absl::Status list_error_ ABSL_GUARDED_BY(mutex_);
  absl::Status remove_error_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace varkeep

#endif  // VARKEEP_TESTS_TESTING_GATED_CHECKPOINT_STORE_H_
