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

// The keys of Philox's rounds.
class Keys {
 public:
  explicit Keys(uint64_t key) {
    auto low = static_cast<uint32_t>(key);
    auto high = static_cast<uint32_t>(key >> 32);
    for (int round = 0; round < kRounds; ++round) {
      low_[round] = U64s{} + low;
      high_[round] = U64s{} + high;
      low += 0x9E3779B9;
      high += 0xBB67AE85;
    }
  }
  U64s low(int round) const { return low_[round]; }
  U64s high(int round) const { return high_[round]; }

  static constexpr int kRounds = 10;

 private:
  U64s low_[kRounds];
  U64s high_[kRounds];
};

// 128-bit counters, one in each lane.
struct Counters {
  U64s low, high;

  explicit Counters(const StreamPlace& start)
      : low(U64s{} + start.counter_low), high(U64s{} + start.counter_high) {}

  // Moves each lane on.
  void Skip(U64s blocks) {
    low += blocks;
    high -= (U64s)(low < blocks);  // a carry is all ones
  }
};

// Of each lane only the low half counts.
struct Words {
  U64s w0, w1, w2, w3;
};

// The blocks at the counters. The multiplications only see low halves, which is
// why nothing is masked in between.
inline Words Blocks(const Keys& keys, const Counters& counters) {
  U64s c0 = counters.low;
  U64s c1 = counters.low >> 32;
  U64s c2 = counters.high;
  U64s c3 = counters.high >> 32;
  const U64s factor0 = U64s{} + 0xD2511F53u;
  const U64s factor1 = U64s{} + 0xCD9E8D57u;
#pragma GCC unroll 10
  for (int round = 0; round < Keys::kRounds; ++round) {
    const U64s p0 = MultiplyLow(c0, factor0);
    const U64s p1 = MultiplyLow(c2, factor1);
    c0 = (p1 >> 32) ^ c1 ^ keys.low(round);
    c1 = p1;
    c2 = (p0 >> 32) ^ c3 ^ keys.high(round);
    c3 = p0;
  }
  return {c0, c1, c2, c3};
}

// Calls emit(words, out) for one vector of blocks after the other; out moves on
// by `per_block` for each block. Two vectors at a time keep the processor busy
// while one waits for itself.
template <typename T, typename Emit>
inline void ForBlocks(const StreamPlace& start, int64_t blocks, int per_block,
                      T* out, const Emit& emit) {
  const Keys keys(start.key);
  Counters counters(start);
  U64s lanes{};
  for (int i = 0; i < kLanes; ++i) {
    lanes[i] = static_cast<uint64_t>(BlockOfLane(i));
  }
  counters.Skip(lanes);
  for (int64_t i = 0; i < blocks; i += 2 * kLanes) {
    const Words first = Blocks(keys, counters);
    counters.Skip(U64s{} + uint64_t{kLanes});
    const Words second = Blocks(keys, counters);
    counters.Skip(U64s{} + uint64_t{kLanes});
    emit(first, out + i * per_block);
    emit(second, out + (i + kLanes) * per_block);
  }
}

// The same for blocks here and there.
template <typename T, typename Emit>
inline void ForScatteredBlocks(const StreamPlace& start, const uint64_t* skips,
                               int64_t blocks, int per_block, T* out,
                               const Emit& emit) {
  const Keys keys(start.key);
  auto counters_at = [&](int64_t i) {
    Counters counters(start);
    U64s lanes{};
    for (int lane = 0; lane < kLanes; ++lane) {
      lanes[lane] = skips[i + BlockOfLane(lane)];
    }
    counters.Skip(lanes);
    return counters;
  };
  for (int64_t i = 0; i < blocks; i += 2 * kLanes) {
    const Words first = Blocks(keys, counters_at(i));
    const Words second = Blocks(keys, counters_at(i + kLanes));
    emit(first, out + i * per_block);
    emit(second, out + (i + kLanes) * per_block);
  }
}

template <typename T, typename Vector>
inline void StorePair(const Pair<Vector>& pair, T* out) {
  Store(out, pair.low);
  Store(out + sizeof(Vector) / sizeof(T), pair.high);
}

// The words of the blocks in order.
inline Pair<U64s> InOrder(const Words& words) {
  return PairLanes(JoinHalves(words.w0, words.w1),
                   JoinHalves(words.w2, words.w3));
}

// The fraction of a double is made of two words, the first one higher.
inline F64s UnitDoubles(U64s high, U64s low) {
  return UnitFloats<F64s>(JoinHalves(low, high));
}

inline Pair<F32s> NormalFloats(const Words& words) {
  const auto normals = BoxMuller<F32s>(
      UnitFloats<F32s>((U32s)JoinHalves(words.w0, words.w2)),
      MultiplyAsDoubles(UnitFloats<F32s>((U32s)JoinHalves(words.w1, words.w3)),
                        kFullTurn));
  return PairFloats(normals.sine, normals.cosine);
}

inline Pair<F64s> NormalDoubles(const Words& words) {
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
  ForBlocks(start, blocks, 4, out, [](const Words& words, uint32_t* to) {
    StorePair(InOrder(words), to);
  });
}

void DrawUniformFloats(const StreamPlace& start, int64_t blocks, float scale,
                       float offset, float* out) {
  ForBlocks(start, blocks, 4, out, [=](const Words& words, float* to) {
    const Pair<U64s> bits = InOrder(words);
    const Pair<F32s> draws{UnitFloats<F32s>((U32s)bits.low),
                           UnitFloats<F32s>((U32s)bits.high)};
    StorePair(Scaled(draws, scale, offset), to);
  });
}

void DrawUniformDoubles(const StreamPlace& start, int64_t blocks, double scale,
                        double offset, double* out) {
  ForBlocks(start, blocks, 2, out, [=](const Words& words, double* to) {
    const Pair<F64s> draws = PairLanes(UnitDoubles(words.w0, words.w1),
                                       UnitDoubles(words.w2, words.w3));
    StorePair(Scaled(draws, scale, offset), to);
  });
}

void DrawNormalFloats(const StreamPlace& start, int64_t blocks, float scale,
                      float offset, float* out) {
  ForBlocks(start, blocks, 4, out, [=](const Words& words, float* to) {
    StorePair(Scaled(NormalFloats(words), scale, offset), to);
  });
}

void DrawNormalDoubles(const StreamPlace& start, int64_t blocks, double scale,
                       double offset, double* out) {
  ForBlocks(start, blocks, 2, out, [=](const Words& words, double* to) {
    StorePair(Scaled(NormalDoubles(words), scale, offset), to);
  });
}

void DrawScatteredNormalFloats(const StreamPlace& start, const uint64_t* skips,
                               int64_t blocks, float* out) {
  ForScatteredBlocks(start, skips, blocks, 4, out,
                     [](const Words& words, float* to) {
                       StorePair(NormalFloats(words), to);
                     });
}

void DrawScatteredNormalDoubles(const StreamPlace& start, const uint64_t* skips,
                                int64_t blocks, double* out) {
  ForScatteredBlocks(start, skips, blocks, 2, out,
                     [](const Words& words, double* to) {
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
