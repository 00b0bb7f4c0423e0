// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_VARIABLES_REPLACED_VALUES_H_
#define VARKEEP_SERVER_VARIABLES_REPLACED_VALUES_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "tensor/tensor.h"

namespace varkeep {

// Values that variables no longer have but someone still holds: a read that is
// slow, a save. They take memory beside the values of the store. One thread at
// a time.
class ReplacedValues {
 public:
  // The value that a variable has and is about to lose. Small ones are not
  // counted.
  void Add(const std::shared_ptr<Tensor>& value);
  // What is freed when the variable that has it gets another value: nothing if
  // someone else holds it.
  static int64_t BytesFreedWith(const std::shared_ptr<Tensor>& value);
  // Bytes of those that are held.
  int64_t HeldBytes() const;

 private:
  void Sweep();

  std::vector<std::weak_ptr<const Tensor>> values_;
  size_t sweep_at_ = 64;  // when there are so many
};

}  // namespace varkeep

#endif  // VARKEEP_SERVER_VARIABLES_REPLACED_VALUES_H_
