// SPDX-License-Identifier: Apache-2.0
#include <Eigen/Core>
#include <array>
#include <type_traits>

#include "server/initializers/draw_batches.h"
#include "server/initializers/draws.h"

namespace varkeep::initializers {
namespace {

// Draws where group g takes block g: element(words) makes one element.
template <typename T, typename Element>
void DrawFromWords(const Philox& start, std::span<T> out, ThreadPool* pool,
                   const Element& element) {
  DrawBatches(out, pool, [&](int64_t first, int64_t groups, T* destination) {
    alignas(64) std::array<uint32_t, 4 * kMostGroups> words;
    ChosenKernels().words(start.After(static_cast<uint64_t>(first)), groups,
                          words.data());
    for (int64_t i = 0; i < groups * kGroupSize<T>; ++i) {
      destination[i] = element(words.data() + i * (4 / kGroupSize<T>));
    }
  });
}

// The quotients are exact in their types.
Eigen::half UnitUniform(uint32_t word, Eigen::half) {
  return Eigen::half(static_cast<float>(word & 0x3FFu) / 1024.0f);
}
Eigen::bfloat16 UnitUniform(uint32_t word, Eigen::bfloat16) {
  return Eigen::bfloat16(static_cast<float>(word & 0x7Fu) / 128.0f);
}

}  // namespace

template <typename T>
void DrawUniform(const Philox& start, T scale, T offset, std::span<T> out,
                 ThreadPool* pool) {
  if constexpr (sizeof(T) < 4) {
    DrawFromWords(start, out, pool, [=](const uint32_t* words) {
      return UnitUniform(*words, T()) * scale + offset;
    });
  } else {
    DrawBatches(out, pool, [&](int64_t first, int64_t groups, T* destination) {
      const StreamPlace place = start.After(static_cast<uint64_t>(first));
      if constexpr (std::is_same_v<T, float>) {
        ChosenKernels().uniform_floats(place, groups, scale, offset,
                                       destination);
      } else {
        ChosenKernels().uniform_doubles(place, groups, scale, offset,
                                        destination);
      }
    });
  }
}

template <typename T>
void DrawUniformInt(const Philox& start, T low, T high, std::span<T> out,
                    ThreadPool* pool) {
  using U = std::make_unsigned_t<T>;
  const U range = static_cast<U>(high) - static_cast<U>(low);
  DrawFromWords(start, out, pool, [=](const uint32_t* words) {
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
