// SPDX-License-Identifier: Apache-2.0
//
// A server as a whole: health, start and stop, and what it refuses to start on.
#include "server/server.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "base/usable_memory.h"
#include "tests/server/service/calls.h"

namespace varkeep {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

ServerOptions OptionsFor(const InProcessServer& server) {
  ServerOptions options;
  options.listen = {"127.0.0.1:0"};
  options.data_directory = server.data_directory();
  return options;
}

TEST(ServerTest, ASecondServerOnTheSameDirectoryIsRefused) {
  InProcessServer first;
  EXPECT_THAT(
      Server::Start(OptionsFor(first)),
      StatusIs(absl::StatusCode::kFailedPrecondition,
               AllOf(HasSubstr(first.data_directory()), HasSubstr("in use"))));
}

TEST(ServerTest, AnAddressInUseIsRefused) {
  InProcessServer first;
  TempDir directory;
  ServerOptions options;
  options.listen = {first.tcp_address()};
  options.data_directory = directory.path();
  EXPECT_THAT(Server::Start(options), StatusIs(absl::StatusCode::kUnavailable,
                                               HasSubstr(first.tcp_address())));
}

TEST(ServerTest, ValuesSurviveARestart) {
  InProcessServer server;
  {
    Stubs stubs(server);
    ASSERT_OK(stubs.Declare("w", {2}));
    ASSERT_OK(stubs.Declare("declared_only", {2}));
    ASSERT_OK(stubs.Assign({AssignMessage("w", *Of<float>({2}, {1, 2}))}));
  }
  server.Restart();
  Stubs stubs(server);
  EXPECT_THAT(stubs.ReadFloats("w"), IsOkAndHolds(ElementsAre(1, 2)));
  EXPECT_THAT(stubs.Read({"declared_only"}),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("declared_only")));
}

TEST(ServerTest, RevisionsGoOnAfterARestart) {
  InProcessServer server;
  uint64_t before = 0;
  {
    Stubs stubs(server);
    ASSERT_OK(stubs.Declare("w", {1}));
    before =
        stubs.Assign({AssignMessage("w", *Of<float>({1}, {1}))})->version();
  }
  server.Restart();
  Stubs stubs(server);
  ASSERT_OK_AND_ASSIGN(
      v1::AssignResponse after,
      stubs.Assign({AssignMessage("w", *Of<float>({1}, {2}))}));
  EXPECT_EQ(after.version(), before + 1);
}

TEST(ServerTest, ADamagedNewestCheckpointIsNeverReplacedSilently) {
  namespace fs = std::filesystem;
  TempDir directory;
  ServerOptions options;
  options.listen = {"127.0.0.1:0"};
  options.data_directory = directory.path();
  for (int i = 0; i < 2; ++i) {
    ASSERT_OK_AND_ASSIGN(auto server, Server::Start(options));
    auto channel = grpc::CreateChannel(server->addresses()[0],
                                       grpc::InsecureChannelCredentials());
    auto stub = v1::VariableService::NewStub(channel);
    v1::GetVariableRequest request;
    request.mutable_variable()->set_name("v" + std::to_string(i));
    request.mutable_variable()->mutable_shape();
    ASSERT_OK(Stubs::Call(stub.get(), &v1::VariableService::Stub::GetVariable,
                          request));
    ASSERT_OK(server->Stop());
  }
  std::ofstream(directory.path() + "/ckpt-000002.h5", std::ios::trunc)
      << "not a checkpoint";
  // The log makes up for it.
  EXPECT_OK(Server::Start(options));
  fs::remove_all(directory.path() + "/log");

  EXPECT_THAT(
      Server::Start(options),
      StatusIs(absl::StatusCode::kDataLoss,
               AllOf(HasSubstr("ckpt-000002.h5"), HasSubstr("ckpt-000001.h5"),
                     HasSubstr("--allow-fallback"))));
  options.allow_fallback = true;
  EXPECT_OK(Server::Start(options));
}

v1::StatusResponse StatusOf(Stubs& stubs) {
  absl::StatusOr<v1::StatusResponse> status = Stubs::Call(
      stubs.admin.get(), &v1::AdminService::Stub::Status, v1::StatusRequest());
  EXPECT_OK(status);
  return status.ok() ? *status : v1::StatusResponse();
}

TEST(MemoryLimitTest, FitsTheMachineUnlessGiven) {
  ServerOptions* options = nullptr;
  InProcessServer server([&](ServerOptions* its) { options = its; });
  const auto expect_limits = [&](int64_t values, int64_t calls) {
    Stubs stubs(server);
    const v1::StatusResponse status = StatusOf(stubs);
    EXPECT_EQ(static_cast<int64_t>(status.memory_limit_bytes()), values);
    EXPECT_EQ(static_cast<int64_t>(status.call_limit_bytes()), calls);
  };
  const int64_t usable = UsableMemory();
  expect_limits(usable / 5 * 4, usable / 2);

  options->memory_limit_bytes = 1 << 20;
  server.Restart();
  expect_limits(1 << 20, 1 << 20);

  options->memory_limit_bytes = int64_t{1} << 60;
  server.Restart();
  expect_limits(int64_t{1} << 60, usable / 2);
}

TEST(MemoryLimitTest, ASmallerOneThanTheValuesKeepsNoServerFromStarting) {
  ServerOptions* options = nullptr;
  InProcessServer server([&](ServerOptions* its) { options = its; });
  const TensorRef value = Of<float>({4}, {1, 2, 3, 4});
  {
    Stubs stubs(server);
    ASSERT_OK(stubs.Declare("w", {4}));
    ASSERT_OK(stubs.Assign({AssignMessage("w", *value)}));
  }
  options->memory_limit_bytes = 10;
  options->call_memory_limit_bytes = 1 << 20;
  server.Restart();
  Stubs stubs(server);
  EXPECT_THAT(stubs.ReadFloats("w"), IsOkAndHolds(ElementsAre(1, 2, 3, 4)));
  EXPECT_OK(stubs.Assign({AssignMessage("w", *value)}));
  ASSERT_OK(stubs.Declare("v", {1}));
  EXPECT_THAT(stubs.Assign({AssignMessage("v", *Of<float>({1}, {1}))}),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       HasSubstr("memory limit of 10 bytes: the variables hold "
                                 "16 bytes, the request needs 4 more")));
}

}  // namespace
}  // namespace varkeep
