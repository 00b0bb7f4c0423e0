// SPDX-License-Identifier: Apache-2.0
//
// What each release left on the disk (make_golden.cc) is what this server
// shows.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "client/admin_client.h"
#include "client/client.h"
#include "tests/golden/state_text.h"
#include "tests/testing/in_process_server.h"
#include "tests/testing/status_matchers.h"

namespace varkeep {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> Releases() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(GOLDEN)) {
    if (entry.is_directory()) names.push_back(entry.path().filename());
  }
  return names;
}

std::string Contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class GoldenTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(client_, client::Client::Connect(server_.address()));
  }

  const std::string golden_ = GOLDEN "/" + GetParam();
  InProcessServer server_{[this](ServerOptions* options) {
    fs::copy(golden_ + "/data", options->data_directory,
             fs::copy_options::recursive);
  }};
  std::shared_ptr<client::Client> client_;
};

TEST_P(GoldenTest, EveryValueIsWhatThatReleaseHad) {
  ASSERT_OK_AND_ASSIGN(std::string state, StateText(client_.get()));
  EXPECT_EQ(state, Contents(golden_ + "/state.txt"));
}

TEST_P(GoldenTest, ItsCheckpointsAreGood) {
  client::AdminClient admin(*client_);
  ASSERT_OK_AND_ASSIGN(auto checkpoints, admin.ListCheckpoints());
  EXPECT_GE(checkpoints.size(), 2u);
  for (const client::CheckpointInfo& checkpoint : checkpoints) {
    ASSERT_OK_AND_ASSIGN(client::VerifyReport report,
                         admin.VerifyCheckpoint(checkpoint.id));
    EXPECT_GT(report.values, 0);
    EXPECT_TRUE(report.damage.empty()) << report.damage[0].message;
  }
}

// Saved by this server, all of it is still there.
TEST_P(GoldenTest, ItCanBeSavedAnew) {
  server_.Restart();
  ASSERT_OK_AND_ASSIGN(std::string state, StateText(client_.get()));
  EXPECT_EQ(state, Contents(golden_ + "/state.txt"));
}

INSTANTIATE_TEST_SUITE_P(Releases, GoldenTest, ::testing::ValuesIn(Releases()),
                         [](const auto& release) {
                           std::string name = release.param;
                           for (char& c : name) {
                             if (c == '.') c = '_';
                           }
                           return name;
                         });

}  // namespace
}  // namespace varkeep
