// SPDX-License-Identifier: Apache-2.0
#include "server/initializers/draw_kernels_impl.h"

namespace varkeep::initializers {

extern const DrawKernels kScalarKernels;
const DrawKernels kScalarKernels = kKernels;

}  // namespace varkeep::initializers
