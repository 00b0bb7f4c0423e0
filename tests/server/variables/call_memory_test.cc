// SPDX-License-Identifier: Apache-2.0
#include "server/variables/call_memory.h"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>
#include <vector>

#include "tests/testing/status_matchers.h"

namespace varkeep {
namespace {

TEST(CallMemoryTest, HoldsTogetherStayWithinTheLimit) {
  CallMemory memory(100);
  CallMemory::Hold a(&memory);
  CallMemory::Hold b(&memory);
  ASSERT_OK(a.Take(60));
  ASSERT_OK(b.Take(30));
  ASSERT_OK(b.Take(10));
  EXPECT_THAT(a.Take(1), StatusIs(absl::StatusCode::kResourceExhausted,
                                  "call memory limit of 100 bytes: uploads and "
                                  "answers under way hold 100 bytes, the "
                                  "request needs 1 more"));
  EXPECT_EQ(memory.held_bytes(), 100);
  b.Release();
  EXPECT_EQ(memory.held_bytes(), 60);
  EXPECT_OK(a.Take(40));
}

TEST(CallMemoryTest, AHoldThatIsGoneHoldsNothing) {
  CallMemory memory(100);
  { ASSERT_OK(CallMemory::Hold(&memory).Take(100)); }
  EXPECT_EQ(memory.held_bytes(), 0);
}

TEST(CallMemoryTest, ManyThreadsDoNotExceedTheLimitTogether) {
  constexpr int64_t kEach = 30;
  CallMemory memory(100);
  std::atomic<int64_t> held = 0;
  std::atomic<int64_t> peak = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 2000; ++round) {
        CallMemory::Hold hold(&memory);
        if (!hold.Take(kEach).ok()) continue;
        const int64_t now = held += kEach;
        for (int64_t seen = peak;
             seen < now && !peak.compare_exchange_weak(seen, now);) {
        }
        held -= kEach;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(peak, 0);
  EXPECT_LE(peak, 100);
  EXPECT_EQ(memory.held_bytes(), 0);
}

}  // namespace
}  // namespace varkeep
