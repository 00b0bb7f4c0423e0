// SPDX-License-Identifier: Apache-2.0
#include "server/initializers/draw_kernels_impl.h"

namespace varkeep::initializers {

extern const DrawKernels kAvx2Kernels;
const DrawKernels kAvx2Kernels = kKernels;

}  // namespace varkeep::initializers
