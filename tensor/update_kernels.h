// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TENSOR_UPDATE_KERNELS_H_
#define VARKEEP_TENSOR_UPDATE_KERNELS_H_

#include <cstdint>

#include "base/cpu_path.h"

namespace varkeep {

// What two elements are added as. Integers wrap, so that their sign does not
// matter; a complex number is two real ones.
enum class Addend {
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kFloat16,
  kBfloat16,
  kFloat32,
  kFloat64
};
inline constexpr int kAddends = 8;

// out[i] = a[i] + b[i], or - b[i], for i below count. `out` is `a` itself or
// overlaps neither. The small floats are rounded to nearest, ties to even; a
// sum that is not a number is the quiet one of its sign without a payload, as
// Eigen's. The same bits on every kind of processor.
struct UpdateKernels {
  using Kernel = void (*)(const void* a, const void* b, void* out,
                          int64_t count);
  Kernel add[kAddends];
  Kernel subtract[kAddends];
};

// REQUIRES: IsSupported(path).
const UpdateKernels& UpdateKernelsOf(CpuPath path);

}  // namespace varkeep

#endif  // VARKEEP_TENSOR_UPDATE_KERNELS_H_
