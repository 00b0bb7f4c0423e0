// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TESTS_CRASH_BLOBS_H_
#define VARKEEP_TESTS_CRASH_BLOBS_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace varkeep {

// Values that say who wrote them: size and every byte follow from writer and
// number. A value that is torn, stale or of another variable is none of those
// that are expected. Thread-safe.
class Blobs {
 public:
  // No value is larger than `max_bytes`; most are small.
  Blobs(uint64_t seed, int64_t max_bytes)
      : seed_(seed), max_bytes_(max_bytes) {}

  std::string Bytes(uint64_t writer, uint64_t number) const;
  // The number between `low` and `high` whose value it is; 0: of none.
  uint64_t Find(absl::string_view bytes, uint64_t writer, uint64_t low,
                uint64_t high) const;

 private:
  int64_t SizeOf(uint64_t writer, uint64_t number) const;

  const uint64_t seed_;
  const int64_t max_bytes_;
};

}  // namespace varkeep

#endif  // VARKEEP_TESTS_CRASH_BLOBS_H_
