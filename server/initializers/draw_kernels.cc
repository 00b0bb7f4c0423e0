// SPDX-License-Identifier: Apache-2.0
#include "server/initializers/draw_kernels.h"

namespace varkeep::initializers {

// Each is draw_kernels_impl.h compiled for its processor.
extern const DrawKernels kScalarKernels;
#if defined(__x86_64__)
extern const DrawKernels kAvx2Kernels;
extern const DrawKernels kAvx512Kernels;
#endif

const DrawKernels& KernelsOf(CpuPath path) {
#if defined(__x86_64__)
  if (path == CpuPath::kAvx2) return kAvx2Kernels;
  if (path == CpuPath::kAvx512) return kAvx512Kernels;
#endif
  static_cast<void>(path);
  return kScalarKernels;
}

const DrawKernels& ChosenKernels() { return KernelsOf(ChosenCpuPath()); }

}  // namespace varkeep::initializers
