// SPDX-License-Identifier: Apache-2.0
//
// A server as a whole: health, start and stop, and what it refuses to start on.
#include "server/server.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

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

}  // namespace
}  // namespace varkeep
