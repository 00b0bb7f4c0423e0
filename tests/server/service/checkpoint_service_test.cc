// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <fstream>

#include "tests/server/service/calls.h"

namespace varkeep {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Stub = v1::CheckpointService::Stub;

class CheckpointServiceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK(stubs_.Declare("w", {2}));
    Put({1, 2});
  }

  void Put(const std::vector<float>& values) {
    ASSERT_OK(stubs_.Assign({AssignMessage("w", *Of<float>({2}, values))}));
  }

  // The messages of one Save call.
  std::vector<v1::SaveResponse> Save() {
    grpc::ClientContext context;
    auto reader = stubs_.checkpoints->Save(&context, v1::SaveRequest());
    std::vector<v1::SaveResponse> messages(1);
    while (reader->Read(&messages.back())) messages.emplace_back();
    messages.pop_back();
    grpc::Status status = reader->Finish();
    EXPECT_TRUE(status.ok()) << status.error_message();
    return messages;
  }

  absl::StatusOr<v1::RestoreResponse> Restore(
      const v1::RestoreRequest& request) {
    return Stubs::Call(stubs_.checkpoints.get(), &Stub::Restore, request);
  }

  InProcessServer server_;
  Stubs stubs_{server_};
};

TEST_F(CheckpointServiceTest, SaveEndsWithTheCheckpoint) {
  std::vector<v1::SaveResponse> messages = Save();
  ASSERT_FALSE(messages.empty());
  const v1::Checkpoint& saved = messages.back().checkpoint();
  EXPECT_EQ(saved.id(), 1);
  EXPECT_EQ(saved.entries(), 1);
  std::ifstream file(server_.data_directory() + "/" + saved.file(),
                     std::ios::binary | std::ios::ate);
  EXPECT_EQ(static_cast<uint64_t>(file.tellg()), saved.size_bytes());
}

TEST_F(CheckpointServiceTest, RestoreBringsTheValuesBack) {
  Save();
  Put({8, 9});
  ASSERT_OK_AND_ASSIGN(v1::RestoreResponse restored,
                       Restore(v1::RestoreRequest()));
  EXPECT_EQ(restored.variables_size(), 1);
  EXPECT_EQ(restored.variables(0).name(), "w");
  EXPECT_GT(restored.revision(), restored.checkpoint().revision());
  EXPECT_THAT(stubs_.ReadFloats("w"), IsOkAndHolds(ElementsAre(1, 2)));
}

TEST_F(CheckpointServiceTest, ADryRunChangesNothing) {
  Save();
  Put({8, 9});
  v1::RestoreRequest request;
  request.set_dry_run(true);
  ASSERT_OK_AND_ASSIGN(v1::RestoreResponse report, Restore(request));
  EXPECT_EQ(report.variables_size(), 1);
  EXPECT_EQ(report.revision(), 0u);
  EXPECT_THAT(stubs_.ReadFloats("w"), IsOkAndHolds(ElementsAre(8, 9)));
}

TEST_F(CheckpointServiceTest, ARepeatedRestoreDoesNotUndoWhatCameAfterIt) {
  Save();
  Put({8, 9});
  v1::RestoreRequest request;
  request.mutable_request_id()->set_client(5);
  request.mutable_request_id()->set_sequence(1);
  request.set_durability(v1::DURABILITY_FSYNC);
  ASSERT_OK_AND_ASSIGN(v1::RestoreResponse first, Restore(request));
  EXPECT_EQ(first.durability(), v1::DURABILITY_FSYNC);
  Put({3, 4});

  ASSERT_OK_AND_ASSIGN(v1::RestoreResponse again, Restore(request));

  EXPECT_TRUE(again.duplicate());
  EXPECT_EQ(again.revision(), first.revision());
  EXPECT_FALSE(again.has_checkpoint());
  EXPECT_THAT(stubs_.ReadFloats("w"), IsOkAndHolds(ElementsAre(3, 4)));
}

TEST_F(CheckpointServiceTest, ANameMapRestoresIntoAnotherVariable) {
  Save();
  v1::RestoreRequest request;
  (*request.mutable_name_map())["w"] = "copy/of_w";
  ASSERT_OK_AND_ASSIGN(v1::RestoreResponse report, Restore(request));
  EXPECT_TRUE(report.variables(0).declared());
  EXPECT_THAT(stubs_.ReadFloats("copy/of_w"), IsOkAndHolds(ElementsAre(1, 2)));
}

TEST_F(CheckpointServiceTest, AMissingKeyIsNamedAndNothingChanges) {
  Save();
  Put({8, 9});
  v1::RestoreRequest request;
  request.add_names("w");
  request.add_names("absent");
  EXPECT_THAT(Restore(request), StatusIs(absl::StatusCode::kNotFound,
                                         "Key absent not found in checkpoint"));
  EXPECT_THAT(stubs_.ReadFloats("w"), IsOkAndHolds(ElementsAre(8, 9)));
}

TEST_F(CheckpointServiceTest, ListDescribeAndDelete) {
  Save();
  Put({3, 4});
  Save();
  ASSERT_OK_AND_ASSIGN(auto listed,
                       Stubs::Call(stubs_.checkpoints.get(), &Stub::List,
                                   v1::ListCheckpointsRequest()));
  ASSERT_EQ(listed.checkpoints_size(), 2);
  v1::DescribeCheckpointRequest describe;
  ASSERT_OK_AND_ASSIGN(auto described, Stubs::Call(stubs_.checkpoints.get(),
                                                   &Stub::Describe, describe));
  EXPECT_EQ(described.checkpoint().id(), 2);
  EXPECT_EQ(described.variables(0).name(), "w:0");
  v1::DeleteCheckpointRequest remove;
  remove.set_id(2);
  EXPECT_THAT(
      Stubs::Call(stubs_.checkpoints.get(), &Stub::Delete, remove),
      StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("newest")));
  remove.set_id(1);
  EXPECT_OK(Stubs::Call(stubs_.checkpoints.get(), &Stub::Delete, remove));
  remove.set_id(77);
  EXPECT_THAT(Stubs::Call(stubs_.checkpoints.get(), &Stub::Delete, remove),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("77")));
}

TEST_F(CheckpointServiceTest, ADamagedFileIsNamedAndNothingIsRestored) {
  const v1::Checkpoint saved = Save().back().checkpoint();
  {
    std::fstream file(server_.data_directory() + "/" + saved.file(),
                      std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(saved.size_bytes() / 2));
    file.put('\x5a');
  }
  Put({8, 9});
  EXPECT_THAT(Restore(v1::RestoreRequest()),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr(saved.file())));
  EXPECT_THAT(stubs_.ReadFloats("w"), IsOkAndHolds(ElementsAre(8, 9)));
}

}  // namespace
}  // namespace varkeep
