// SPDX-License-Identifier: Apache-2.0
#include "tensor/update_kernels_impl.h"

namespace varkeep {

extern const UpdateKernels kScalarUpdateKernels;
const UpdateKernels kScalarUpdateKernels = kUpdateKernels;

}  // namespace varkeep
