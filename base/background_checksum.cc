// SPDX-License-Identifier: Apache-2.0
#include "base/background_checksum.h"

#include <sched.h>

#include <algorithm>
#include <chrono>

#include "base/crc32c.h"

namespace varkeep {
namespace {

// Less is summed in the time that changing the priority takes.
constexpr size_t kWorthIt = 64 << 10;
// Patience is asked this often: a millisecond's work.
constexpr size_t kPartBytes = 4 << 20;

// A thread with another policy than the usual one keeps it: its parameters may
// be refused when it wants them back.
class IdlePriority {
 public:
  IdlePriority() : is_usual_(sched_getscheduler(0) == SCHED_OTHER) {
    if (is_usual_) Set(SCHED_IDLE);
  }
  ~IdlePriority() {
    if (is_usual_) Set(SCHED_OTHER);
  }
  IdlePriority(const IdlePriority&) = delete;
  IdlePriority& operator=(const IdlePriority&) = delete;

 private:
  static void Set(int policy) {
    const sched_param none{};
    sched_setscheduler(0, policy, &none);  // of this thread alone on Linux
  }

  const bool is_usual_;
};

}  // namespace

uint32_t BackgroundChecksum::Sum(std::span<const std::byte> bytes,
                                 uint32_t crc) {
  while (bytes.size() >= kWorthIt && patience_ > absl::ZeroDuration()) {
    const size_t size = std::min(bytes.size(), kPartBytes);
    const auto start = std::chrono::steady_clock::now();
    {
      IdlePriority idle;
      crc = Crc32c(bytes.first(size), crc);
    }
    patience_ -= absl::FromChrono(std::chrono::steady_clock::now() - start);
    bytes = bytes.subspan(size);
  }
  return Crc32c(bytes, crc);
}

}  // namespace varkeep
