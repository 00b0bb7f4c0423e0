// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_INITIALIZERS_PHILOX_H_
#define VARKEEP_SERVER_INITIALIZERS_PHILOX_H_

#include <array>
#include <cstdint>
#include <span>

namespace varkeep::initializers {

// Philox4x32-10: a random number generator that is a function of a key and a
// 128-bit counter, so that every part of a stream can be computed by itself.
// One step of the counter, a block, gives four 32-bit words. Bit for bit
// TensorFlow's (SEMANTICS 8.2). A value; thread-compatible.
class Philox {
 public:
  using Block = std::array<uint32_t, 4>;
  using Uint128 = unsigned __int128;

  // Blocks that FillBatch computes together.
  static constexpr int kBatchBlocks = 16;
  using BatchWords = std::array<uint32_t, 4 * kBatchBlocks>;

  // At the start of the stream of these two seeds.
  Philox(uint64_t seed, uint64_t seed2)
      : key_(seed), counter_(static_cast<Uint128>(seed2) << 64) {}

  // Moves on by `blocks`.
  void Skip(Uint128 blocks) { counter_ += blocks; }

  // The block here; moves on by one.
  Block Next();

  // words[4 i] ... words[4 i + 3] = the block i * stride after this one, for
  // every i below kBatchBlocks. Stays here.
  void FillBatch(uint64_t stride, BatchWords& words) const;

 private:
  uint64_t key_;
  Uint128 counter_;
};

}  // namespace varkeep::initializers

#endif  // VARKEEP_SERVER_INITIALIZERS_PHILOX_H_
