// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/server/service/calls.h"

namespace varkeep {
namespace {

using ::testing::HasSubstr;
using Stub = v1::AdminService::Stub;

class AdminServiceTest : public ::testing::Test {
 protected:
  v1::StatusResponse Status() {
    return *Stubs::Call(stubs_.admin.get(), &Stub::Status, v1::StatusRequest());
  }

  InProcessServer server_;
  Stubs stubs_{server_};
};

TEST_F(AdminServiceTest, StatusCountsWhatIsThere) {
  ASSERT_OK(stubs_.Declare("a", {4}));
  ASSERT_OK(stubs_.Declare("b", {4}));
  ASSERT_OK(stubs_.Assign({AssignMessage("a", *Of<float>({4}, {1, 2, 3, 4}))}));
  const v1::StatusResponse status = Status();
  EXPECT_EQ(status.variables(), 2);
  EXPECT_EQ(status.uninitialized(), 1);
  EXPECT_EQ(status.value_bytes(), 16u);
  EXPECT_EQ(status.revision(), 3u);
  EXPECT_EQ(status.data_directory(), server_.data_directory());
}

TEST_F(AdminServiceTest, DeleteVariable) {
  ASSERT_OK(stubs_.Declare("a", {4}));
  v1::DeleteVariableRequest request;
  request.set_name("a:0");
  EXPECT_OK(Stubs::Call(stubs_.admin.get(), &Stub::DeleteVariable, request));
  EXPECT_THAT(Stubs::Call(stubs_.admin.get(), &Stub::DeleteVariable, request),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("'a'")));
}

TEST_F(AdminServiceTest, ResetContainerDropsItsVariablesAndClosesSessions) {
  v1::OpenSessionRequest open;
  open.set_container("c");
  open.set_creator("tester");
  ASSERT_OK_AND_ASSIGN(
      v1::OpenSessionResponse session,
      Stubs::Call(stubs_.variables.get(),
                  &v1::VariableService::Stub::OpenSession, open));
  v1::GetVariableRequest get;
  get.set_session_id(session.session_id());
  get.mutable_variable()->set_name("v");
  get.mutable_variable()->mutable_shape();
  ASSERT_OK(Stubs::Call(stubs_.variables.get(),
                        &v1::VariableService::Stub::GetVariable, get));
  ASSERT_OK(stubs_.Declare("v", {1}));
  EXPECT_EQ(Stubs::Call(stubs_.admin.get(), &Stub::ListSessions,
                        v1::ListSessionsRequest())
                ->sessions(0)
                .creator(),
            "tester");

  v1::ResetContainerRequest reset;
  reset.set_container("c");
  ASSERT_OK_AND_ASSIGN(
      v1::ResetContainerResponse dropped,
      Stubs::Call(stubs_.admin.get(), &Stub::ResetContainer, reset));
  EXPECT_EQ(dropped.dropped_variables(), 1);
  EXPECT_EQ(dropped.closed_sessions(), 1);
  EXPECT_EQ(Status().variables(), 1) << "the other container's variable stays";
  EXPECT_THAT(Stubs::Call(stubs_.variables.get(),
                          &v1::VariableService::Stub::GetVariable, get),
              StatusIs(absl::StatusCode::kAborted,
                       "Session " + session.session_id() + " is not found."));
}

TEST_F(AdminServiceTest, DrainingRefusesChangesAndServesReads) {
  ASSERT_OK(stubs_.Declare("a", {1}));
  ASSERT_OK(stubs_.Assign({AssignMessage("a", *Of<float>({1}, {1}))}));
  v1::DrainRequest drain;
  ASSERT_OK(Stubs::Call(stubs_.admin.get(), &Stub::Drain, drain));
  EXPECT_TRUE(Status().draining());
  EXPECT_THAT(stubs_.Assign({AssignMessage("a", *Of<float>({1}, {2}))}),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("draining")));
  EXPECT_OK(stubs_.ReadFloats("a"));
  drain.set_resume(true);
  ASSERT_OK(Stubs::Call(stubs_.admin.get(), &Stub::Drain, drain));
  EXPECT_OK(stubs_.Assign({AssignMessage("a", *Of<float>({1}, {2}))}));
}

TEST_F(AdminServiceTest, UnknownLogLevelIsRefused) {
  v1::SetLogLevelRequest request;
  request.set_level("loud");
  EXPECT_THAT(
      Stubs::Call(stubs_.admin.get(), &Stub::SetLogLevel, request),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("'loud'")));
  request.set_level("debug");
  ASSERT_OK(Stubs::Call(stubs_.admin.get(), &Stub::SetLogLevel, request));
  EXPECT_EQ(Status().log_level(), "debug");
  request.set_level("info");
  ASSERT_OK(Stubs::Call(stubs_.admin.get(), &Stub::SetLogLevel, request));
}

}  // namespace
}  // namespace varkeep
