// SPDX-License-Identifier: Apache-2.0
//
// kill -9 in the middle of changes and saves. After each one the server starts
// again and shows every value whole: the last one that it acknowledged, or one
// that was on its way then or later.
#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <future>
#include <random>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/admin_client.h"
#include "client/client.h"
#include "tests/testing/server_process.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/tensors.h"

namespace varkeep {
namespace {

using client::Variable;

constexpr int kKills = 12;
constexpr int64_t kElements = 2 << 20;  // 8 MiB: saving takes a while

// Every element is the same number, so a torn value shows.
TensorRef Filled(float number) {
  return Of<float>({kElements}, std::vector<float>(kElements, number));
}

// The number in every element; fails when they differ.
float NumberIn(const Variable& variable) {
  auto value = variable.Read();
  EXPECT_TRUE(value.ok()) << value.status();
  if (!value.ok()) return -1;
  const std::vector<float> values = Values<float>(**value);
  EXPECT_THAT(values, ::testing::Each(values[0])) << "torn";
  return values[0];
}

TEST(KillTest, EveryValueThatWasAcknowledgedIsThereWhole) {
  ServerProcess server;
  ASSERT_OK_AND_ASSIGN(auto client, client::Client::Connect(server.address()));
  ASSERT_OK_AND_ASSIGN(auto session, client->OpenSession());
  ASSERT_OK_AND_ASSIGN(Variable a,
                       session->GetVariable("a", {kElements}, client::Zeros()));
  ASSERT_OK_AND_ASSIGN(Variable b,
                       session->GetVariable("b", {kElements}, client::Zeros()));
  ASSERT_OK(session->Initialize());
  client::AdminClient admin(*client);
  ASSERT_OK(admin.Save());

  std::mt19937 random(7);
  float number = 0;
  float acknowledged_a = 0;
  float acknowledged_b = 0;
  for (int kill = 0; kill < kKills; ++kill) {
    client::ClientOptions options;
    options.retry.repeat = false;
    ASSERT_OK_AND_ASSIGN(auto writer,
                         client::Client::Connect(server.address(), options));
    client::AdminClient saver(*writer);
    ASSERT_OK_AND_ASSIGN(Variable x, writer->FindVariable("a"));
    ASSERT_OK_AND_ASSIGN(Variable y, writer->FindVariable("b"));
    std::promise<void> never;
    std::thread killer([&, delay = random() % 60] {
      // Not a wait for something to happen: the moment is what is tested.
      never.get_future().wait_for(std::chrono::milliseconds(delay));
      server.Kill();
      server.Start();
    });
    number += 1;
    if (x.Assign(Filled(number)).ok()) acknowledged_a = number;
    if (y.Assign(Filled(number)).ok()) acknowledged_b = number;
    // What it is good for is that the next start may find it half done.
    saver.Save().status().IgnoreError();
    killer.join();
    server.WaitUntilServing();

    const float in_a = NumberIn(a);
    const float in_b = NumberIn(b);
    EXPECT_GE(in_a, acknowledged_a);
    EXPECT_LE(in_a, number);
    EXPECT_GE(in_b, acknowledged_b);
    EXPECT_LE(in_b, number);
  }
}

// Small pushes of the threads of a client share calls, and are repeated through
// the kills.
TEST(KillTest, PushesOfManyThreadsAreAppliedOnceEach) {
  constexpr int kThreads = 16;
  constexpr int kPushesBetweenKills = 400;
  ServerProcess server;
  ASSERT_OK_AND_ASSIGN(auto client, client::Client::Connect(server.address()));
  ASSERT_OK_AND_ASSIGN(auto session, client->OpenSession());
  ASSERT_OK_AND_ASSIGN(Variable all,
                       session->GetVariable("all", {}, client::Zeros()));
  std::vector<Variable> own;
  for (int t = 0; t < kThreads; ++t) {
    ASSERT_OK_AND_ASSIGN(
        own.emplace_back(),
        session->GetVariable(absl::StrCat("own", t), {}, client::Zeros()));
  }
  ASSERT_OK(session->Initialize());

  std::atomic<bool> stopping = false;
  std::atomic<int> pushed = 0;  // to `all`
  std::vector<int> pushes(kThreads, 0);
  std::vector<std::thread> threads;
  for (size_t t = 0; t < own.size(); ++t) {
    threads.emplace_back([&, t] {
      while (!stopping && !::testing::Test::HasFailure()) {
        ASSERT_OK(own[t].AssignAdd(Of<float>({}, {1})));
        ++pushes[t];
        ASSERT_OK(all.AssignAdd(Of<float>({}, {1})));
        ++pushed;
      }
    });
  }
  for (int kill = 0; kill < kKills; ++kill) {
    const int before = pushed;
    while (pushed < before + kPushesBetweenKills &&
           !::testing::Test::HasFailure()) {
      std::this_thread::yield();
    }
    server.Kill();
    server.Start();
  }
  stopping = true;
  for (std::thread& thread : threads) thread.join();

  auto number = [](const Variable& variable) {
    auto value = variable.Read();
    return value.ok() ? static_cast<int>(Values<float>(**value)[0]) : -1;
  };
  EXPECT_EQ(number(all), pushed);
  for (size_t t = 0; t < own.size(); ++t) {
    EXPECT_EQ(number(own[t]), pushes[t]) << t;
  }
}

}  // namespace
}  // namespace varkeep
