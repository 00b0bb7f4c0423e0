// SPDX-License-Identifier: Apache-2.0
#include "server/durability/committer.h"

#include "storage/memory_file_system.h"
#include "tests/server/variables/store_testing.h"
#include "tests/testing/checkpoints.h"
#include "tests/testing/fault_injecting_file_system.h"

namespace varkeep {
namespace {

using absl::StatusCode;
using ::testing::HasSubstr;

class CommitterTest : public StoreTest {
 protected:
  Committer committer_{&store_};
};

TEST_F(CommitterTest, AppliesToTheStore) {
  ASSERT_OK_AND_ASSIGN(Applied applied,
                       committer_.Apply(DeclareMutation{"", SpecOf("v"), false},
                                        RequestId{1, 1}));

  EXPECT_EQ(applied.revision, 1u);
  EXPECT_OK(store_.Find("", "v"));
  ASSERT_OK_AND_ASSIGN(VariableInfo info, committer_.Find("", "v"));
  EXPECT_EQ(info.declared, 1u);
  ASSERT_OK_AND_ASSIGN(
      applied, committer_.Declare(DeclareMutation{"", SpecOf("v"), false},
                                  RequestId{1, 1}));
  EXPECT_TRUE(applied.duplicate);
}

TEST_F(CommitterTest, RefusesEveryChangeWhileDraining) {
  ASSERT_OK(Declare(store_, SpecOf("v", {1})));
  committer_.SetDraining(true);
  EXPECT_TRUE(committer_.draining());

  const auto refused = StatusIs(StatusCode::kUnavailable,
                                HasSubstr("draining: it accepts no changes"));
  EXPECT_THAT(committer_.Apply(InitializeMutation{"", {"v"}, false}), refused);
  EXPECT_THAT(committer_.Declare(DeclareMutation{"", SpecOf("w"), false}, {}),
              refused);
  EXPECT_OK(committer_.Find("", "v"));
  EXPECT_EQ(store_.usage().revision, 1u);

  committer_.SetDraining(false);
  EXPECT_OK(committer_.Apply(InitializeMutation{"", {"v"}, false}));
}

TEST_F(CommitterTest, WithoutALogNothingWaitsForTheDisk) {
  Request request;
  request.durability = Durability::kFsync;
  const AssignMutation assign{"", "v", Of<float>({}, {1}), {}, true};

  EXPECT_FALSE(committer_.MayWait(request));
  EXPECT_EQ(committer_.Draft(assign, request), nullptr);
  EXPECT_THAT(committer_.Reach(request), IsOkAndHolds(Durability::kFsync));
}

// With a log on a disk that can fail.
class LoggedCommitterTest : public CommitterTest {
 protected:
  LoggedCommitterTest() {
    storage::LogOptions options;
    options.directory = "/log";
    options.draft_bytes = 1 << 10;
    options.prepare_in_background = false;
    storage::LogRecovered recovered;
    auto replay = [](const storage::LogRecord&) { return absl::OkStatus(); };
    auto log = storage::Log::Open(&faulty_, options, 0, 0, replay, nullptr,
                                  &recovered);
    if (!log.ok()) std::abort();
    log_ = *std::move(log);
    committer_.SetLog(log_.get());
    EXPECT_OK(committer_.Apply(DeclareMutation{"", SpecOf("v"), false}));
  }

  static Request Wanting(Durability durability,
                         std::optional<RequestId> id = {}) {
    Request request(id);
    request.durability = durability;
    return request;
  }
  static AssignMutation AssignTo(float value) {
    return {"", "v", Of<float>({}, {value}), {}, true};
  }
  void BreakDisk() {
    Fault fault;
    fault.at = 1;
    fault.sticky = true;
    faulty_.Inject(fault);
  }
  bool IsOnDisk() const {
    return log_->state().synced == log_->state().published;
  }

  storage::MemoryFileSystem disk_;
  FaultInjectingFileSystem faulty_{&disk_};
  std::unique_ptr<storage::Log> log_;
};

TEST_F(LoggedCommitterTest, AChangeIsAsDurableAsTheRequestAsks) {
  ASSERT_OK_AND_ASSIGN(Applied applied, committer_.Apply(AssignTo(1)));
  EXPECT_EQ(applied.durability, committer_.durability());
  EXPECT_FALSE(IsOnDisk());

  ASSERT_OK_AND_ASSIGN(
      applied, committer_.Apply(AssignTo(2), Wanting(Durability::kFsync)));
  EXPECT_EQ(applied.durability, Durability::kFsync);
  EXPECT_TRUE(IsOnDisk());
}

TEST_F(LoggedCommitterTest, ARepeatedRequestMakesTheFirstDurable) {
  const RequestId id{1, 1};
  ASSERT_OK(committer_.Apply(AssignTo(1), Wanting(Durability::kNone, id)));
  ASSERT_FALSE(IsOnDisk());

  ASSERT_OK_AND_ASSIGN(
      Applied applied,
      committer_.Apply(AssignTo(1), Wanting(Durability::kFsync, id)));

  EXPECT_TRUE(applied.duplicate);
  EXPECT_EQ(applied.durability, Durability::kFsync);
  EXPECT_TRUE(IsOnDisk());
}

TEST_F(LoggedCommitterTest, WhatIsOnTheDiskIsNotSyncedAgain) {
  ASSERT_OK(committer_.Apply(AssignTo(1), Wanting(Durability::kFsync)));
  BreakDisk();

  EXPECT_THAT(committer_.Reach(Wanting(Durability::kFsync)),
              IsOkAndHolds(Durability::kFsync));
  EXPECT_THAT(committer_.Reach(Wanting(Durability::kInterval)),
              IsOkAndHolds(Durability::kInterval));
  EXPECT_FALSE(faulty_.happened());
}

TEST_F(LoggedCommitterTest, ADiskThatFailsChangesNothing) {
  ASSERT_OK(committer_.Apply(AssignTo(1)));
  BreakDisk();

  const auto unavailable =
      StatusIs(StatusCode::kUnavailable, HasSubstr("the log is broken"));
  EXPECT_THAT(committer_.Apply(AssignTo(2), Wanting(Durability::kFsync)),
              unavailable);
  EXPECT_THAT(committer_.Reach(Wanting(Durability::kFsync)), unavailable);
  EXPECT_THAT(ValueOf(store_, "v"), TensorEq(Of<float>({}, {1})));
}

TEST_F(LoggedCommitterTest, CountsTheChangesThatTheLogRefuses) {
  Fault full;
  full.at = 1;
  full.code = StatusCode::kResourceExhausted;
  faulty_.Inject(full);
  EXPECT_THAT(committer_.Apply(AssignTo(2)),
              StatusIs(StatusCode::kResourceExhausted, HasSubstr("/log")));
  EXPECT_EQ(committer_.refused().disk_full, 1);
  EXPECT_EQ(committer_.refused().log_broken, 0);
  ASSERT_OK(committer_.Apply(AssignTo(2)));

  BreakDisk();
  for (int i = 0; i < 2; ++i) EXPECT_FALSE(committer_.Apply(AssignTo(3)).ok());

  EXPECT_EQ(committer_.refused().disk_full, 1);
  EXPECT_EQ(committer_.refused().log_broken, 2);
}

TEST_F(LoggedCommitterTest, ARepeatedRequestThatCannotBeMadeDurableFails) {
  const RequestId id{1, 1};
  ASSERT_OK(committer_.Apply(AssignTo(1), Wanting(Durability::kNone, id)));
  BreakDisk();

  EXPECT_THAT(
      committer_.Apply(AssignTo(1), Wanting(Durability::kFsync, id)),
      StatusIs(StatusCode::kUnavailable, HasSubstr("the log is broken")));
}

TEST_F(LoggedCommitterTest, AChangeThatFailsIsNotLogged) {
  const uint64_t before = log_->state().published;

  EXPECT_THAT(committer_.Apply(DeleteMutation{"", "absent"}),
              StatusIs(StatusCode::kNotFound, HasSubstr("absent")));

  EXPECT_EQ(log_->state().published, before);
}

TEST_F(LoggedCommitterTest, ALargeValueMayBeLoggedFromADraft) {
  const TensorRef value = RandomTensor(DType::kFloat32, {1 << 10}, 1);
  const AssignMutation assign{"", "v", value, {}, false};
  std::unique_ptr<storage::LogDraft> draft = committer_.Draft(assign, {});
  ASSERT_NE(draft, nullptr);
  draft->Extend(value->size_bytes());

  ASSERT_OK(committer_.Apply(assign, {}, draft.get()));

  EXPECT_THAT(ValueOf(store_, "v"), TensorEq(value));
  EXPECT_EQ(committer_.Draft(AssignTo(1), {}), nullptr);
}

TEST_F(LoggedCommitterTest, WhoeverWantsASyncMayWait) {
  EXPECT_FALSE(committer_.MayWait(Wanting(Durability::kInterval)));
  EXPECT_TRUE(committer_.MayWait(Wanting(Durability::kFsync)));
}

TEST_F(LoggedCommitterTest, EveryoneMayWaitWhileALargeChangeIsWritten) {
  const Request request = Wanting(Durability::kNone);
  bool may_wait = false;
  Fault disk_full;
  disk_full.at = 1;
  disk_full.code = StatusCode::kResourceExhausted;
  disk_full.action = [&] { may_wait = committer_.MayWait(request); };
  faulty_.Inject(disk_full);
  const AssignMutation large{
      "", "v", RandomTensor(DType::kFloat32, {1 << 18}, 1), {}, false};

  ASSERT_THAT(committer_.Apply(large, request),
              StatusIs(StatusCode::kResourceExhausted, HasSubstr("/log")));

  EXPECT_TRUE(may_wait);
  EXPECT_FALSE(committer_.MayWait(request));
}

}  // namespace
}  // namespace varkeep
