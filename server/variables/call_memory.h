// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_VARIABLES_CALL_MEMORY_H_
#define VARKEEP_SERVER_VARIABLES_CALL_MEMORY_H_

#include <cstdint>

#include "absl/status/status.h"
#include "base/mutex.h"

namespace varkeep {

// The memory that calls under way have beside the values of the store: tensors
// that are received, and results made to be sent. All together stay within a
// limit. Thread-safe.
class CallMemory {
 public:
  explicit CallMemory(int64_t limit_bytes) : limit_bytes_(limit_bytes) {}
  CallMemory(const CallMemory&) = delete;
  CallMemory& operator=(const CallMemory&) = delete;

  // What one call has of it. One thread at a time.
  class Hold {
   public:
    // `memory` must live longer.
    explicit Hold(CallMemory* memory) : memory_(memory) {}
    ~Hold() { Release(); }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

    // So many bytes more. RESOURCE_EXHAUSTED, and nothing is taken, when that
    // exceeds the limit. REQUIRES: bytes >= 0.
    absl::Status Take(int64_t bytes);
    // Gives all of them back.
    void Release();

   private:
    CallMemory* const memory_;
    int64_t bytes_ = 0;
  };

  int64_t held_bytes() const;
  int64_t limit_bytes() const { return limit_bytes_; }

 private:
  const int64_t limit_bytes_;
  mutable Mutex mutex_;
  int64_t held_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace varkeep

#endif  // VARKEEP_SERVER_VARIABLES_CALL_MEMORY_H_
