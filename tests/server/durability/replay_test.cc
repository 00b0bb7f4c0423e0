// SPDX-License-Identifier: Apache-2.0
//
// Logs that are sound but hold what this server would not have written.
#include "server/durability/mutation_codec.h"
#include "server/durability/recovery.h"
#include "storage/memory_checkpoint_store.h"
#include "storage/memory_file_system.h"
#include "tests/server/variables/store_testing.h"
#include "tests/testing/fake_clock.h"
#include "tests/testing/fault_injecting_file_system.h"
#include "tests/testing/gated_checkpoint_store.h"

namespace varkeep {
namespace {

using absl::StatusCode;
using ::testing::AllOf;
using ::testing::HasSubstr;

class ReplayTest : public StoreTest {
 protected:
  explicit ReplayTest(const StoreLimits& limits = {}) : StoreTest(limits) {
    options_.log.directory = "/log";
  }

  void Log(const std::vector<storage::LogEntry>& entries) {
    storage::LogRecovered recovered;
    auto replay = [](const storage::LogRecord&) { return absl::OkStatus(); };
    ASSERT_OK_AND_ASSIGN(auto log,
                         storage::Log::Open(&disk_, options_.log, 0, 0, replay,
                                            nullptr, &recovered));
    for (const storage::LogEntry& entry : entries) {
      ASSERT_OK(log->Append(entry, Durability::kFsync, [](uint64_t) {}));
    }
  }
  static storage::LogEntry Declaring(const std::string& name) {
    return EncodeMutation(DeclareMutation{"", SpecOf(name), false}, {});
  }
  absl::Status Recover() {
    return varkeep::Recover(&checkpoints_, &faulty_, options_, &store_)
        .status();
  }

  FakeClock clock_;
  storage::MemoryFileSystem disk_;
  FaultInjectingFileSystem faulty_{&disk_};
  storage::MemoryCheckpointStore memory_{&clock_};
  GatedCheckpointStore checkpoints_{&memory_};
  RecoveryOptions options_;
};

// Variables of at most 64 bytes, 100 bytes together.
class LimitedReplayTest : public ReplayTest {
 protected:
  LimitedReplayTest() : ReplayTest({64, 100}) {}
};

TEST_F(LimitedReplayTest, NoLimitKeepsAServerFromStarting) {
  Log({EncodeMutation(DeclareMutation{"", SpecOf("v", {50}), false}, {}),
       EncodeMutation(InitializeMutation{"", {"v"}, false}, {})});

  EXPECT_OK(Recover());
  EXPECT_EQ(store_.usage().value_bytes, 200);
}

TEST_F(ReplayTest, ARecordThatIsNoMutationIsNamed) {
  storage::LogEntry entry;
  entry.body = "{}";
  Log({Declaring("v"), entry});

  EXPECT_THAT(
      Recover(),
      StatusIs(
          StatusCode::kDataLoss,
          AllOf(HasSubstr("the log's change of revision 2 cannot be applied"),
                HasSubstr("the record is not a mutation"))));
}

TEST_F(ReplayTest, AChangeThatTheStoreRefusesIsNamed) {
  Log({EncodeMutation(DeleteMutation{"", "absent"}, {})});

  EXPECT_THAT(
      Recover(),
      StatusIs(
          StatusCode::kNotFound,
          AllOf(HasSubstr("the log's change of revision 1 cannot be applied"),
                HasSubstr("absent"))));
}

TEST_F(ReplayTest, AChangeThatChangesNothingIsNamed) {
  Log({Declaring("v"), Declaring("v")});

  EXPECT_THAT(Recover(),
              StatusIs(StatusCode::kDataLoss,
                       "the log's change of revision 2 cannot be applied: it "
                       "changes nothing"));
}

TEST_F(ReplayTest, AChangeTakesTheRevisionsItTookBefore) {
  storage::LogEntry entry = Declaring("v");
  entry.revisions = 2;
  Log({entry});

  EXPECT_THAT(
      Recover(),
      StatusIs(StatusCode::kDataLoss,
               HasSubstr("it took 2 revisions when it was written and takes 1 "
                         "now")));
}

TEST_F(ReplayTest, CheckpointsThatCannotBeListedAreAnError) {
  checkpoints_.FailLists(absl::InternalError("cannot list"));

  EXPECT_THAT(Recover(), StatusIs(StatusCode::kInternal, "cannot list"));
}

TEST_F(ReplayTest, ADiskThatFailsIsAnError) {
  Log({Declaring("v")});
  Fault fault;
  fault.at = 1;
  faulty_.Inject(fault);

  EXPECT_THAT(Recover(), StatusIs(StatusCode::kInternal, HasSubstr("/log")));
}

}  // namespace
}  // namespace varkeep
