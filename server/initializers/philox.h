// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_INITIALIZERS_PHILOX_H_
#define VARKEEP_SERVER_INITIALIZERS_PHILOX_H_

#include <cstdint>

#include "server/initializers/draw_kernels.h"

namespace varkeep::initializers {

// A place in a stream of Philox4x32-10: a random number generator that is a
// function of a key and a 128-bit counter, so that every part of a stream can
// be computed by itself. One step of the counter, a block, gives four 32-bit
// words. Bit for bit TensorFlow's (SEMANTICS 8.2). A value; thread-compatible.
class Philox {
 public:
  using Uint128 = unsigned __int128;

  // At the start of the stream of these two seeds.
  Philox(uint64_t seed, uint64_t seed2)
      : key_(seed), counter_(static_cast<Uint128>(seed2) << 64) {}

  // Moves on by `blocks`.
  void Skip(Uint128 blocks) { counter_ += blocks; }

  // The place `blocks` after this one. Stays here.
  StreamPlace After(Uint128 blocks) const {
    const Uint128 counter = counter_ + blocks;
    return {key_, static_cast<uint64_t>(counter),
            static_cast<uint64_t>(counter >> 64)};
  }

 private:
  uint64_t key_;
  Uint128 counter_;
};

}  // namespace varkeep::initializers

#endif  // VARKEEP_SERVER_INITIALIZERS_PHILOX_H_
