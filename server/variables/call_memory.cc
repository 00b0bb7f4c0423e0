// SPDX-License-Identifier: Apache-2.0
#include "server/variables/call_memory.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace varkeep {

absl::Status CallMemory::Hold::Take(int64_t bytes) {
  MutexLock lock(&memory_->mutex_);
  const int64_t held = memory_->held_bytes_;
  const int64_t limit = memory_->limit_bytes_;
  if (bytes > limit - held) {
    return absl::ResourceExhaustedError(
        absl::StrCat("call memory limit of ", limit,
                     " bytes: uploads and answers under way hold ", held,
                     " bytes, the request needs ", bytes, " more"));
  }
  memory_->held_bytes_ += bytes;
  bytes_ += bytes;
  return absl::OkStatus();
}

void CallMemory::Hold::Release() {
  MutexLock lock(&memory_->mutex_);
  memory_->held_bytes_ -= std::exchange(bytes_, 0);
}

int64_t CallMemory::held_bytes() const {
  MutexLock lock(&mutex_);
  return held_bytes_;
}

}  // namespace varkeep
