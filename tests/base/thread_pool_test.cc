// SPDX-License-Identifier: Apache-2.0
#include "base/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

namespace varkeep {
namespace {

TEST(ThreadPoolTest, ParallelForRunsEveryIndexOnce) {
  ThreadPool pool(3);
  std::vector<std::atomic<int>> seen(1000);
  pool.ParallelFor(1000, [&](int64_t i) { ++seen[static_cast<size_t>(i)]; });
  for (const auto& count : seen) EXPECT_EQ(count, 1);
}

TEST(ThreadPoolTest, ParallelForInsideParallelForFinishes) {
  ThreadPool pool(2);
  std::atomic<int> count = 0;
  pool.ParallelFor(
      8, [&](int64_t) { pool.ParallelFor(8, [&](int64_t) { ++count; }); });
  EXPECT_EQ(count, 64);
}

TEST(ThreadPoolTest, DestructorRunsWhatIsQueued) {
  std::atomic<int> count = 0;
  {
    ThreadPool pool(1);
    for (int i = 0; i < 100; ++i) pool.Schedule([&] { ++count; });
  }
  EXPECT_EQ(count, 100);
}

}  // namespace
}  // namespace varkeep
