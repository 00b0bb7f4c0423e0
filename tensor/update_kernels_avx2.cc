// SPDX-License-Identifier: Apache-2.0
#include "tensor/update_kernels_impl.h"

namespace varkeep {

extern const UpdateKernels kAvx2UpdateKernels;
const UpdateKernels kAvx2UpdateKernels = kUpdateKernels;

}  // namespace varkeep
