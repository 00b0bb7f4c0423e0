// SPDX-License-Identifier: Apache-2.0
#include "storage/directory_checkpoint_store.h"
#include "storage/memory_file_system.h"
#include "tests/server/durability/checkpointer_testing.h"

namespace varkeep {
namespace {

using absl::StatusCode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class SaveTest : public CheckpointerTest {};

TensorRef Number(float value) { return Of<float>({}, {value}); }

TEST_F(SaveTest, KeepsEverythingAtItsRevision) {
  Put(store_, "v", Number(1));

  ASSERT_OK_AND_ASSIGN(storage::CheckpointInfo info,
                       checkpointer_->SaveAndWait());

  EXPECT_EQ(info.revision, 2u);
  EXPECT_THAT(Listed(), ElementsAre(info.id));
  EXPECT_THAT(SavedValue(info.id, "v"), TensorEq(Number(1)));
  const Checkpointer::State state = checkpointer_->state();
  EXPECT_FALSE(state.saving);
  EXPECT_EQ(state.last->id, info.id);
  EXPECT_EQ(state.last_error, "");
}

TEST_F(SaveTest, AnEmptyStoreIsSavedToo) {
  ASSERT_OK_AND_ASSIGN(storage::CheckpointInfo info,
                       checkpointer_->SaveAndWait());
  EXPECT_EQ(info.entries, 0);
}

TEST_F(SaveTest, HasWhatWasWrittenBeforeAndNotWhatWasWrittenMeanwhile) {
  Put(store_, "v", Number(1));
  checkpoints_.CloseGate();
  auto saved = Save();
  checkpoints_.WaitForWrites(1);

  EXPECT_TRUE(checkpointer_->state().saving);
  ASSERT_OK(Assign(store_, "v", Number(2)));
  ASSERT_OK(Add(store_, "v", Number(5)));
  Put(store_, "w", Number(3));
  checkpoints_.OpenGate();

  ASSERT_OK_AND_ASSIGN(storage::CheckpointInfo info, saved.get());
  EXPECT_THAT(SavedValue(info.id, "v"), TensorEq(Number(1)));
  EXPECT_EQ(SavedValue(info.id, "w"), nullptr);
  EXPECT_THAT(ValueOf(store_, "v"), TensorEq(Number(7)));
}

// Large enough that rows of it lie in pages of their own.
TEST_F(SaveTest, RowsThatChangeMeanwhileAreNotInItAndNothingIsCopied) {
  const TensorRef zeros = Of<float>({50'000}, std::vector<float>(50'000));
  Put(store_, "v", zeros);
  const auto change = [&](int64_t row) {
    return store_.Apply(ScatterMutation{"",
                                        "v",
                                        ScatterOp::kUpdate,
                                        /*nd=*/false,
                                        Of<int64_t>({1}, {row}),
                                        Of<float>({}, {1}),
                                        {}});
  };
  checkpoints_.CloseGate();
  auto saved = Save();
  checkpoints_.WaitForWrites(1);
  ASSERT_OK(change(7));
  EXPECT_EQ(store_.usage().replaced_value_bytes, TensorOverlay::kPageBytes);
  checkpoints_.OpenGate();
  ASSERT_OK_AND_ASSIGN(storage::CheckpointInfo before, saved.get());
  EXPECT_THAT(SavedValue(before.id, "v"), TensorEq(zeros));

  // Somebody holds the value when the next save begins.
  const VersionedValue held = *store_.Read("", "v");
  ASSERT_OK(change(8));
  ASSERT_OK_AND_ASSIGN(storage::CheckpointInfo after,
                       checkpointer_->SaveAndWait());
  EXPECT_THAT(SavedValue(after.id, "v"), TensorEq(ValueOf(store_, "v")));
  EXPECT_EQ(ValueOf(store_, "v")->values<float>()[7], 1);
  EXPECT_EQ(ValueOf(store_, "v")->values<float>()[8], 1);
}

TEST_F(SaveTest, CallsDuringASaveShareTheNext) {
  Put(store_, "v", Number(1));
  checkpoints_.CloseGate();
  auto first = Save();
  checkpoints_.WaitForWrites(1);
  ASSERT_OK(Assign(store_, "v", Number(2)));
  auto second = Save();
  auto third = Save();
  ASSERT_OK(Assign(store_, "v", Number(3)));
  checkpoints_.OpenGate();

  ASSERT_OK_AND_ASSIGN(storage::CheckpointInfo one, first.get());
  ASSERT_OK_AND_ASSIGN(storage::CheckpointInfo two, second.get());
  ASSERT_OK_AND_ASSIGN(storage::CheckpointInfo three, third.get());

  EXPECT_NE(one.id, two.id);
  EXPECT_EQ(two.id, three.id);
  EXPECT_EQ(checkpoints_.writes(), 2);
  EXPECT_THAT(SavedValue(one.id, "v"), TensorEq(Number(1)));
  EXPECT_THAT(SavedValue(two.id, "v"), TensorEq(Number(3)));
}

TEST_F(SaveTest, ProgressGrowsToTheTotal) {
  for (const char* name : {"a", "b", "c"}) Put(store_, name, Number(1));
  std::vector<int64_t> reported;

  auto saved = Save([&](int64_t done, int64_t total) {
    EXPECT_EQ(total, 12);
    reported.push_back(done);
  });
  ASSERT_OK(saved.get());

  EXPECT_THAT(reported, ElementsAre(4, 8, 12));
}

TEST_F(SaveTest, AFailureKeepsTheLastCheckpointAndIsReported) {
  const storage::CheckpointId id = SavedId();
  checkpoints_.FailNextWrite(absl::ResourceExhaustedError("disk is full"));

  EXPECT_THAT(Save().get(),
              StatusIs(StatusCode::kResourceExhausted, "disk is full"));

  EXPECT_THAT(Listed(), ElementsAre(id));
  EXPECT_EQ(checkpointer_->state().last->id, id);
  EXPECT_EQ(checkpointer_->state().last_error, "disk is full");
  EXPECT_FALSE(checkpointer_->state().saving);

  const storage::CheckpointId next = SavedId();
  EXPECT_EQ(checkpointer_->state().last->id, next);
  EXPECT_EQ(checkpointer_->state().last_error, "");
}

TEST_F(SaveTest, EverybodyWhoSharesAFailureIsTold) {
  checkpoints_.CloseGate();
  auto first = Save();
  checkpoints_.WaitForWrites(1);
  auto second = Save();
  auto third = Save();
  checkpoints_.FailNextWrite(absl::InternalError("broken"));
  checkpoints_.OpenGate();

  EXPECT_THAT(first.get(), StatusIs(StatusCode::kInternal, "broken"));
  EXPECT_OK(second.get());
  EXPECT_OK(third.get());
}

TEST_F(SaveTest, TheEndWaitsForWhatWasAsked) {
  Put(store_, "v", Number(1));
  checkpoints_.CloseGate();
  auto first = Save();
  checkpoints_.WaitForWrites(1);
  auto second = Save();
  checkpoints_.OpenGate();

  checkpointer_.reset();

  EXPECT_OK(first.get());
  EXPECT_OK(second.get());
  EXPECT_EQ(checkpoints_.writes(), 2);
}

TEST_F(SaveTest, ANewCheckpointerKnowsTheLastCheckpoint) {
  const storage::CheckpointId id = SavedId();

  Start({});

  ASSERT_TRUE(checkpointer_->state().last.has_value());
  EXPECT_EQ(checkpointer_->state().last->id, id);
}

TEST_F(SaveTest, TheOldestGoWhenThereAreTooMany) {
  Checkpointer::Options options;
  options.retention.max_to_keep = 2;
  Start(options);

  std::vector<storage::CheckpointId> ids;
  for (int i = 0; i < 4; ++i) ids.push_back(SavedId());

  EXPECT_THAT(Listed(), ElementsAre(ids[2], ids[3]));
}

TEST_F(SaveTest, ACheckpointThatCannotBeRemovedIsNoFailureAndTriedAgain) {
  Checkpointer::Options options;
  options.retention.max_to_keep = 1;
  Start(options);
  const storage::CheckpointId first = SavedId();
  checkpoints_.FailRemoves(absl::InternalError("cannot remove"));
  const storage::CheckpointId second = SavedId();
  EXPECT_THAT(Listed(), ElementsAre(first, second));

  checkpoints_.FailRemoves(absl::OkStatus());
  const storage::CheckpointId third = SavedId();

  EXPECT_THAT(Listed(), ElementsAre(third));
}

// When a save is due by its interval is decided whenever the checkpointer
// wakes, and it wakes for a job: that moves the clock without waiting for it.
class PeriodicSaveTest : public CheckpointerTest {
 protected:
  PeriodicSaveTest() {
    Checkpointer::Options options;
    options.interval = absl::Hours(1);
    Start(options);
  }
  void PassAnHour() {
    clock_.Advance(absl::Hours(1));
    // The save that this begins is over when the second job is done.
    for (int i = 0; i < 2; ++i) Describe(0).IgnoreError();
  }
};

TEST_F(PeriodicSaveTest, SavesWhatChangedOnceInEachInterval) {
  Put(store_, "v", Number(1));
  Describe(0).IgnoreError();
  EXPECT_THAT(Listed(), IsEmpty());

  PassAnHour();
  EXPECT_EQ(Listed().size(), 1u);
  ASSERT_OK(Assign(store_, "v", Number(2)));
  PassAnHour();

  EXPECT_EQ(Listed().size(), 2u);
  EXPECT_THAT(SavedValue(Listed().back(), "v"), TensorEq(Number(2)));
}

TEST_F(PeriodicSaveTest, AnUnchangedStoreIsNotSavedAgain) {
  Put(store_, "v", Number(1));
  PassAnHour();
  PassAnHour();
  PassAnHour();

  EXPECT_EQ(checkpoints_.writes(), 1);
  SavedId();
  PassAnHour();
  EXPECT_EQ(checkpoints_.writes(), 2);
}

TEST_F(PeriodicSaveTest, AFailedSaveIsTriedInTheNextInterval) {
  Put(store_, "v", Number(1));
  checkpoints_.FailNextWrite(absl::InternalError("broken"));
  PassAnHour();
  EXPECT_THAT(Listed(), IsEmpty());
  EXPECT_EQ(checkpointer_->state().last_error, "broken");

  PassAnHour();

  EXPECT_EQ(Listed().size(), 1u);
  EXPECT_EQ(checkpointer_->state().last_error, "");
}

TEST_F(PeriodicSaveTest, HappensByItself) {
  Put(store_, "v", Number(1));
  Checkpointer::Options options;
  options.interval = absl::Milliseconds(1);
  checkpointer_ = std::make_unique<Checkpointer>(
      &store_, &committer_, &checkpoints_, nullptr, Clock::Real(), options);

  checkpoints_.WaitForWrites(1);
  ASSERT_OK(Assign(store_, "v", Number(2)));
  checkpoints_.WaitForWrites(2);
}

TEST_F(PeriodicSaveTest, AnEndlessIntervalIsNoInterval) {
  Checkpointer::Options options;
  options.interval = absl::InfiniteDuration();
  Start(options);
  Put(store_, "v", Number(1));
  PassAnHour();

  EXPECT_THAT(Listed(), IsEmpty());
  EXPECT_OK(checkpointer_->SaveAndWait());
}

TEST(DiskTest, AFullDiskFailsTheSaveAndLosesNothing) {
  storage::MemoryFileSystem disk(200'000);
  FakeClock clock;
  ASSERT_OK_AND_ASSIGN(
      auto checkpoints,
      storage::DirectoryCheckpointStore::Open(&disk, "/data", &clock));
  ThreadPool pool(1);
  VariableStore store({}, &pool);
  Committer committer(&store);
  Checkpointer checkpointer(&store, &committer, checkpoints.get(), nullptr,
                            &clock, {});
  Put(store, "v", Number(1));
  ASSERT_OK_AND_ASSIGN(storage::CheckpointInfo first,
                       checkpointer.SaveAndWait());
  ASSERT_OK(Declare(store, RandomSpecOf("big", {100'000})));
  ASSERT_OK(Initialize(store, {"big"}));

  EXPECT_THAT(StartSave(checkpointer).get(),
              StatusIs(StatusCode::kResourceExhausted, HasSubstr("/data")));

  EXPECT_EQ(checkpointer.state().last->id, first.id);
  ASSERT_OK(Delete(store, "big"));
  EXPECT_OK(checkpointer.SaveAndWait());
}

}  // namespace
}  // namespace varkeep
