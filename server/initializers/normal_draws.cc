// SPDX-License-Identifier: Apache-2.0
//
// Normal numbers by the method of Box and Muller, sine first, from two uniform
// ones.
#include <Eigen/Core>
#include <array>
#include <cmath>
#include <type_traits>

#include "server/initializers/draw_batches.h"
#include "server/initializers/draws.h"

namespace varkeep::initializers {
namespace {

// The type in which T's normals are computed and truncated.
template <typename T>
using Compute = std::conditional_t<sizeof(T) == 8, double, float>;

template <typename C>
using Normals = std::array<C, static_cast<size_t>(kMostGroups* kGroupSize<C>)>;
using Skips = std::array<uint64_t, static_cast<size_t>(kMostGroups)>;

void DrawKernel(const StreamPlace& start, int64_t blocks, float scale,
                float offset, float* out) {
  ChosenKernels().normal_floats(start, blocks, scale, offset, out);
}
void DrawKernel(const StreamPlace& start, int64_t blocks, double scale,
                double offset, double* out) {
  ChosenKernels().normal_doubles(start, blocks, scale, offset, out);
}

void DrawScattered(const StreamPlace& start, const Skips& skips, int64_t blocks,
                   float* out) {
  ChosenKernels().scattered_normal_floats(start, skips.data(), blocks, out);
}
void DrawScattered(const StreamPlace& start, const Skips& skips, int64_t blocks,
                   double* out) {
  ChosenKernels().scattered_normal_doubles(start, skips.data(), blocks, out);
}

// Blocks from the start of one group to that of the next when truncated:
// TensorFlow's reserve of 256 words for each element.
template <typename T>
constexpr uint64_t kStride = kGroupSize<T> * 256 / 4;

// Those of a group's candidates that are not rejected, in order.
template <typename C>
class Accepted {
 public:
  bool full() const { return count_ >= kGroupSize<C>; }
  C operator[](int i) const { return kept_[static_cast<size_t>(i)]; }

  // REQUIRES: not full().
  void Take(const C* block) {
    for (int i = 0; i < kGroupSize<C>; ++i) {
      kept_[static_cast<size_t>(count_)] = block[i];
      count_ += std::abs(block[i]) < 2 ? 1 : 0;
    }
  }

 private:
  int count_ = 0;
  std::array<C, 2 * kGroupSize<C>> kept_;
};

// The first candidates of `groups` groups into `first`; the numbers of the
// groups that have to reject some into `rejecting`. Returns how many those are.
template <typename C>
int64_t DrawFirst(const StreamPlace& start, int64_t groups, Normals<C>& first,
                  Skips& rejecting) {
  Skips skips;
  for (size_t i = 0; i < static_cast<size_t>(groups); ++i) {
    skips[i] = i * kStride<C>;
  }
  DrawScattered(start, skips, groups, first.data());
  size_t count = 0;
  for (size_t group = 0; group < static_cast<size_t>(groups); ++group) {
    bool rejects = false;
    for (size_t i = 0; i < kGroupSize<C>; ++i) {
      rejects |= !(std::abs(first[group * kGroupSize<C> + i]) < 2);
    }
    rejecting[count] = group;
    count += rejects ? 1 : 0;
  }
  return static_cast<int64_t>(count);
}

// The second candidates of each of the `count` groups in `rejecting`.
template <typename C>
void DrawSecond(const StreamPlace& start, const Skips& rejecting, int64_t count,
                Normals<C>& second) {
  Skips skips{};
  for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
    skips[i] = rejecting[i] * kStride<C> + 1;
  }
  const int64_t blocks =
      (count + kKernelBlocks - 1) / kKernelBlocks * kKernelBlocks;
  DrawScattered(start, skips, blocks, second.data());
}

// Goes on with the third block of a group and those that follow, until it is
// full; this is rare.
template <typename C>
void TakeRest(const StreamPlace& start, uint64_t group, Accepted<C>& accepted) {
  Skips skips;
  Normals<C> rest;
  for (uint64_t block = group * kStride<C> + 2;; block += kKernelBlocks) {
    for (size_t i = 0; i < kKernelBlocks; ++i) skips[i] = block + i;
    DrawScattered(start, skips, kKernelBlocks, rest.data());
    for (int64_t i = 0; i < kKernelBlocks; ++i) {
      if (accepted.full()) return;
      accepted.Take(rest.data() + i * kGroupSize<C>);
    }
  }
}

template <typename T>
void DrawTruncatedGroups(const StreamPlace& start, int64_t groups, T scale,
                         T offset, T* out) {
  using C = Compute<T>;
  constexpr int kSize = kGroupSize<C>;
  alignas(64) Normals<C> first;
  Skips rejecting;
  const int64_t count = DrawFirst(start, groups, first, rejecting);
  for (int64_t i = 0; i < groups * kSize; ++i) {
    out[i] = static_cast<T>(first[static_cast<size_t>(i)]) * scale + offset;
  }
  if (count == 0) return;
  alignas(64) Normals<C> second;
  DrawSecond(start, rejecting, count, second);
  for (int64_t i = 0; i < count; ++i) {
    const uint64_t group = rejecting[static_cast<size_t>(i)];
    Accepted<C> accepted;
    accepted.Take(first.data() + group * kSize);
    accepted.Take(second.data() + i * kSize);
    if (!accepted.full()) TakeRest(start, group, accepted);
    T* to = out + group * kSize;
    for (int j = 0; j < kSize; ++j) {
      to[j] = static_cast<T>(accepted[j]) * scale + offset;
    }
  }
}

}  // namespace

template <typename T>
void DrawNormal(const Philox& start, T scale, T offset, std::span<T> out,
                ThreadPool* pool) {
  DrawBatches(out, pool, [&](int64_t first, int64_t groups, T* destination) {
    const StreamPlace place = start.After(static_cast<uint64_t>(first));
    if constexpr (std::is_same_v<T, Compute<T>>) {
      DrawKernel(place, groups, scale, offset, destination);
    } else {
      alignas(64) Normals<float> normals;
      DrawKernel(place, groups, 1.0f, 0.0f, normals.data());
      for (int64_t i = 0; i < groups * kGroupSize<T>; ++i) {
        destination[i] =
            static_cast<T>(normals[static_cast<size_t>(i)]) * scale + offset;
      }
    }
  });
}

template <typename T>
void DrawTruncatedNormal(const Philox& start, T scale, T offset,
                         std::span<T> out, ThreadPool* pool) {
  DrawBatches(out, pool, [&](int64_t first, int64_t groups, T* destination) {
    DrawTruncatedGroups(
        start.After(Philox::Uint128{kStride<T>} * static_cast<uint64_t>(first)),
        groups, scale, offset, destination);
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
