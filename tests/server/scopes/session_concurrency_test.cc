// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

#include "tests/server/scopes/program.h"

namespace varkeep {
namespace {

using With = Program::With;

constexpr int kThreads = 4;
constexpr int kRounds = 100;

void OnThreads(const std::function<void(int)>& body) {
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) threads.emplace_back(body, t);
  for (std::thread& thread : threads) thread.join();
}

TEST(SessionConcurrencyTest, OfOneKeyOneCallCreates) {
  FakeDeclarer declarer;
  Program main(&declarer);
  std::atomic<int> created = 0;
  OnThreads([&](int t) {
    Program p(&main.session(), static_cast<uint64_t>(t));
    for (int i = 0; i < kRounds; ++i) {
      if (p.TryGet("v" + std::to_string(i)).ok()) ++created;
    }
  });
  EXPECT_EQ(created, kRounds);
  EXPECT_EQ(main.session().Declarations().size(), size_t{kRounds});
}

TEST(SessionConcurrencyTest, NamesStayUniqueAndStacksStayApart) {
  FakeDeclarer declarer;
  Program main(&declarer);
  OnThreads([&](int t) {
    Program p(&main.session(), static_cast<uint64_t>(t));
    for (int i = 0; i < kRounds; ++i) {
      With outer = p.VariableScope("outer", WithReuse(Reuse::kAuto));
      {
        With layer = p.DefaultScope("layer");
        EXPECT_EQ(p.Get("w"), "outer/layer/w:0");
      }
      EXPECT_NE(p.Create("v"), "");
      EXPECT_GE(main.session().Collection(kGlobalVariables).size(), 1u);
    }
  });
  const std::vector<std::string> names = main.session().Declarations();
  EXPECT_EQ(names.size(), size_t{kThreads * kRounds + 1});
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(),
            names.size());
}

TEST(SessionConcurrencyTest, SessionsShareAContainer) {
  FakeDeclarer declarer;
  std::atomic<int> created = 0;
  OnThreads([&](int) {
    Program p(&declarer);
    for (int i = 0; i < kRounds; ++i) {
      const absl::StatusOr<Declared> v = p.TryGet("v" + std::to_string(i));
      ASSERT_OK(v);
      if (v->created) ++created;
    }
  });
  EXPECT_EQ(created, kRounds);
}

}  // namespace
}  // namespace varkeep
