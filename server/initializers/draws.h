// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_INITIALIZERS_DRAWS_H_
#define VARKEEP_SERVER_INITIALIZERS_DRAWS_H_

#include <span>

#include "base/thread_pool.h"
#include "server/initializers/philox.h"

namespace varkeep::initializers {

// The draws of TensorFlow's random ops (SEMANTICS 8.3, 8.4) into `out`, from
// the stream that begins at `start`. A longer `out` begins with the values of a
// shorter one; neither the pool (null: the calling thread does all) nor its
// size matter. Each floating draw is multiplied by `scale`, rounded to T, then
// `offset` is added and the sum rounded.

// In [0, 1) before scaling. T: Eigen::half, Eigen::bfloat16, float, double.
template <typename T>
void DrawUniform(const Philox& start, T scale, T offset, std::span<T> out,
                 ThreadPool* pool);

// In [low, high), with the slight bias of a modulo. REQUIRES: low < high unless
// `out` is empty. T: int32_t, int64_t.
template <typename T>
void DrawUniformInt(const Philox& start, T low, T high, std::span<T> out,
                    ThreadPool* pool);

// Mean 0 and deviation 1 before scaling. T as DrawUniform.
template <typename T>
void DrawNormal(const Philox& start, T scale, T offset, std::span<T> out,
                ThreadPool* pool);

// The same, redrawn unless strictly between -2 and 2.
template <typename T>
void DrawTruncatedNormal(const Philox& start, T scale, T offset,
                         std::span<T> out, ThreadPool* pool);

}  // namespace varkeep::initializers

#endif  // VARKEEP_SERVER_INITIALIZERS_DRAWS_H_
