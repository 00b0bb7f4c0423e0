// SPDX-License-Identifier: Apache-2.0
//
// A disk that fails or is full: changes are refused, reads go on, and when the
// disk works again so does the server, by itself.
#include "absl/synchronization/notification.h"
#include "storage/memory_file_system.h"
#include "tests/faults/life.h"
#include "tests/server/variables/store_testing.h"
#include "tests/testing/fault_injecting_file_system.h"

namespace varkeep {
namespace {

using absl::StatusCode;
using storage::MemoryFileSystem;
using ::testing::HasSubstr;

constexpr int64_t kElements = 1000;

TensorRef Filled(float number) {
  return Of<float>({kElements}, std::vector<float>(kElements, number));
}
AssignMutation AssignTo(float number) {
  return {"", "v", Filled(number), {}, true};
}

class MendingTest : public ::testing::Test {
 protected:
  void Begin() {
    LifeOptions options;
    options.checkpointing.log_check_interval = absl::Milliseconds(1);
    options.checkpointing.on_log_change = [this](bool works) {
      (works ? mended_ : broken_).Notify();
    };
    absl::StatusOr<std::unique_ptr<Life>> life = Life::Begin(&disk_, options);
    ASSERT_OK(life);
    life_ = *std::move(life);
  }
  void BeginWithV() {
    Begin();
    ASSERT_OK(
        life_->Apply(DeclareMutation{"", SpecOf("v", Shape({kElements})), {}}));
    ASSERT_OK(life_->Apply(AssignTo(1)));
  }
  // The n-th call from now on, of those of one Apply, that is a sync.
  int64_t CallThatSyncs() {
    disk_.Inject({});
    EXPECT_OK(life_->Apply(AssignTo(1)));
    const std::vector<std::string> calls = disk_.calls();
    for (size_t i = 0; i < calls.size(); ++i) {
      if (calls[i].starts_with("sync ")) return static_cast<int64_t>(i) + 1;
    }
    ADD_FAILURE() << "an acknowledged change was not synced";
    return 0;
  }

  MemoryFileSystem base_;
  FaultInjectingFileSystem disk_{&base_};
  absl::Notification broken_;
  absl::Notification mended_;
  std::unique_ptr<Life> life_;
};

TEST_F(MendingTest, AfterAFailedSyncTheLogBeginsAnewAndNothingIsLost) {
  BeginWithV();
  Fault fault;
  fault.at = CallThatSyncs();
  fault.sticky = true;
  disk_.Inject(fault);

  EXPECT_THAT(life_->Apply(AssignTo(2), RequestId{1, 1}),
              StatusIs(StatusCode::kUnavailable, HasSubstr("log is broken")));
  broken_.WaitForNotification();
  EXPECT_THAT(life_->Apply(AssignTo(3)),
              StatusIs(StatusCode::kUnavailable, ::testing::_));
  EXPECT_THAT(ValueOf(life_->store(), "v"), TensorEq(Filled(1)));
  disk_.Heal();
  mended_.WaitForNotification();

  ASSERT_OK_AND_ASSIGN(Applied applied,
                       life_->Apply(AssignTo(2), RequestId{1, 1}));
  EXPECT_FALSE(applied.duplicate);
  const StoreSnapshot before = life_->store().Snapshot();
  life_.reset();
  base_.LosePower();
  ASSERT_OK_AND_ASSIGN(life_, Life::Begin(&disk_));
  ExpectSameSnapshot(life_->store().Snapshot(), before);
}

// What the failed sync left on the disk must not come back after the change
// that was made in its place.
TEST_F(MendingTest, AChangeThatWasRefusedStaysVoid) {
  BeginWithV();
  Fault fault;
  fault.at = CallThatSyncs();
  disk_.Inject(fault);

  EXPECT_THAT(
      life_->Apply(UpdateMutation{"", "v", UpdateOp::kAdd, Filled(1), {}}),
      StatusIs(StatusCode::kUnavailable, ::testing::_));
  mended_.WaitForNotification();
  const StoreSnapshot before = life_->store().Snapshot();
  life_.reset();
  ASSERT_OK_AND_ASSIGN(life_, Life::Begin(&disk_));

  ExpectSameSnapshot(life_->store().Snapshot(), before);
}

// A disk that another file fills.
class FullDiskTest : public ::testing::Test {
 protected:
  static constexpr int64_t kCapacity = 1 << 20;

  void FillUp(int64_t leave = 0) {
    ASSERT_OK_AND_ASSIGN(int64_t free, disk_.FreeBytes("/"));
    ASSERT_OK_AND_ASSIGN(std::unique_ptr<storage::File> file,
                         disk_.Create("/ballast"));
    ASSERT_OK(file->WriteAt(
        0, std::vector<std::byte>(static_cast<size_t>(free - leave))));
  }

  MemoryFileSystem disk_{kCapacity};
};

TEST_F(FullDiskTest, RefusesChangesUntilThereIsRoomAgain) {
  LifeOptions options;
  options.checkpointing.retention.max_to_keep = 2;
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<Life> life,
                       Life::Begin(&disk_, options));
  ASSERT_OK(
      life->Apply(DeclareMutation{"", SpecOf("v", Shape({kElements})), {}}));
  float number = 0;
  for (int round = 0; round < 20; ++round) {
    SCOPED_TRACE(round);
    ASSERT_OK(life->Apply(AssignTo(++number)));
    ASSERT_OK(life->Save());
    FillUp();
    absl::Status status;
    int accepted = 0;
    // Until what the segment has reserved is used.
    while ((status = life->Apply(AssignTo(number + 1)).status()).ok()) {
      ++number;
      ASSERT_LT(++accepted, 100);
    }
    EXPECT_THAT(status, StatusIs(StatusCode::kResourceExhausted, ::testing::_));
    EXPECT_THAT(life->Save(),
                StatusIs(StatusCode::kResourceExhausted, ::testing::_));
    EXPECT_THAT(ValueOf(life->store(), "v"), TensorEq(Filled(number)));
    if (round % 5 == 0) {
      // A start on the full disk finds all of it, and still cannot write.
      life.reset();
      ASSERT_OK_AND_ASSIGN(life, Life::Begin(&disk_, options));
      EXPECT_TRUE(life->recovered().damaged.empty());
      EXPECT_THAT(ValueOf(life->store(), "v"), TensorEq(Filled(number)));
      EXPECT_THAT(life->Apply(AssignTo(-1)),
                  StatusIs(StatusCode::kResourceExhausted, ::testing::_));
    }
    ASSERT_OK(disk_.Remove("/ballast"));
  }
  EXPECT_OK(life->Apply(AssignTo(++number)));
  const StoreSnapshot before = life->store().Snapshot();
  life.reset();
  ASSERT_OK_AND_ASSIGN(life, Life::Begin(&disk_));
  ExpectSameSnapshot(life->store().Snapshot(), before);
}

// Nobody may get a revision again that a power cut took, even when the start
// after it had room for a marker and none for the segment that says which are
// left out.
TEST_F(FullDiskTest, KeepsInMindThatThePowerWasCut) {
  LifeOptions options;
  options.durability = Durability::kNone;
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<Life> life,
                       Life::Begin(&disk_, options));
  ASSERT_OK(
      life->Apply(DeclareMutation{"", SpecOf("v", Shape({kElements})), {}}));
  life.reset();
  disk_.LosePower();
  ASSERT_NO_FATAL_FAILURE(FillUp(1000));
  options.boot_id = "boot 2";
  for (int start = 0; start < 3; ++start) {
    ASSERT_OK_AND_ASSIGN(life, Life::Begin(&disk_, options));
    EXPECT_FALSE(life->recovered().replayed.begun);
    life.reset();
  }
  ASSERT_OK(disk_.Remove("/ballast"));
  ASSERT_OK_AND_ASSIGN(life, Life::Begin(&disk_, options));

  ASSERT_OK_AND_ASSIGN(
      Applied applied,
      life->Apply(DeclareMutation{"", SpecOf("v", Shape({kElements})), {}}));

  EXPECT_GT(applied.revision, kLostRevisions);
}

// A segment of ordinary size would fill it.
TEST(SmallDiskTest, IsNotFullFromTheBeginning) {
  MemoryFileSystem small(8 << 20);
  LifeOptions options;
  options.segment_bytes = 8 << 20;
  for (int start = 0; start < 2; ++start) {
    ASSERT_OK_AND_ASSIGN(std::unique_ptr<Life> life,
                         Life::Begin(&small, options));
    ASSERT_OK(life->Apply(DeclareMutation{
        "", SpecOf(absl::StrCat("v", start), Shape({kElements})), {}}));
    EXPECT_OK(life->Save());
  }
}

}  // namespace
}  // namespace varkeep
