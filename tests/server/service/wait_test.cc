// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <chrono>
#include <thread>

#include "tests/server/service/calls.h"

namespace varkeep {
namespace {

class WaitTest : public ::testing::Test {
 protected:
  static v1::WaitUntilInitializedRequest For(const std::string& name) {
    v1::WaitUntilInitializedRequest request;
    request.mutable_selection()->mutable_names()->add_names(name);
    return request;
  }

  InProcessServer server_;
  Stubs stubs_{server_};
};

TEST_F(WaitTest, AnswersWhenTheLastVariableIsInitialized) {
  v1::WaitUntilInitializedResponse response;
  grpc::Status waited;
  std::thread waiter([&] {
    grpc::ClientContext context;
    v1::WaitUntilInitializedRequest request = For("a");
    request.mutable_selection()->mutable_names()->add_names("b");
    waited =
        stubs_.variables->WaitUntilInitialized(&context, request, &response);
  });
  ASSERT_OK(stubs_.Declare("a", {1}));
  ASSERT_OK(stubs_.Declare("b", {1}));
  ASSERT_OK(stubs_.Assign({AssignMessage("a", *Of<float>({1}, {1}))}));
  ASSERT_OK_AND_ASSIGN(
      v1::AssignResponse last,
      stubs_.Assign({AssignMessage("b", *Of<float>({1}, {1}))}));
  waiter.join();
  EXPECT_TRUE(waited.ok()) << waited.error_message();
  EXPECT_GE(response.revision(), last.version());
}

TEST_F(WaitTest, EndsWithTheDeadlineOfTheCall) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() +
                       std::chrono::milliseconds(50));
  v1::WaitUntilInitializedResponse response;
  EXPECT_EQ(
      stubs_.variables->WaitUntilInitialized(&context, For("never"), &response)
          .error_code(),
      grpc::StatusCode::DEADLINE_EXCEEDED);
}

TEST_F(WaitTest, ManyWaitersThatGiveUpLeaveNothingBehind) {
  for (int i = 0; i < 50; ++i) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() +
                         std::chrono::milliseconds(i % 5));
    v1::WaitUntilInitializedResponse response;
    (void)stubs_.variables->WaitUntilInitialized(&context, For("w"), &response);
  }
  ASSERT_OK(stubs_.Declare("w", {1}));
  ASSERT_OK(stubs_.Assign({AssignMessage("w", *Of<float>({1}, {1}))}));
}

TEST_F(WaitTest, AnEmptySelectionIsAnError) {
  EXPECT_THAT(Stubs::Call(stubs_.variables.get(),
                          &v1::VariableService::Stub::WaitUntilInitialized,
                          v1::WaitUntilInitializedRequest()),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       ::testing::HasSubstr("selection")));
}

}  // namespace
}  // namespace varkeep
