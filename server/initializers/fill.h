// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_INITIALIZERS_FILL_H_
#define VARKEEP_SERVER_INITIALIZERS_FILL_H_

#include <algorithm>
#include <cstdint>
#include <span>

#include "base/thread_pool.h"
#include "server/initializers/draw_batches.h"

namespace varkeep::initializers {

// Makes every element of `out` equal `value`, on the pool when there is one.
template <typename T>
void FillWith(std::span<T> out, T value, ThreadPool* pool) {
  constexpr int64_t kPart = int64_t{1} << 18;
  ForParts(static_cast<int64_t>(out.size()), kPart, pool,
           [&](int64_t begin, int64_t end) {
             std::fill(out.data() + begin, out.data() + end, value);
           });
}

}  // namespace varkeep::initializers

#endif  // VARKEEP_SERVER_INITIALIZERS_FILL_H_
