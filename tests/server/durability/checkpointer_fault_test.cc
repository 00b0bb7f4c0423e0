// SPDX-License-Identifier: Apache-2.0
//
// Checkpoints that cannot be listed or read.
#include "storage/directory_checkpoint_store.h"
#include "storage/memory_file_system.h"
#include "tests/server/durability/checkpointer_testing.h"
#include "tests/testing/fault_injecting_file_system.h"

namespace varkeep {
namespace {

using absl::StatusCode;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using ListFaultTest = CheckpointerTest;

TEST_F(ListFaultTest, NothingIsDoneWithCheckpointsThatCannotBeListed) {
  Put(store_, "v", Of<float>({1}, {1}));
  const storage::CheckpointId id = SavedId();
  checkpoints_.FailLists(absl::InternalError("cannot list"));

  const auto failed = StatusIs(StatusCode::kInternal, "cannot list");
  EXPECT_THAT(checkpointer_->List(), failed);
  EXPECT_THAT(checkpointer_->Verify(id, nullptr), failed);
  EXPECT_THAT(Restore({}), failed);
  EXPECT_THAT(Describe(id), failed);
  EXPECT_THAT(DeleteCheckpoint(id), failed);
  EXPECT_OK(checkpointer_->SaveAndWait());
}

TEST_F(ListFaultTest, ACheckpointerStartsWithoutAListAndSaves) {
  checkpoints_.FailLists(absl::InternalError("cannot list"));
  Start({});
  EXPECT_EQ(checkpointer_->state().last, std::nullopt);

  checkpoints_.FailLists(absl::OkStatus());
  EXPECT_THAT(Listed(), IsEmpty());
  EXPECT_EQ(SavedId(), 1);
}

TEST_F(ListFaultTest, VerifiesTheOneThatIsAskedFor) {
  EXPECT_THAT(checkpointer_->Verify(0, nullptr),
              StatusIs(StatusCode::kNotFound, "there is no checkpoint yet"));
  Put(store_, "v", Of<float>({1}, {1}));
  const storage::CheckpointId id = SavedId();
  ASSERT_OK_AND_ASSIGN(auto report, checkpointer_->Verify(id, nullptr));
  EXPECT_EQ(report.values, 1);
  EXPECT_THAT(report.damage, IsEmpty());
  EXPECT_THAT(checkpointer_->Verify(9, nullptr),
              StatusIs(StatusCode::kNotFound, "there is no checkpoint 9"));
}

// A checkpoint on a disk that can fail, of a variable with a value and an
// initial value, and of a request.
class ReadFaultTest : public StoreTest {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(checkpoints_, storage::DirectoryCheckpointStore::Open(
                                           &faulty_, "/data", &clock_));
    checkpointer_ = std::make_unique<Checkpointer>(
        &store_, &committer_, checkpoints_.get(), nullptr, &clock_,
        Checkpointer::Options());
    ASSERT_OK(committer_.Apply(
        DeclareMutation{"",
                        SpecOf("v", {2}, DType::kFloat32,
                               ValueInitializer{Of<float>({2}, {1, 2})}),
                        false},
        RequestId{1, 1}));
    ASSERT_OK(Initialize(store_, {"v"}));
    ASSERT_OK(checkpointer_->SaveAndWait());
  }

  // `read` fails with the disk's error at whichever of its calls.
  void ExpectFailsAnywhere(const std::function<absl::Status()>& read) {
    const StoreSnapshot before = store_.Snapshot();
    Fault fault;
    for (fault.at = 1;; ++fault.at) {
      SCOPED_TRACE(fault.at);
      faulty_.Inject(fault);
      absl::Status status = read();
      if (!faulty_.happened()) {
        EXPECT_OK(status);
        break;
      }
      EXPECT_THAT(status, StatusIs(StatusCode::kInternal, HasSubstr("/data")));
      ExpectSameSnapshot(store_.Snapshot(), before);
    }
    EXPECT_GT(fault.at, 4);
  }

  FakeClock clock_;
  storage::MemoryFileSystem disk_;
  FaultInjectingFileSystem faulty_{&disk_};
  Committer committer_{&store_};
  std::unique_ptr<storage::DirectoryCheckpointStore> checkpoints_;
  std::unique_ptr<Checkpointer> checkpointer_;
};

TEST_F(ReadFaultTest, ARestoreThatFailsChangesNothing) {
  ExpectFailsAnywhere([&] {
    std::promise<absl::Status> restored;
    checkpointer_->Restore({}, [&](absl::StatusOr<RestoreReport> report) {
      restored.set_value(std::move(report).status());
    });
    return restored.get_future().get();
  });
}

TEST_F(ReadFaultTest, ADescriptionMayFail) {
  ExpectFailsAnywhere([&] {
    std::promise<absl::Status> described;
    checkpointer_->Describe(
        0, [&](absl::StatusOr<Checkpointer::Description> description) {
          described.set_value(std::move(description).status());
        });
    return described.get_future().get();
  });
}

TEST_F(ReadFaultTest, ASnapshotMayFail) {
  ExpectFailsAnywhere([&] {
    auto reader = checkpoints_->Open(1);
    if (!reader.ok()) return reader.status();
    absl::StatusOr<StoreSnapshot> snapshot = DecodeSnapshot(reader->get());
    if (snapshot.ok()) {
      EXPECT_THAT(snapshot->requests.entries, SizeIs(1));
    }
    return snapshot.status();
  });
}

}  // namespace
}  // namespace varkeep
