// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_INITIALIZERS_DRAW_KERNELS_IMPL_H_
#define VARKEEP_SERVER_INITIALIZERS_DRAW_KERNELS_IMPL_H_

#include "server/initializers/draw_kernels.h"
#include "server/initializers/lane_math.h"

// The kernels, for the processor that the source which includes this is
// compiled for. As lanes.h, local to each source.
namespace varkeep::initializers {
namespace {

constexpr double kFullTurn = 6.283185307179586;

// Philox counters, one in each lane, and the keys of the rounds.
class Counters {
 public:
  explicit Counters(const StreamPlace& start)
      : low_(U64s{} + start.counter_low), high_(U64s{} + start.counter_high) {
    auto key0 = static_cast<uint32_t>(start.key);
    auto key1 = static_cast<uint32_t>(start.key >> 32);
    for (int round = 0; round < 10; ++round) {
      keys_[2 * round] = U64s{} + key0;
      keys_[2 * round + 1] = U64s{} + key1;
      key0 += 0x9E3779B9;
      key1 += 0xBB67AE85;
    }
  }

  // Moves each lane on.
  void Skip(U64s blocks) {
    low_ += blocks;
    high_ -= (U64s)(low_ < blocks);  // a carry is all ones
  }

  // The words of the blocks; only the low half of each lane counts. So do the
  // multiplications in between, which is why nothing is ever masked.
  struct Words {
    U64s w0, w1, w2, w3;
  };
  Words Blocks() const {
    U64s c0 = low_;
    U64s c1 = low_ >> 32;
    U64s c2 = high_;
    U64s c3 = high_ >> 32;
    const U64s factor0 = U64s{} + 0xD2511F53u;
    const U64s factor1 = U64s{} + 0xCD9E8D57u;
#pragma GCC unroll 10
    for (int round = 0; round < 10; ++round) {
      const U64s p0 = MultiplyLow(c0, factor0);
      const U64s p1 = MultiplyLow(c2, factor1);
      c0 = (p1 >> 32) ^ c1 ^ keys_[2 * round];
      c1 = p1;
      c2 = (p0 >> 32) ^ c3 ^ keys_[2 * round + 1];
      c3 = p0;
    }
    return {c0, c1, c2, c3};
  }

 private:
  U64s low_, high_;
  U64s keys_[20];
};

// Calls emit(words, out) for one vector of blocks after the other; out moves on
// by `per_block` for each block.
template <typename T, typename Emit>
inline void ForBlocks(const StreamPlace& start, int64_t blocks, int per_block,
                      T* out, const Emit& emit) {
  Counters counters(start);
  U64s lanes{};
  for (int i = 0; i < kLanes; ++i) {
    lanes[i] = static_cast<uint64_t>(BlockOfLane(i));
  }
  counters.Skip(lanes);
  for (int64_t i = 0; i < blocks; i += kLanes) {
    emit(counters.Blocks(), out + i * per_block);
    counters.Skip(U64s{} + uint64_t{kLanes});
  }
}

// The same for blocks here and there.
template <typename T, typename Emit>
inline void ForScatteredBlocks(const StreamPlace& start, const uint64_t* skips,
                               int64_t blocks, int per_block, T* out,
                               const Emit& emit) {
  const Counters from(start);
  for (int64_t i = 0; i < blocks; i += kLanes) {
    Counters counters = from;
    U64s lanes{};
    for (int lane = 0; lane < kLanes; ++lane) {
      lanes[lane] = skips[i + BlockOfLane(lane)];
    }
    counters.Skip(lanes);
    emit(counters.Blocks(), out + i * per_block);
  }
}

template <typename T, typename Vector>
inline void StorePair(const Pair<Vector>& pair, T* out) {
  Store(out, pair.low);
  Store(out + sizeof(Vector) / sizeof(T), pair.high);
}

// The words of the blocks in order.
inline Pair<U64s> InOrder(const Counters::Words& words) {
  return PairLanes(JoinHalves(words.w0, words.w1),
                   JoinHalves(words.w2, words.w3));
}

// The fraction of a double is made of two words, the first one higher.
inline F64s UnitDoubles(U64s high, U64s low) {
  return UnitFloats<F64s>(JoinHalves(low, high));
}

inline Pair<F32s> NormalFloats(const Counters::Words& words) {
  const auto normals = BoxMuller<F32s>(
      UnitFloats<F32s>((U32s)JoinHalves(words.w0, words.w2)),
      MultiplyAsDoubles(UnitFloats<F32s>((U32s)JoinHalves(words.w1, words.w3)),
                        kFullTurn));
  return PairFloats(normals.sine, normals.cosine);
}

inline Pair<F64s> NormalDoubles(const Counters::Words& words) {
  const auto normals =
      BoxMuller<F64s>(UnitDoubles(words.w0, words.w1),
                      UnitDoubles(words.w2, words.w3) * kFullTurn);
  return PairLanes(normals.sine, normals.cosine);
}

template <typename Floats, typename T>
inline Pair<Floats> Scaled(const Pair<Floats>& draws, T scale, T offset) {
  return {draws.low * scale + offset, draws.high * scale + offset};
}

void DrawWords(const StreamPlace& start, int64_t blocks, uint32_t* out) {
  ForBlocks(start, blocks, 4, out,
            [](const Counters::Words& words, uint32_t* to) {
              StorePair(InOrder(words), to);
            });
}

void DrawUniformFloats(const StreamPlace& start, int64_t blocks, float scale,
                       float offset, float* out) {
  ForBlocks(start, blocks, 4, out,
            [=](const Counters::Words& words, float* to) {
              const Pair<U64s> bits = InOrder(words);
              const Pair<F32s> draws{UnitFloats<F32s>((U32s)bits.low),
                                     UnitFloats<F32s>((U32s)bits.high)};
              StorePair(Scaled(draws, scale, offset), to);
            });
}

void DrawUniformDoubles(const StreamPlace& start, int64_t blocks, double scale,
                        double offset, double* out) {
  ForBlocks(
      start, blocks, 2, out, [=](const Counters::Words& words, double* to) {
        const Pair<F64s> draws = PairLanes(UnitDoubles(words.w0, words.w1),
                                           UnitDoubles(words.w2, words.w3));
        StorePair(Scaled(draws, scale, offset), to);
      });
}

void DrawNormalFloats(const StreamPlace& start, int64_t blocks, float scale,
                      float offset, float* out) {
  ForBlocks(start, blocks, 4, out,
            [=](const Counters::Words& words, float* to) {
              StorePair(Scaled(NormalFloats(words), scale, offset), to);
            });
}

void DrawNormalDoubles(const StreamPlace& start, int64_t blocks, double scale,
                       double offset, double* out) {
  ForBlocks(start, blocks, 2, out,
            [=](const Counters::Words& words, double* to) {
              StorePair(Scaled(NormalDoubles(words), scale, offset), to);
            });
}

void DrawScatteredNormalFloats(const StreamPlace& start, const uint64_t* skips,
                               int64_t blocks, float* out) {
  ForScatteredBlocks(start, skips, blocks, 4, out,
                     [](const Counters::Words& words, float* to) {
                       StorePair(NormalFloats(words), to);
                     });
}

void DrawScatteredNormalDoubles(const StreamPlace& start, const uint64_t* skips,
                                int64_t blocks, double* out) {
  ForScatteredBlocks(start, skips, blocks, 2, out,
                     [](const Counters::Words& words, double* to) {
                       StorePair(NormalDoubles(words), to);
                     });
}

constexpr DrawKernels kKernels = {DrawWords,
                                  DrawUniformFloats,
                                  DrawUniformDoubles,
                                  DrawNormalFloats,
                                  DrawNormalDoubles,
                                  DrawScatteredNormalFloats,
                                  DrawScatteredNormalDoubles};

}  // namespace
}  // namespace varkeep::initializers

#endif  // VARKEEP_SERVER_INITIALIZERS_DRAW_KERNELS_IMPL_H_
