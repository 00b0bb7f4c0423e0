// SPDX-License-Identifier: Apache-2.0
#include "server/durability/recovery.h"

#include <memory>

#include "base/status_macros.h"
#include "server/durability/checkpoint_codec.h"
#include "server/durability/committer.h"
#include "storage/directory_checkpoint_store.h"
#include "storage/memory_file_system.h"
#include "tests/server/variables/store_testing.h"
#include "tests/testing/fake_clock.h"
#include "tests/testing/fault_injecting_file_system.h"

namespace varkeep {
namespace {

using absl::StatusCode;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

// Saves v = 1 as checkpoint 1, v = 2 as 2, and so on, in a directory that can
// be damaged and opened again. Without a log, unless a test keeps one.
class RecoveryTest : public StoreTest {
 protected:
  RecoveryTest() {
    Put(store_, "v", Number(0));
    Reopen();
  }

  // What is recovered, and the store it was recovered into.
  struct Result {
    Recovered recovered;
    std::unique_ptr<VariableStore> store;
  };

  static TensorRef Number(float value) { return Of<float>({}, {value}); }

  void Reopen() {
    checkpoints_.reset();
    absl::StatusOr<std::unique_ptr<storage::DirectoryCheckpointStore>> opened =
        storage::DirectoryCheckpointStore::Open(&faulty_, "/data", &clock_);
    ASSERT_OK(opened);
    checkpoints_ = *std::move(opened);
  }

  void Save(int count) {
    for (int i = 0; i < count; ++i) {
      ASSERT_OK(Assign(store_, "v", Number(static_cast<float>(++saved_))));
      ASSERT_OK(checkpoints_->Write(EncodeSnapshot(store_.Snapshot()).value(),
                                    nullptr));
    }
  }

  static std::string FileOf(int id) {
    return "ckpt-00000" + std::to_string(id) + ".h5";
  }

  // Turns one bit in the middle of a checkpoint.
  void Damage(int id) {
    const std::string path = "/data/" + FileOf(id);
    ASSERT_OK_AND_ASSIGN(auto file, disk_.OpenForRead(path));
    ASSERT_OK_AND_ASSIGN(int64_t size, file->Size());
    std::vector<std::byte> bytes(static_cast<size_t>(size));
    ASSERT_OK(file->ReadAt(0, bytes));
    bytes[bytes.size() / 2] ^= std::byte{1};
    ASSERT_OK(disk_.Remove(path));
    ASSERT_OK_AND_ASSIGN(file, disk_.Create(path));
    ASSERT_OK(file->WriteAt(0, bytes));
    ASSERT_OK(file->Sync());
    ASSERT_OK(disk_.SyncDirectory("/data"));
  }

  absl::StatusOr<Result> Recover(bool allow_fallback = false) {
    RecoveryOptions options;
    options.log.directory = "/data/log";
    options.allow_fallback = allow_fallback;
    options.after_power_cut = after_power_cut_;
    Result result;
    result.store = std::make_unique<VariableStore>(StoreLimits(), &pool_);
    ASSIGN_OR_RETURN(result.recovered,
                     varkeep::Recover(checkpoints_.get(), &faulty_, options,
                                      result.store.get()));
    return result;
  }

  // The checkpoint that was taken; 0: none.
  static storage::CheckpointId IdOf(const Result& result) {
    const auto& from = result.recovered.from;
    return from.has_value() ? from->id : 0;
  }

  FakeClock clock_;
  storage::MemoryFileSystem disk_;
  FaultInjectingFileSystem faulty_{&disk_};
  std::unique_ptr<storage::DirectoryCheckpointStore> checkpoints_;
  int saved_ = 0;
  bool after_power_cut_ = false;
};

TEST_F(RecoveryTest, WithoutACheckpointThereIsNothing) {
  ASSERT_OK_AND_ASSIGN(Result result, Recover());

  EXPECT_EQ(IdOf(result), 0);
  EXPECT_EQ(result.store->usage().variables, 0);
  EXPECT_EQ(result.store->usage().revision, 0u);
}

TEST_F(RecoveryTest, TheNewestComesBackAfterAPowerCut) {
  Save(3);
  const StoreSnapshot snapshot = store_.Snapshot();
  disk_.LosePower();
  Reopen();

  ASSERT_OK_AND_ASSIGN(Result result, Recover());

  EXPECT_EQ(IdOf(result), 3);
  EXPECT_THAT(result.recovered.damaged, IsEmpty());
  ExpectSameSnapshot(result.store->Snapshot(), snapshot);
}

TEST_F(RecoveryTest, ADamagedNewestIsAnErrorThatNamesBoth) {
  Save(3);
  Damage(3);
  Reopen();

  EXPECT_THAT(
      Recover(),
      StatusIs(StatusCode::kDataLoss,
               AllOf(HasSubstr("the newest checkpoint is damaged"),
                     HasSubstr(FileOf(3)), HasSubstr(FileOf(2)),
                     HasSubstr("(revision 4)"), Not(HasSubstr(FileOf(1))),
                     HasSubstr("--allow-fallback"))));
}

TEST_F(RecoveryTest, WithAllowFallbackAnOlderOneIsTaken) {
  Save(4);
  Damage(4);
  Damage(3);
  Reopen();

  ASSERT_OK_AND_ASSIGN(Result result, Recover(true));

  EXPECT_EQ(IdOf(result), 2);
  ASSERT_THAT(result.recovered.damaged, SizeIs(2));
  EXPECT_THAT(result.recovered.damaged[0], HasSubstr(FileOf(4)));
  EXPECT_THAT(result.recovered.damaged[1], HasSubstr(FileOf(3)));
  EXPECT_THAT(ValueOf(*result.store, "v"), TensorEq(Number(2)));
}

TEST_F(RecoveryTest, AFallbackDoesNotGiveRevisionsOutAgain) {
  Save(3);
  const Revision last = store_.usage().revision;
  Damage(3);
  Reopen();
  ASSERT_OK_AND_ASSIGN(Result result, Recover(true));
  Committer committer(result.store.get());
  committer.SetLog(result.recovered.log.get());

  ASSERT_OK_AND_ASSIGN(Applied applied, committer.Apply(AssignMutation{
                                            "", "v", Number(9), {}, true}));

  EXPECT_GT(applied.revision, last);
}

TEST_F(RecoveryTest, AnOlderDamagedOneDoesNotMatter) {
  Save(3);
  Damage(1);
  Damage(2);
  Reopen();

  ASSERT_OK_AND_ASSIGN(Result result, Recover());

  EXPECT_EQ(IdOf(result), 3);
}

TEST_F(RecoveryTest, AMissingNewestIsDamageToo) {
  Save(2);
  ASSERT_OK(disk_.Remove("/data/" + FileOf(2)));
  Reopen();

  EXPECT_THAT(Recover(),
              StatusIs(StatusCode::kDataLoss,
                       AllOf(HasSubstr(FileOf(2)), HasSubstr(FileOf(1)))));
  ASSERT_OK_AND_ASSIGN(Result result, Recover(true));
  EXPECT_EQ(IdOf(result), 1);
}

TEST_F(RecoveryTest, WhenAllAreDamagedNothingIsTaken) {
  Save(2);
  Damage(1);
  Damage(2);
  Reopen();

  for (bool allow_fallback : {false, true}) {
    EXPECT_THAT(Recover(allow_fallback),
                StatusIs(StatusCode::kDataLoss,
                         AllOf(HasSubstr("no checkpoint can be read"),
                               HasSubstr(FileOf(1)), HasSubstr(FileOf(2)))));
  }
}

TEST_F(RecoveryTest, AVariableThatIsNotUnderstoodIsDamage) {
  Save(1);
  storage::CheckpointContents contents =
      EncodeSnapshot(store_.Snapshot()).value();
  contents.entries[0].attributes.pop_back();
  ++contents.revision;
  ASSERT_OK(checkpoints_->Write(contents, nullptr));

  EXPECT_THAT(Recover(), StatusIs(StatusCode::kDataLoss,
                                  AllOf(HasSubstr("'variables/v:0'"),
                                        HasSubstr("'creator' is missing"))));
  ASSERT_OK_AND_ASSIGN(Result result, Recover(true));
  EXPECT_EQ(IdOf(result), 1);
}

// What a machine has too little of says nothing about the checkpoint.
TEST_F(RecoveryTest, ADiskThatFailsIsNoReasonToFallBack) {
  Save(2);
  faulty_.Inject({});
  ASSERT_OK(Recover());
  const std::vector<std::string> calls = faulty_.calls();
  int failed = 0;
  for (size_t i = 0; i < calls.size(); ++i) {
    if (!calls[i].starts_with("open") && !calls[i].starts_with("read")) {
      continue;
    }
    Fault fault;
    fault.at = static_cast<int64_t>(i) + 1;
    fault.code = StatusCode::kResourceExhausted;
    fault.reason = "Too many open files";
    faulty_.Inject(fault);

    EXPECT_THAT(Recover(/*allow_fallback=*/true),
                StatusIs(StatusCode::kResourceExhausted,
                         HasSubstr("Too many open files")))
        << calls[i];
    ++failed;
  }
  EXPECT_GE(failed, 3);
}

// Lives of a server over one disk, each ended by a crash or a power cut.
class LivesTest : public RecoveryTest {
 protected:
  // Recovers, and goes on with the log.
  void Begin(bool allow_fallback = false) {
    absl::StatusOr<Result> result = Recover(allow_fallback);
    ASSERT_OK(result);
    life_ = *std::move(result);
    committer_ = std::make_unique<Committer>(life_.store.get(), durability_);
    committer_->SetLog(life_.recovered.log.get());
  }
  void EndByPowerCut(uint32_t seed = 0) {
    committer_.reset();
    life_ = {};
    disk_.LosePower(seed);
    after_power_cut_ = true;
    Reopen();
  }
  void EndByKill() {
    committer_.reset();
    life_ = {};
    Reopen();
  }
  Revision Commit(const Mutation& mutation, const Request& request = {}) {
    absl::StatusOr<Applied> applied = committer_->Apply(mutation, request);
    EXPECT_OK(applied);
    return applied.ok() ? applied->revision : 0;
  }
  void SaveNow() {
    ASSERT_OK(checkpoints_->Write(
        EncodeSnapshot(life_.store->Snapshot()).value(), nullptr));
  }

  // Ends with v = 2, which only the log has.
  void LiveWithTwoCheckpoints() {
    Begin();
    Commit(DeclareMutation{"", SpecOf("v"), false});
    SaveNow();
    Commit(AssignMutation{"", "v", Number(1), {}, true});
    SaveNow();
    Commit(AssignMutation{"", "v", Number(2), {}, true});
    EndByKill();
  }

  Durability durability_ = Durability::kFsync;
  Result life_;
  std::unique_ptr<Committer> committer_;
};

AssignMutation AssignTo(float value) {
  return {"", "v", Of<float>({}, {value}), {}, true};
}

TEST_F(LivesTest, WhatWasAcknowledgedIsThereWithoutAnyCheckpoint) {
  Begin();
  Commit(DeclareMutation{"", SpecOf("v"), false});
  Commit(AssignTo(1));
  Commit(UpdateMutation{"", "v", UpdateOp::kAdd, Number(2), {}});
  const StoreSnapshot before = life_.store->Snapshot();

  EndByPowerCut();
  Begin();

  ExpectSameSnapshot(life_.store->Snapshot(), before);
  EXPECT_EQ(life_.recovered.replayed.records, 3);
}

TEST_F(LivesTest, OnlyWhatIsNewerThanTheCheckpointIsReplayed) {
  Begin();
  Commit(DeclareMutation{"", SpecOf("v"), false});
  Commit(AssignTo(1));
  SaveNow();
  Commit(AssignTo(2));

  EndByKill();
  Begin();

  EXPECT_EQ(life_.recovered.replayed.records, 1);
  EXPECT_THAT(ValueOf(*life_.store, "v"), TensorEq(Number(2)));
}

TEST_F(LivesTest, ADamagedCheckpointCostsNothingWhenTheLogLeadsOn) {
  LiveWithTwoCheckpoints();
  Damage(2);
  Reopen();

  Begin(/*allow_fallback=*/false);

  EXPECT_EQ(IdOf(life_), 1);
  EXPECT_THAT(life_.recovered.damaged, SizeIs(1));
  EXPECT_THAT(ValueOf(*life_.store, "v"), TensorEq(Number(2)));
}

TEST_F(LivesTest, ALogFromTheBeginningMakesUpForEveryCheckpoint) {
  LiveWithTwoCheckpoints();
  Damage(1);
  Damage(2);
  Reopen();

  Begin(/*allow_fallback=*/false);

  EXPECT_EQ(IdOf(life_), 0);
  EXPECT_THAT(life_.recovered.damaged, SizeIs(2));
  EXPECT_THAT(ValueOf(*life_.store, "v"), TensorEq(Number(2)));
}

TEST_F(LivesTest, ARepeatedRequestIsRecognizedAfterACrash) {
  Begin();
  Commit(DeclareMutation{"", SpecOf("v"), false});
  Commit(AssignTo(1));
  const UpdateMutation add{"", "v", UpdateOp::kAdd, Number(5), {}};
  const Revision first = Commit(add, RequestId{7, 1});

  EndByPowerCut();
  Begin();
  ASSERT_OK_AND_ASSIGN(Applied repeated,
                       committer_->Apply(add, RequestId{7, 1}));

  EXPECT_TRUE(repeated.duplicate);
  EXPECT_EQ(repeated.revision, first);
  EXPECT_THAT(ValueOf(*life_.store, "v"), TensorEq(Number(6)));
}

TEST_F(LivesTest, AForgottenRequestIsRefusedAlsoAfterARestart) {
  durability_ = Durability::kNone;
  Begin();
  Commit(DeclareMutation{"", SpecOf("v"), false});
  Commit(AssignTo(0));
  const UpdateMutation add{"", "v", UpdateOp::kAdd, Number(1), {}};
  const Revision seen = Commit(add, RequestId{7, 1});
  const float clients = RequestWindow::kClients;
  for (uint64_t i = 0; i < RequestWindow::kClients; ++i) {
    Commit(add, RequestId{100 + i, 1});
    if (i == 2000) SaveNow();
  }
  Request repeated = RequestId{7, 1};
  Request other = RequestId{8, 1};  // it was lost on the way to the server
  other.since = seen;

  // What the log, then what a checkpoint, remembers.
  for (const bool save : {false, true}) {
    EndByKill();
    Begin();
    EXPECT_THAT(committer_->Apply(add, repeated),
                StatusIs(absl::StatusCode::kFailedPrecondition,
                         HasSubstr("request id (client 7, sequence 1)")));
    EXPECT_THAT(ValueOf(*life_.store, "v"), TensorEq(Number(clients + 1)));
    if (!save) SaveNow();
  }
  ASSERT_OK_AND_ASSIGN(Applied applied, committer_->Apply(add, other));
  EXPECT_FALSE(applied.duplicate);
}

TEST_F(LivesTest, RevisionsOnlyGrowOverManyPowerCuts) {
  durability_ = Durability::kNone;
  Revision highest = 0;
  for (uint32_t life = 1; life <= 12; ++life) {
    Begin();
    if (!life_.store->Find("", "v").ok()) {
      Commit(DeclareMutation{"", SpecOf("v"), false});
    }
    const Revision revision = Commit(AssignTo(static_cast<float>(life)));
    EXPECT_GT(revision, highest);
    if (life % 3 == 0) SaveNow();
    highest = Commit(AssignTo(-1));
    EndByPowerCut(life);
  }
}

}  // namespace
}  // namespace varkeep
