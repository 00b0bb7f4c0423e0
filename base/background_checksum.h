// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_BASE_BACKGROUND_CHECKSUM_H_
#define VARKEEP_BASE_BACKGROUND_CHECKSUM_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "absl/time/time.h"

namespace varkeep {

// Checksums for work that may take its time: a thread that sums many bytes at
// the usual priority keeps its processor for milliseconds from one that has a
// request to answer. While it sums, and only then, the calling thread gives way
// to every other of the machine (SCHED_IDLE on Linux): it holds nothing that
// they could wait for. One thread at a time.
class BackgroundChecksum {
 public:
  // Processors that never rest do not hold it up for ever: after `patience` of
  // summing, from first to last, the usual priority is kept.
  explicit BackgroundChecksum(absl::Duration patience = absl::Seconds(10))
      : patience_(patience) {}

  // Crc32c(bytes, crc).
  uint32_t Sum(std::span<const std::byte> bytes, uint32_t crc = 0);

 private:
  absl::Duration patience_;  // what is left of it
};

}  // namespace varkeep

#endif  // VARKEEP_BASE_BACKGROUND_CHECKSUM_H_
