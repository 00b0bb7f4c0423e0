// SPDX-License-Identifier: Apache-2.0
#include "server/variables/replaced_values.h"

#include <algorithm>

namespace varkeep {
namespace {

// The bytes of smaller ones may be freed only with the last weak reference.
constexpr int64_t kLargeBytes = 64 << 10;

// By someone besides the variable that has it.
bool IsHeld(const std::shared_ptr<Tensor>& value) {
  return value->size_bytes() >= kLargeBytes && value.use_count() > 1;
}

}  // namespace

void ReplacedValues::Add(const std::shared_ptr<Tensor>& value) {
  if (value == nullptr || !IsHeld(value)) return;
  if (values_.size() >= sweep_at_) {
    Sweep();
    sweep_at_ = std::max<size_t>(64, 2 * values_.size());
  }
  values_.push_back(value);
}

int64_t ReplacedValues::BytesFreedWith(const std::shared_ptr<Tensor>& value) {
  return value == nullptr || IsHeld(value) ? 0 : value->size_bytes();
}

int64_t ReplacedValues::HeldBytes() const {
  int64_t bytes = 0;
  for (const auto& held : values_) {
    if (const TensorRef value = held.lock()) bytes += value->size_bytes();
  }
  return bytes;
}

void ReplacedValues::Sweep() {
  std::erase_if(values_, [](const auto& value) { return value.expired(); });
}

}  // namespace varkeep
