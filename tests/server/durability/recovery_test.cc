// SPDX-License-Identifier: Apache-2.0
#include "server/durability/recovery.h"

#include <memory>

#include "server/durability/checkpoint_codec.h"
#include "server/durability/run_marker.h"
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
// be damaged and opened again.
class RecoveryTest : public StoreTest {
 protected:
  RecoveryTest() {
    Put(store_, "v", Number(0));
    Reopen();
  }

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
      ASSERT_OK(
          checkpoints_->Write(EncodeSnapshot(store_.Snapshot()), nullptr));
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

  absl::StatusOr<Recovered> Recover(bool allow_fallback = false) {
    return RecoverNewest(checkpoints_.get(), allow_fallback);
  }

  // The checkpoint that was taken; 0: none.
  static storage::CheckpointId IdOf(const Recovered& recovered) {
    return recovered.from.has_value() ? recovered.from->id : 0;
  }

  FakeClock clock_;
  storage::MemoryFileSystem disk_;
  FaultInjectingFileSystem faulty_{&disk_};
  std::unique_ptr<storage::DirectoryCheckpointStore> checkpoints_;
  int saved_ = 0;
};

TEST_F(RecoveryTest, WithoutACheckpointThereIsNothing) {
  ASSERT_OK_AND_ASSIGN(Recovered recovered, Recover());

  EXPECT_EQ(IdOf(recovered), 0);
  EXPECT_THAT(recovered.snapshot.variables, IsEmpty());
  EXPECT_EQ(recovered.snapshot.revision, 0u);
}

TEST_F(RecoveryTest, TheNewestComesBackAfterAPowerCut) {
  Save(3);
  const StoreSnapshot snapshot = store_.Snapshot();
  disk_.LosePower();
  Reopen();

  ASSERT_OK_AND_ASSIGN(Recovered recovered, Recover());

  EXPECT_EQ(IdOf(recovered), 3);
  EXPECT_THAT(recovered.damaged, IsEmpty());
  ExpectSameSnapshot(recovered.snapshot, snapshot);
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

  ASSERT_OK_AND_ASSIGN(Recovered recovered, Recover(true));

  EXPECT_EQ(IdOf(recovered), 2);
  ASSERT_THAT(recovered.damaged, SizeIs(2));
  EXPECT_THAT(recovered.damaged[0], HasSubstr(FileOf(4)));
  EXPECT_THAT(recovered.damaged[1], HasSubstr(FileOf(3)));
  ASSERT_THAT(recovered.snapshot.variables, SizeIs(1));
  EXPECT_THAT(recovered.snapshot.variables[0].value, TensorEq(Number(2)));
}

TEST_F(RecoveryTest, AFallbackDoesNotGiveRevisionsOutAgain) {
  Save(3);
  const Revision last = store_.usage().revision;
  Damage(3);
  Reopen();

  ASSERT_OK_AND_ASSIGN(Recovered recovered, Recover(true));

  EXPECT_EQ(recovered.snapshot.revision, last);
  EXPECT_EQ(recovered.snapshot.variables[0].info.version, last - 1);
}

TEST_F(RecoveryTest, AnOlderDamagedOneDoesNotMatter) {
  Save(3);
  Damage(1);
  Damage(2);
  Reopen();

  ASSERT_OK_AND_ASSIGN(Recovered recovered, Recover());

  EXPECT_EQ(IdOf(recovered), 3);
}

TEST_F(RecoveryTest, AMissingNewestIsDamageToo) {
  Save(2);
  ASSERT_OK(disk_.Remove("/data/" + FileOf(2)));
  Reopen();

  EXPECT_THAT(Recover(),
              StatusIs(StatusCode::kDataLoss,
                       AllOf(HasSubstr(FileOf(2)), HasSubstr(FileOf(1)))));
  ASSERT_OK_AND_ASSIGN(Recovered recovered, Recover(true));
  EXPECT_EQ(IdOf(recovered), 1);
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
  storage::CheckpointContents contents = EncodeSnapshot(store_.Snapshot());
  contents.entries[0].attributes.pop_back();
  ASSERT_OK(checkpoints_->Write(contents, nullptr));

  EXPECT_THAT(Recover(), StatusIs(StatusCode::kDataLoss,
                                  AllOf(HasSubstr("'variables/v:0'"),
                                        HasSubstr("'creator' is missing"))));
  ASSERT_OK_AND_ASSIGN(Recovered recovered, Recover(true));
  EXPECT_EQ(IdOf(recovered), 1);
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

// A server's life over power cuts: what was saved is there, and no revision
// is ever given out twice.
TEST_F(RecoveryTest, RevisionsOnlyGrowOverManyCrashes) {
  RunMarker marker(&disk_, "/data");
  Revision highest = 0;
  float expected = 0;
  for (uint32_t life = 1; life <= 12; ++life) {
    ASSERT_OK_AND_ASSIGN(Recovered recovered, Recover());
    ASSERT_OK_AND_ASSIGN(RunMarker::Begun begun,
                         marker.Begin(recovered.snapshot.revision));
    recovered.snapshot.revision = begun.revision;
    VariableStore store({}, &pool_);
    ASSERT_OK(store.Load(std::move(recovered.snapshot)));
    if (life == 1) {
      Put(store, "v", Number(0));
    } else {
      EXPECT_THAT(ValueOf(store, "v"), TensorEq(Number(expected)));
    }

    ASSERT_OK_AND_ASSIGN(Applied applied,
                         Assign(store, "v", Number(static_cast<float>(life))));
    EXPECT_GT(applied.revision, highest);
    if (life == 1 || life % 2 == 0) {
      ASSERT_OK(checkpoints_->Write(EncodeSnapshot(store.Snapshot()), nullptr));
      expected = static_cast<float>(life);
      if (life % 4 == 0) {
        ASSERT_OK(marker.End());
      }
    }
    highest = store.usage().revision;
    if (life % 4 != 0) {
      ASSERT_OK_AND_ASSIGN(applied, Assign(store, "v", Number(-1)));
      highest = applied.revision;
    }
    disk_.LosePower(life);
    Reopen();
  }
}

}  // namespace
}  // namespace varkeep
