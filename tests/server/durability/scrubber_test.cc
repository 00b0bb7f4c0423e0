// SPDX-License-Identifier: Apache-2.0
#include "server/durability/scrubber.h"

#include <gmock/gmock.h>

#include <functional>
#include <memory>
#include <utility>

#include "storage/directory_checkpoint_store.h"
#include "storage/memory_checkpoint_store.h"
#include "storage/memory_file_system.h"
#include "tests/testing/checkpoints.h"
#include "tests/testing/fake_clock.h"
#include "tests/testing/status_matchers.h"

namespace varkeep {
namespace {

using storage::CheckpointId;
using storage::CheckpointStore;
using storage::VerifyProgress;
using storage::VerifyReport;
using ::testing::AllOf;
using ::testing::HasSubstr;

// Tells when a verification has ended, and lets a test act within one.
class WatchedStore final : public CheckpointStore {
 public:
  explicit WatchedStore(CheckpointStore* base) : base_(base) {}

  // Called within each verification.
  void OnVerify(std::function<void(CheckpointId)> action) {
    MutexLock lock(&mutex_);
    action_ = std::move(action);
  }
  // Verifications fail from now on.
  void FailVerify(absl::Status error) {
    MutexLock lock(&mutex_);
    error_ = std::move(error);
  }
  void WaitForLists(int count) {
    MutexLock lock(&mutex_);
    while (lists_ < count) changed_.Wait(&mutex_);
  }
  int lists() const {
    MutexLock lock(&mutex_);
    return lists_;
  }
  // Waits until a verification has begun.
  void WaitForVerify() {
    MutexLock lock(&mutex_);
    while (verified_.empty()) changed_.Wait(&mutex_);
  }
  std::vector<CheckpointId> verified() const {
    MutexLock lock(&mutex_);
    return verified_;
  }

  absl::StatusOr<storage::CheckpointInfo> Write(
      storage::CheckpointContents contents,
      const storage::CheckpointProgress& progress) override {
    return base_->Write(std::move(contents), progress);
  }
  absl::StatusOr<std::vector<storage::CheckpointInfo>> List() override {
    auto listed = base_->List();
    MutexLock lock(&mutex_);
    ++lists_;
    changed_.NotifyAll();
    return listed;
  }
  absl::StatusOr<std::unique_ptr<storage::CheckpointReader>> Open(
      CheckpointId id) override {
    return base_->Open(id);
  }
  absl::StatusOr<VerifyReport> Verify(CheckpointId id,
                                      const VerifyProgress& progress) override {
    std::function<void(CheckpointId)> action;
    absl::Status error;
    {
      MutexLock lock(&mutex_);
      verified_.push_back(id);
      changed_.NotifyAll();
      action = action_;
      error = error_;
    }
    if (action) action(id);
    if (!error.ok()) return error;
    return base_->Verify(id, progress);
  }
  absl::Status Remove(CheckpointId id) override { return base_->Remove(id); }

 private:
  CheckpointStore* const base_;
  mutable Mutex mutex_;
  // Notified when lists_ or verified_ changes; the test waits.
  CondVar changed_;
  int lists_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<CheckpointId> verified_ ABSL_GUARDED_BY(mutex_);
  std::function<void(CheckpointId)> action_ ABSL_GUARDED_BY(mutex_);
  absl::Status error_ ABSL_GUARDED_BY(mutex_);
};

class ScrubberTest : public ::testing::Test {
 protected:
  CheckpointId Write(uint64_t revision) {
    auto info = memory_.Write(SampleContents(revision), nullptr);
    EXPECT_OK(info);
    return info.ok() ? info->id : 0;
  }
  void Start(Scrubber::Options options = Unlimited()) {
    scrubber_ = std::make_unique<Scrubber>(&checkpoints_, &clock_, options);
  }
  static Scrubber::Options Unlimited() {
    Scrubber::Options options;
    options.bytes_per_second = int64_t{1} << 60;
    options.poll = absl::Hours(24);
    return options;
  }
  // Returns once everything that was due is verified: nothing is due only
  // after a list that follows the last verification.
  void WakeAndWait() {
    do {
      const int before = checkpoints_.lists();
      scrubber_->Wake();
      checkpoints_.WaitForLists(before + 1);
    } while (IsAnyDue());
  }
  bool IsAnyDue() {
    const Scrubber::State state = scrubber_->state();
    auto listed = memory_.List();
    EXPECT_OK(listed);
    if (!listed.ok()) return false;
    for (const storage::CheckpointInfo& info : *listed) {
      auto verdict = state.verdicts.find(info.id);
      if (verdict == state.verdicts.end() ||
          verdict->second.at <= clock_.Now() - Unlimited().interval) {
        return true;
      }
    }
    return false;
  }

  FakeClock clock_;
  storage::MemoryCheckpointStore memory_{&clock_};
  WatchedStore checkpoints_{&memory_};
  std::unique_ptr<Scrubber> scrubber_;
};

TEST_F(ScrubberTest, VerifiesEachCheckpointOnceInAnInterval) {
  Write(1);
  Write(2);
  Start();
  WakeAndWait();
  EXPECT_EQ(checkpoints_.verified(), (std::vector<CheckpointId>{2, 1}));
  EXPECT_EQ(scrubber_->state().verdicts.at(1).at, clock_.Now());
  EXPECT_FALSE(scrubber_->state().verdicts.at(2).damaged);
  EXPECT_GT(scrubber_->state().bytes, 0);

  clock_.Advance(absl::Hours(23));
  Write(3);
  WakeAndWait();
  EXPECT_EQ(checkpoints_.verified(), (std::vector<CheckpointId>{2, 1, 3}));

  clock_.Advance(absl::Hours(1));
  WakeAndWait();
  EXPECT_EQ(checkpoints_.verified().size(), 5);
}

TEST_F(ScrubberTest, ForgetsCheckpointsThatAreRemoved) {
  Write(1);
  Write(2);
  Start();
  WakeAndWait();
  ASSERT_OK(memory_.Remove(1));
  const int before = checkpoints_.lists();
  scrubber_->Wake();
  checkpoints_.WaitForLists(before + 1);
  scrubber_->Wake();
  checkpoints_.WaitForLists(before + 2);
  EXPECT_FALSE(scrubber_->state().verdicts.contains(1));
  EXPECT_TRUE(scrubber_->state().verdicts.contains(2));
}

TEST_F(ScrubberTest, ACheckpointMayBeRemovedWhileItIsRead) {
  Write(1);
  Write(2);
  checkpoints_.OnVerify([this](CheckpointId id) {
    if (id == 2) memory_.Remove(2).IgnoreError();
  });
  Start();
  WakeAndWait();
  EXPECT_FALSE(scrubber_->state().verdicts.contains(2));
  EXPECT_TRUE(scrubber_->state().verdicts.at(1).what.empty());
}

// The clock moves only here: that reading ended after these steps shows that it
// waited for them.
TEST_F(ScrubberTest, ReadsNoFasterThanItMay) {
  Write(1);
  const int64_t bytes = memory_.List()->front().size_bytes;
  const absl::Time start = clock_.Now();
  Scrubber::Options options = Unlimited();
  options.bytes_per_second = bytes / 10;
  Start(options);
  checkpoints_.WaitForVerify();
  for (int second = 0; second < 11; ++second) {
    EXPECT_FALSE(scrubber_->state().verdicts.contains(1));
    clock_.Advance(absl::Seconds(1));
    scrubber_->Wake();
  }
  WakeAndWait();
  EXPECT_GE(scrubber_->state().verdicts.at(1).at, start + absl::Seconds(10));
}

TEST_F(ScrubberTest, WhatCannotBeReadIsToldAndIsNotDamage) {
  Write(1);
  checkpoints_.FailVerify(absl::ResourceExhaustedError("no descriptors"));
  Start();
  WakeAndWait();
  EXPECT_EQ(scrubber_->state().verdicts.at(1).what, "no descriptors");
  EXPECT_FALSE(scrubber_->state().verdicts.at(1).damaged);

  checkpoints_.FailVerify(absl::OkStatus());
  clock_.Advance(Unlimited().interval);
  WakeAndWait();
  EXPECT_EQ(scrubber_->state().verdicts.at(1).what, "");
}

TEST_F(ScrubberTest, StopsWhileItWaits) {
  Write(1);
  Scrubber::Options options = Unlimited();
  options.bytes_per_second = 1;
  Start(options);
  checkpoints_.WaitForVerify();
  scrubber_.reset();  // would take days
}

TEST(ScrubberDamageTest, NamesWhatIsDamaged) {
  FakeClock clock;
  storage::MemoryFileSystem disk;
  ASSERT_OK_AND_ASSIGN(auto store, storage::DirectoryCheckpointStore::Open(
                                       &disk, "/data", &clock));
  ASSERT_OK(store->Write(SampleContents(1), nullptr));
  const std::string path = "/data/ckpt-000001.h5";
  {
    ASSERT_OK_AND_ASSIGN(auto file, disk.OpenForRead(path));
    std::string bytes(static_cast<size_t>(*file->Size()), '\0');
    ASSERT_OK(file->ReadAt(
        0, std::as_writable_bytes(std::span(bytes.data(), bytes.size()))));
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 4);
    ASSERT_OK(disk.Remove(path));
    ASSERT_OK_AND_ASSIGN(auto damaged, disk.Create(path));
    ASSERT_OK(damaged->WriteAt(
        0, std::as_bytes(std::span(bytes.data(), bytes.size()))));
  }
  WatchedStore watched(store.get());
  Scrubber::Options options;
  options.bytes_per_second = int64_t{1} << 60;
  Scrubber scrubber(&watched, &clock, options);
  watched.WaitForLists(2);  // the second one follows the verification
  const Scrubber::Verdict verdict = scrubber.state().verdicts.at(1);
  EXPECT_TRUE(verdict.damaged);
  EXPECT_THAT(verdict.what,
              AllOf(HasSubstr("ckpt-000001.h5, entry 'variables/"),
                    HasSubstr("has checksum")));
}

}  // namespace
}  // namespace varkeep
