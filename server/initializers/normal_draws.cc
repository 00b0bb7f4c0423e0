// SPDX-License-Identifier: Apache-2.0
//
// Normal numbers by the method of Box and Muller, sine first, from two uniform
// ones. The bits depend on the C library's logarithm, sine and cosine; those of
// glibc are what TensorFlow itself calls on Linux, so they are called one by
// one here rather than replaced by vector code.
#include <math.h>

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <type_traits>

#include "server/initializers/draw_batches.h"
#include "server/initializers/draws.h"
#include "server/initializers/uniform_bits.h"

namespace varkeep::initializers {
namespace {

// The type in which T's normals are computed and truncated.
template <typename T>
using Compute = std::conditional_t<sizeof(T) == 8, double, float>;

// The normals of one block: four floats or two doubles.
template <typename T>
using Normals =
    std::array<Compute<T>, static_cast<size_t>(kGroupSize<Compute<T>>)>;

void BoxMuller(const uint32_t* words, float* out) {
  const float u = std::max(UnitUniform<float>(words), 1.0e-7f);
  const auto angle =
      static_cast<float>(2 * std::numbers::pi *
                         static_cast<double>(UnitUniform<float>(words + 1)));
  const float radius = std::sqrt(-2.0f * std::log(u));
  float sine = 0;
  float cosine = 0;
  ::sincosf(angle, &sine, &cosine);
  out[0] = sine * radius;
  out[1] = cosine * radius;
}

void BoxMuller(const uint32_t* words, double* out) {
  const double u = std::max(UnitUniform<double>(words), 1.0e-7);
  const double angle = 2 * std::numbers::pi * UnitUniform<double>(words + 2);
  const double radius = std::sqrt(-2.0 * std::log(u));
  double sine = 0;
  double cosine = 0;
  ::sincos(angle, &sine, &cosine);
  out[0] = sine * radius;
  out[1] = cosine * radius;
}

template <typename T>
Normals<T> BlockNormals(const uint32_t* words) {
  Normals<T> normals;
  constexpr size_t kWordsPerPair = 2 * kWordsPerElement<Compute<T>>;
  for (size_t i = 0; i < normals.size(); i += 2) {
    BoxMuller(words + i / 2 * kWordsPerPair, normals.data() + i);
  }
  return normals;
}

// Makes one group of truncated normals, of the block in `words` and as many of
// `rest` as it takes.
template <typename T>
void DrawTruncatedGroup(const uint32_t* words, Philox rest, T scale, T offset,
                        T* out) {
  constexpr Compute<T> kLimit = 2;
  Philox::Block block;
  for (int accepted = 0;;) {
    for (Compute<T> normal : BlockNormals<T>(words)) {
      if (std::abs(normal) >= kLimit) continue;
      out[accepted++] = static_cast<T>(normal) * scale + offset;
      if (accepted == kGroupSize<T>) return;
    }
    block = rest.Next();
    words = block.data();
  }
}

}  // namespace

template <typename T>
void DrawNormal(const Philox& start, T scale, T offset, std::span<T> out,
                ThreadPool* pool) {
  DrawBatches(out, pool, [&](int64_t batch, T* destination) {
    Philox here = start;
    here.Skip(static_cast<uint64_t>(batch * Philox::kBatchBlocks));
    Philox::BatchWords words;
    here.FillBatch(1, words);
    for (int block = 0; block < Philox::kBatchBlocks; ++block) {
      for (Compute<T> normal : BlockNormals<T>(words.data() + 4 * block)) {
        *destination++ = static_cast<T>(normal) * scale + offset;
      }
    }
  });
}

template <typename T>
void DrawTruncatedNormal(const Philox& start, T scale, T offset,
                         std::span<T> out, ThreadPool* pool) {
  // Blocks from the start of one group to the next: TensorFlow's reserve of 256
  // words for each element.
  constexpr uint64_t kStride = kGroupSize<T> * 256 / 4;
  DrawBatches(out, pool, [&](int64_t batch, T* destination) {
    Philox here = start;
    here.Skip(Philox::Uint128{kStride} *
              static_cast<uint64_t>(batch * Philox::kBatchBlocks));
    Philox::BatchWords words;
    here.FillBatch(kStride, words);
    for (int group = 0; group < Philox::kBatchBlocks; ++group) {
      Philox rest = here;
      rest.Skip(static_cast<uint64_t>(group) * kStride + 1);
      DrawTruncatedGroup(words.data() + 4 * group, rest, scale, offset,
                         destination + group * kGroupSize<T>);
    }
  });
}

template void DrawNormal(const Philox&, Eigen::half, Eigen::half,
                         std::span<Eigen::half>, ThreadPool*);
template void DrawNormal(const Philox&, Eigen::bfloat16, Eigen::bfloat16,
                         std::span<Eigen::bfloat16>, ThreadPool*);
template void DrawNormal(const Philox&, float, float, std::span<float>,
                         ThreadPool*);
template void DrawNormal(const Philox&, double, double, std::span<double>,
                         ThreadPool*);
template void DrawTruncatedNormal(const Philox&, Eigen::half, Eigen::half,
                                  std::span<Eigen::half>, ThreadPool*);
template void DrawTruncatedNormal(const Philox&, Eigen::bfloat16,
                                  Eigen::bfloat16, std::span<Eigen::bfloat16>,
                                  ThreadPool*);
template void DrawTruncatedNormal(const Philox&, float, float, std::span<float>,
                                  ThreadPool*);
template void DrawTruncatedNormal(const Philox&, double, double,
                                  std::span<double>, ThreadPool*);

}  // namespace varkeep::initializers
