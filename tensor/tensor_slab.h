// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TENSOR_TENSOR_SLAB_H_
#define VARKEEP_TENSOR_TENSOR_SLAB_H_

#include <memory>

#include "absl/status/statusor.h"
#include "tensor/tensor.h"

namespace varkeep {

// Makes many small tensors at the cost of few allocations: those of up to 128
// bytes lie side by side in blocks of 8 KiB. A block is freed with the last of
// its tensors: who holds one for long copies it. One thread at a time; the
// tensors are like any others.
class TensorSlab {
 public:
  // As Tensor::Create.
  absl::StatusOr<std::shared_ptr<Tensor>> Create(DType dtype,
                                                 const Shape& shape);

 private:
  class Block;

  std::shared_ptr<Block> block_;  // with room for more, perhaps
};

}  // namespace varkeep

#endif  // VARKEEP_TENSOR_TENSOR_SLAB_H_
