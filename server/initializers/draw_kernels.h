// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_INITIALIZERS_DRAW_KERNELS_H_
#define VARKEEP_SERVER_INITIALIZERS_DRAW_KERNELS_H_

#include <cstdint>

#include "base/cpu_path.h"

namespace varkeep::initializers {

// A place in a Philox stream.
struct StreamPlace {
  uint64_t key = 0;
  uint64_t counter_low = 0;
  uint64_t counter_high = 0;
};

// Blocks are drawn in multiples of this.
inline constexpr int64_t kKernelBlocks = 16;

// The inner loops of all draws, for one kind of processor. Every kind gives the
// same bits: each step is one rounding of IEEE arithmetic, in the same order,
// and no C library is asked. `blocks` is a multiple of kKernelBlocks; a block
// gives four words, four floats or two doubles.
struct DrawKernels {
  // out = the words of the blocks from `start` on.
  void (*words)(const StreamPlace& start, int64_t blocks, uint32_t* out);

  // out = draw * scale + offset, each rounded.
  void (*uniform_floats)(const StreamPlace& start, int64_t blocks, float scale,
                         float offset, float* out);
  void (*uniform_doubles)(const StreamPlace& start, int64_t blocks,
                          double scale, double offset, double* out);
  void (*normal_floats)(const StreamPlace& start, int64_t blocks, float scale,
                        float offset, float* out);
  void (*normal_doubles)(const StreamPlace& start, int64_t blocks, double scale,
                         double offset, double* out);

  // out = the normals of the blocks skips[0], skips[1], ... after `start`.
  void (*scattered_normal_floats)(const StreamPlace& start,
                                  const uint64_t* skips, int64_t blocks,
                                  float* out);
  void (*scattered_normal_doubles)(const StreamPlace& start,
                                   const uint64_t* skips, int64_t blocks,
                                   double* out);
};

// REQUIRES: IsSupported(path).
const DrawKernels& KernelsOf(CpuPath path);

// Those of ChosenCpuPath().
const DrawKernels& ChosenKernels();

}  // namespace varkeep::initializers

#endif  // VARKEEP_SERVER_INITIALIZERS_DRAW_KERNELS_H_
