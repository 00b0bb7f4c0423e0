// SPDX-License-Identifier: Apache-2.0
#include "tests/crash/blobs.h"

#include <algorithm>
#include <cstring>

namespace varkeep {
namespace {

// SplitMix64: the next of a sequence of well mixed numbers.
uint64_t Mix(uint64_t* state) {
  uint64_t z = (*state += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

uint64_t Start(uint64_t seed, uint64_t writer, uint64_t number) {
  return seed * 0x2545f4914f6cdd1d + (writer << 40) + number;
}

}  // namespace

int64_t Blobs::SizeOf(uint64_t writer, uint64_t number) const {
  uint64_t state = ~Start(seed_, writer, number);
  const uint64_t kind = Mix(&state) % 1000;
  int64_t limit = 1 << 10;
  if (kind < 400) limit = 64 << 10;
  if (kind < 60) limit = 2 << 20;
  if (kind < 2) limit = max_bytes_;
  limit = std::min(limit, max_bytes_);
  // The largest is the largest, not one below it.
  if (kind < 2) return limit;
  return 1 + static_cast<int64_t>(Mix(&state) % static_cast<uint64_t>(limit));
}

std::string Blobs::Bytes(uint64_t writer, uint64_t number) const {
  const auto size = static_cast<size_t>(SizeOf(writer, number));
  std::string bytes(size, '\0');
  uint64_t state = Start(seed_, writer, number);
  for (size_t i = 0; i < size; i += sizeof(uint64_t)) {
    const uint64_t word = Mix(&state);
    std::memcpy(bytes.data() + i, &word, std::min(sizeof(word), size - i));
  }
  return bytes;
}

uint64_t Blobs::Find(absl::string_view bytes, uint64_t writer, uint64_t low,
                     uint64_t high) const {
  for (uint64_t number = high; number >= std::max<uint64_t>(low, 1); --number) {
    if (SizeOf(writer, number) == static_cast<int64_t>(bytes.size()) &&
        Bytes(writer, number) == bytes) {
      return number;
    }
  }
  return 0;
}

}  // namespace varkeep
