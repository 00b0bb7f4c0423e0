// SPDX-License-Identifier: Apache-2.0
#include "server/initializers/philox.h"

namespace varkeep::initializers {
namespace {

constexpr int kRounds = 10;

// One round on one block; `high_key` and `low_key` belong to the round.
inline void Round(uint32_t low_key, uint32_t high_key, uint32_t& c0,
                  uint32_t& c1, uint32_t& c2, uint32_t& c3) {
  const uint64_t p0 = uint64_t{0xD2511F53} * c0;
  const uint64_t p1 = uint64_t{0xCD9E8D57} * c2;
  c0 = static_cast<uint32_t>(p1 >> 32) ^ c1 ^ low_key;
  c1 = static_cast<uint32_t>(p1);
  c2 = static_cast<uint32_t>(p0 >> 32) ^ c3 ^ high_key;
  c3 = static_cast<uint32_t>(p0);
}

inline void NextKey(uint32_t& low_key, uint32_t& high_key) {
  low_key += 0x9E3779B9;
  high_key += 0xBB67AE85;
}

}  // namespace

Philox::Block Philox::Next() {
  Block block;
  for (size_t i = 0; i < 4; ++i) {
    block[i] = static_cast<uint32_t>(counter_ >> (32 * i));
  }
  auto low_key = static_cast<uint32_t>(key_);
  auto high_key = static_cast<uint32_t>(key_ >> 32);
  for (int round = 0; round < kRounds; ++round) {
    Round(low_key, high_key, block[0], block[1], block[2], block[3]);
    NextKey(low_key, high_key);
  }
  ++counter_;
  return block;
}

void Philox::FillBatch(uint64_t stride, BatchWords& words) const {
  constexpr size_t kBlocks = kBatchBlocks;
  alignas(64) std::array<uint32_t, kBlocks> c0, c1, c2, c3;
  Uint128 counter = counter_;
  for (size_t i = 0; i < kBlocks; ++i, counter += stride) {
    c0[i] = static_cast<uint32_t>(counter);
    c1[i] = static_cast<uint32_t>(counter >> 32);
    c2[i] = static_cast<uint32_t>(counter >> 64);
    c3[i] = static_cast<uint32_t>(counter >> 96);
  }
  auto low_key = static_cast<uint32_t>(key_);
  auto high_key = static_cast<uint32_t>(key_ >> 32);
  for (int round = 0; round < kRounds; ++round) {
    // Unrolled, the loop is no longer seen as one for vector code.
#pragma GCC unroll 1
    for (size_t i = 0; i < kBlocks; ++i) {
      Round(low_key, high_key, c0[i], c1[i], c2[i], c3[i]);
    }
    NextKey(low_key, high_key);
  }
  for (size_t i = 0; i < kBlocks; ++i) {
    words[4 * i] = c0[i];
    words[4 * i + 1] = c1[i];
    words[4 * i + 2] = c2[i];
    words[4 * i + 3] = c3[i];
  }
}

}  // namespace varkeep::initializers
