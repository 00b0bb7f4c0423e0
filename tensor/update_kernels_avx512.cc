// SPDX-License-Identifier: Apache-2.0
#include "tensor/update_kernels_impl.h"

namespace varkeep {

extern const UpdateKernels kAvx512UpdateKernels;
const UpdateKernels kAvx512UpdateKernels = kUpdateKernels;

}  // namespace varkeep
