// SPDX-License-Identifier: Apache-2.0
#include "tensor/buffer_pool.h"

#include <gmock/gmock.h>

#include "tests/testing/status_matchers.h"

namespace varkeep {
namespace {

constexpr int64_t kMiB = 1 << 20;

TEST(BufferPoolTest, LargeBlocksAreAlignedToHugePagesAndReused) {
  BufferPool pool(16 * kMiB);
  const void* first = nullptr;
  {
    ASSERT_OK_AND_ASSIGN(Buffer buffer, pool.Allocate(5 * kMiB));
    first = buffer.bytes().data();
    EXPECT_EQ(reinterpret_cast<uintptr_t>(first) % (2 * kMiB), 0u);
    EXPECT_EQ(pool.usage().in_use_bytes, 6 * kMiB);
  }
  EXPECT_EQ(pool.usage().idle_bytes, 6 * kMiB);
  ASSERT_OK_AND_ASSIGN(Buffer again, pool.Allocate(6 * kMiB));
  EXPECT_EQ(again.bytes().data(), first);
  EXPECT_EQ(pool.usage().idle_bytes, 0);
}

TEST(BufferPoolTest, KeepsNoMoreIdleThanItsLimit) {
  BufferPool pool(4 * kMiB);
  { ASSERT_OK_AND_ASSIGN(Buffer buffer, pool.Allocate(8 * kMiB)); }
  EXPECT_EQ(pool.usage().idle_bytes, 0);
  EXPECT_EQ(pool.usage().in_use_bytes, 0);
}

TEST(BufferPoolTest, KeepsTheBlockThatWasFreedLast) {
  BufferPool pool(8 * kMiB);
  {
    ASSERT_OK_AND_ASSIGN(Buffer small, pool.Allocate(2 * kMiB));
    ASSERT_OK_AND_ASSIGN(Buffer large, pool.Allocate(4 * kMiB));
  }
  EXPECT_EQ(pool.usage().idle_bytes, 6 * kMiB);
  { ASSERT_OK_AND_ASSIGN(Buffer larger, pool.Allocate(8 * kMiB)); }
  EXPECT_EQ(pool.usage().idle_bytes, 8 * kMiB);
  ASSERT_OK_AND_ASSIGN(Buffer again, pool.Allocate(8 * kMiB));
  EXPECT_EQ(pool.usage().idle_bytes, 0);
}

TEST(BufferPoolTest, SmallBlocksAreCacheLineAligned) {
  BufferPool pool(0);
  for (int64_t size : {0, 1, 63, 1000}) {
    ASSERT_OK_AND_ASSIGN(Buffer buffer, pool.Allocate(size));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer.bytes().data()) % 64, 0u);
    EXPECT_EQ(static_cast<int64_t>(buffer.bytes().size()), size);
  }
}

}  // namespace
}  // namespace varkeep
