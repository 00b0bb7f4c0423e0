// SPDX-License-Identifier: Apache-2.0
#include <Eigen/Core>
#include <type_traits>

#include "server/initializers/draw_batches.h"
#include "server/initializers/draws.h"
#include "server/initializers/uniform_bits.h"

namespace varkeep::initializers {
namespace {

// Draws where group g takes block g: element(words) makes one element.
template <typename T, typename Element>
void DrawFixedRate(const Philox& start, std::span<T> out, ThreadPool* pool,
                   const Element& element) {
  DrawBatches(out, pool, [&](int64_t batch, T* destination) {
    Philox here = start;
    here.Skip(static_cast<uint64_t>(batch * Philox::kBatchBlocks));
    alignas(64) Philox::BatchWords words;
    here.FillBatch(1, words);
    for (int64_t i = 0; i < kBatchSize<T>; ++i) {
      destination[i] = element(words.data() + i * kWordsPerElement<T>);
    }
  });
}

}  // namespace

template <typename T>
void DrawUniform(const Philox& start, T scale, T offset, std::span<T> out,
                 ThreadPool* pool) {
  DrawFixedRate(start, out, pool, [=](const uint32_t* words) {
    return UnitUniform<T>(words) * scale + offset;
  });
}

template <typename T>
void DrawUniformInt(const Philox& start, T low, T high, std::span<T> out,
                    ThreadPool* pool) {
  using U = std::make_unsigned_t<T>;
  const U range = static_cast<U>(high) - static_cast<U>(low);
  DrawFixedRate(start, out, pool, [=](const uint32_t* words) {
    U bits = words[0];
    if constexpr (sizeof(T) == 8) bits |= U{words[1]} << 32;
    return static_cast<T>(static_cast<U>(low) + bits % range);
  });
}

template void DrawUniform(const Philox&, Eigen::half, Eigen::half,
                          std::span<Eigen::half>, ThreadPool*);
template void DrawUniform(const Philox&, Eigen::bfloat16, Eigen::bfloat16,
                          std::span<Eigen::bfloat16>, ThreadPool*);
template void DrawUniform(const Philox&, float, float, std::span<float>,
                          ThreadPool*);
template void DrawUniform(const Philox&, double, double, std::span<double>,
                          ThreadPool*);
template void DrawUniformInt(const Philox&, int32_t, int32_t,
                             std::span<int32_t>, ThreadPool*);
template void DrawUniformInt(const Philox&, int64_t, int64_t,
                             std::span<int64_t>, ThreadPool*);

}  // namespace varkeep::initializers
