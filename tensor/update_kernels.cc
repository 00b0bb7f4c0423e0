// SPDX-License-Identifier: Apache-2.0
#include "tensor/update_kernels.h"

namespace varkeep {

// Each is update_kernels_impl.h compiled for its processor.
extern const UpdateKernels kScalarUpdateKernels;
#if defined(__x86_64__)
extern const UpdateKernels kAvx2UpdateKernels;
extern const UpdateKernels kAvx512UpdateKernels;
#endif

const UpdateKernels& UpdateKernelsOf(CpuPath path) {
#if defined(__x86_64__)
  if (path == CpuPath::kAvx2) return kAvx2UpdateKernels;
  if (path == CpuPath::kAvx512) return kAvx512UpdateKernels;
#endif
  static_cast<void>(path);
  return kScalarUpdateKernels;
}

}  // namespace varkeep
