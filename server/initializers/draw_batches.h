// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_INITIALIZERS_DRAW_BATCHES_H_
#define VARKEEP_SERVER_INITIALIZERS_DRAW_BATCHES_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/thread_pool.h"
#include "server/initializers/philox.h"

namespace varkeep::initializers {

// TensorFlow draws elements in groups: four of up to 32 bits, two of 64.
template <typename T>
inline constexpr int kGroupSize = sizeof(T) == 8 ? 2 : 4;

// Elements that one Philox batch makes, one group per block.
template <typename T>
inline constexpr int64_t kBatchSize = Philox::kBatchBlocks* kGroupSize<T>;

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

// Fills `out` batch by batch. draw(batch, destination) writes kBatchSize<T>
// elements, those of out from batch * kBatchSize<T> on; of the last batch only
// what fits is kept. Batches are drawn in no order, each once.
template <typename T, typename Draw>
void DrawBatches(std::span<T> out, ThreadPool* pool, const Draw& draw) {
  constexpr int64_t kPart = 1024;  // batches: enough work to be worth a switch
  const auto size = static_cast<int64_t>(out.size());
  if (size == 0) return;
  const int64_t batches = (size - 1) / kBatchSize<T> + 1;
  ForParts(batches, kPart, pool, [&](int64_t begin, int64_t end) {
    for (int64_t batch = begin; batch < end; ++batch) {
      const int64_t first = batch * kBatchSize<T>;
      T* destination = out.data() + first;
      if (size - first >= kBatchSize<T>) {
        draw(batch, destination);
        continue;
      }
      std::array<T, static_cast<size_t>(kBatchSize<T>)> tail;
      draw(batch, tail.data());
      std::copy_n(tail.data(), size - first, destination);
    }
  });
}

}  // namespace varkeep::initializers

#endif  // VARKEEP_SERVER_INITIALIZERS_DRAW_BATCHES_H_
