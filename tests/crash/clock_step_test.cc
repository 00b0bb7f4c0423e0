// SPDX-License-Identifier: Apache-2.0
//
// Somebody sets the clock of the machine while a server runs, or between two
// runs: leases, intervals and the order of checkpoints are not moved by it.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>

#include "base/clock.h"
#include "client/admin_client.h"
#include "client/client.h"
#include "tests/testing/server_process.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"
#include "tests/testing/tensors.h"

namespace varkeep {
namespace {

using client::Variable;

constexpr int64_t kHour = 3600;

class ClockStepTest : public ::testing::TestWithParam<int64_t> {
 protected:
  ClockStepTest() {
    const std::string path = directory_.path() + "/shift";
    const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    EXPECT_EQ(ftruncate(file, sizeof(int64_t)), 0);
    void* const shared = mmap(nullptr, sizeof(int64_t), PROT_READ | PROT_WRITE,
                              MAP_SHARED, file, 0);
    EXPECT_NE(shared, MAP_FAILED);
    close(file);
    shift_ = static_cast<std::atomic<int64_t>*>(shared);
    setenv("SHIFTED_CLOCK", path.c_str(), 1);
    setenv("LD_PRELOAD", SHIFTED_CLOCK, 1);
    server_.emplace(std::vector<std::string>{"--checkpoint-interval", "1s"});
  }
  ~ClockStepTest() override {
    unsetenv("LD_PRELOAD");
    server_.reset();
    munmap(shift_, sizeof(*shift_));
  }

  void StepClock() { *shift_ += GetParam(); }
  void Connect() {
    ASSERT_OK_AND_ASSIGN(client_, client::Client::Connect(server_->address()));
    ASSERT_OK_AND_ASSIGN(session_, client_->OpenSession());
  }
  // How the server is when it is as it should be, at the latest after much more
  // than an interval and much less than a step.
  client::ServerStatus Await(
      const std::function<bool(const client::ServerStatus&)>& condition) {
    const absl::Time until = Clock::Steady()->Now() + absl::Seconds(60);
    for (;;) {
      auto status = client::AdminClient(*client_).Status();
      EXPECT_OK(status);
      if (!status.ok() || condition(*status))
        return status.value_or(client::ServerStatus());
      if (Clock::Steady()->Now() > until) {
        ADD_FAILURE() << "it does not happen";
        return *status;
      }
    }
  }

  TempDir directory_;
  std::atomic<int64_t>* shift_ = nullptr;
  std::optional<ServerProcess> server_;
  std::shared_ptr<client::Client> client_;
  std::shared_ptr<client::Session> session_;
};

TEST_P(ClockStepTest, WhileAServerRuns) {
  ASSERT_NO_FATAL_FAILURE(Connect());
  client::AdminClient admin(*client_);
  const absl::Time before = Await([](const auto&) { return true; }).started;
  ASSERT_OK_AND_ASSIGN(Variable v,
                       session_->GetVariable("v", {}, client::Zeros()));
  ASSERT_OK(session_->Initialize());
  ASSERT_OK_AND_ASSIGN(auto sessions, admin.ListSessions());

  // The intervals after which it is synced and saved have begun.
  StepClock();

  Await([](const auto& now) { return now.synced_revision == now.revision; });
  const client::ServerStatus saved = Await([](const auto& now) {
    return now.last_checkpoint_revision == now.revision;
  });
  // The server does see the step.
  const absl::Duration seen = saved.last_checkpoint->created - before;
  EXPECT_LT(absl::AbsDuration(seen - absl::Seconds(GetParam())),
            absl::Minutes(10));
  ASSERT_OK_AND_ASSIGN(auto sessions_now, admin.ListSessions());
  ASSERT_EQ(sessions_now.size(), 1u);
  EXPECT_EQ(sessions_now[0].id, sessions[0].id);
  ASSERT_OK(v.Assign(Of<float>({}, {1})));
  EXPECT_THAT(v.Read(), IsOkAndHolds(TensorEq(Of<float>({}, {1}))));
}

TEST_P(ClockStepTest, BetweenRuns) {
  for (float run = 1; run <= 3; ++run) {
    ASSERT_NO_FATAL_FAILURE(Connect());
    ASSERT_OK_AND_ASSIGN(Variable v,
                         session_->GetVariable("v", {}, client::Zeros()));
    if (run == 1) {
      ASSERT_OK(session_->Initialize());
    } else {
      EXPECT_THAT(v.Read(), IsOkAndHolds(TensorEq(Of<float>({}, {run - 1}))));
    }
    ASSERT_OK(v.Assign(Of<float>({}, {run})));
    ASSERT_OK(client::AdminClient(*client_).Save());
    server_->Kill();
    StepClock();
    server_->Start();
    server_->WaitUntilServing();
  }
  ASSERT_NO_FATAL_FAILURE(Connect());
  ASSERT_OK_AND_ASSIGN(auto checkpoints,
                       client::AdminClient(*client_).ListCheckpoints());
  for (size_t i = 1; i < checkpoints.size(); ++i) {
    EXPECT_LT(checkpoints[i - 1].id, checkpoints[i].id);
    EXPECT_LE(checkpoints[i - 1].revision, checkpoints[i].revision);
  }
}

INSTANTIATE_TEST_SUITE_P(Hours, ClockStepTest, ::testing::Values(kHour, -kHour),
                         [](const auto& step) {
                           return step.param > 0 ? "Forward" : "Back";
                         });

}  // namespace
}  // namespace varkeep
