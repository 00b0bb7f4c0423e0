// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_INITIALIZERS_DRAW_BATCHES_H_
#define VARKEEP_SERVER_INITIALIZERS_DRAW_BATCHES_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/thread_pool.h"
#include "server/initializers/draw_kernels.h"

namespace varkeep::initializers {

// TensorFlow draws elements in groups: four of up to 32 bits, two of 64.
template <typename T>
inline constexpr int kGroupSize = sizeof(T) == 8 ? 2 : 4;

// Runs body(begin, end) over parts of [0, count), at multiples of `part`, on
// the pool; in one piece on the calling thread when there is no pool or only
// one part.
template <typename Body>
void ForParts(int64_t count, int64_t part, ThreadPool* pool, const Body& body) {
  if (count <= 0) return;
  if (pool == nullptr || count <= part) {
    body(0, count);
    return;
  }
  pool->ParallelFor((count - 1) / part + 1, [&](int64_t i) {
    body(i * part, std::min((i + 1) * part, count));
  });
}

// Fills `out` in batches of groups. draw(first_group, groups, destination)
// writes that many groups, a multiple of kKernelBlocks that is at most
// kMostGroups; of the last batch only what fits is kept. Batches are drawn in
// no order, each once.
inline constexpr int64_t kMostGroups = 512;

template <typename T, typename Draw>
void DrawBatches(std::span<T> out, ThreadPool* pool, const Draw& draw) {
  constexpr int64_t kLeast = kKernelBlocks * kGroupSize<T>;  // elements
  constexpr int64_t kMost = kMostGroups * kGroupSize<T>;
  constexpr int64_t kPart = 32 * kMost;  // enough work to be worth a switch
  ForParts(
      static_cast<int64_t>(out.size()), kPart, pool,
      [&](int64_t begin, int64_t end) {
        while (end - begin >= kLeast) {
          const int64_t size = std::min(kMost, (end - begin) / kLeast * kLeast);
          draw(begin / kGroupSize<T>, size / kGroupSize<T>, out.data() + begin);
          begin += size;
        }
        if (begin == end) return;
        std::array<T, static_cast<size_t>(kLeast)> tail;
        draw(begin / kGroupSize<T>, kKernelBlocks, tail.data());
        std::copy_n(tail.data(), end - begin, out.data() + begin);
      });
}

}  // namespace varkeep::initializers

#endif  // VARKEEP_SERVER_INITIALIZERS_DRAW_BATCHES_H_
