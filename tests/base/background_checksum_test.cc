// SPDX-License-Identifier: Apache-2.0
#include "base/background_checksum.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <atomic>
#include <thread>
#include <vector>

#include "base/crc32c.h"

namespace varkeep {
namespace {

std::vector<std::byte> SomeBytes(size_t size) {
  std::vector<std::byte> bytes(size);
  uint32_t x = 1;
  for (std::byte& byte : bytes) {
    x = x * 1664525 + 1013904223;
    byte = static_cast<std::byte>(x >> 24);
  }
  return bytes;
}

TEST(BackgroundChecksumTest, IsCrc32c) {
  const std::vector<std::byte> all = SomeBytes((9 << 20) + 5);
  for (absl::Duration patience :
       {absl::ZeroDuration(), absl::Nanoseconds(1), absl::Seconds(10)}) {
    BackgroundChecksum checksum(patience);
    for (size_t size : {size_t{0}, size_t{7}, size_t{64} << 10, all.size()}) {
      const auto bytes = std::span(all).first(size);
      EXPECT_EQ(checksum.Sum(bytes), Crc32c(bytes)) << size;
      EXPECT_EQ(checksum.Sum(bytes, 17), Crc32c(bytes, 17)) << size;
    }
  }
}

// What another thread sees of one that sums again and again until it has seen
// the policy, or the thread has finished.
bool IsSeenIdle(absl::Duration patience) {
  const std::vector<std::byte> bytes = SomeBytes(4 << 20);
  std::atomic<pid_t> summing = 0;
  std::atomic<bool> seen = false;
  std::thread thread([&] {
    BackgroundChecksum checksum(patience);
    summing = gettid();
    const int usual = sched_getscheduler(0);
    for (int i = 0; i < 1000 && !seen; ++i) checksum.Sum(bytes);
    EXPECT_EQ(sched_getscheduler(0), usual);
    summing = -1;
  });
  while (summing == 0) std::this_thread::yield();
  while (!seen && summing > 0) {
    if (sched_getscheduler(summing) == SCHED_IDLE) seen = true;
  }
  thread.join();
  return seen;
}

TEST(BackgroundChecksumTest, GivesWayWhileItSums) {
  EXPECT_TRUE(IsSeenIdle(absl::InfiniteDuration()));
}

TEST(BackgroundChecksumTest, KeepsItsPriorityWhenItWaitedEnough) {
  EXPECT_FALSE(IsSeenIdle(absl::ZeroDuration()));
}

}  // namespace
}  // namespace varkeep
