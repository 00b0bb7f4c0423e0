// SPDX-License-Identifier: Apache-2.0
//
// The inner loops give the same bits on every kind of processor, and normal
// numbers that are as near as SEMANTICS 8.6 asks to those of the C library.
#include "server/initializers/draw_kernels.h"

#include <gmock/gmock.h>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <numbers>
#include <vector>

#include "base/crc32c.h"
#include "server/initializers/draws.h"
#include "server/initializers/philox.h"
#include "tests/server/initializers/run.h"

namespace varkeep::initializers {
namespace {

constexpr int64_t kBlocks = 1 << 16;
// Near the end of the 64 low bits, so that counters carry on the way.
const StreamPlace kStart{0x123456789ABCDEF, ~uint64_t{kBlocks / 2}, 77};

template <typename T>
std::vector<T> Room() {
  return std::vector<T>(static_cast<size_t>(kBlocks * 16) / sizeof(T));
}

template <typename T>
std::vector<T> RunKernel(void (*kernel)(const StreamPlace&, int64_t, T, T, T*),
                         T scale, T offset) {
  std::vector<T> out = Room<T>();
  kernel(kStart, kBlocks, scale, offset, out.data());
  return out;
}

std::vector<uint32_t> Words(const DrawKernels& kernels) {
  auto words = Room<uint32_t>();
  kernels.words(kStart, kBlocks, words.data());
  return words;
}

template <typename T>
std::vector<T> RunScattered(void (*kernel)(const StreamPlace&, const uint64_t*,
                                           int64_t, T*),
                            const std::vector<uint64_t>& skips) {
  std::vector<T> out(skips.size() * 16 / sizeof(T));
  kernel(kStart, skips.data(), static_cast<int64_t>(skips.size()), out.data());
  return out;
}

TEST(DrawKernelsTest, EveryCpuGivesTheSameBits) {
  const DrawKernels& base = KernelsOf(CpuPath::kScalar);
  for (CpuPath path : kAllCpuPaths) {
    if (!IsSupported(path)) continue;
    SCOPED_TRACE(CpuPathName(path));
    const DrawKernels& kernels = KernelsOf(path);
    EXPECT_EQ(Words(kernels), Words(base));
    EXPECT_EQ(RunKernel(kernels.uniform_floats, 3.3f, -1.1f),
              RunKernel(base.uniform_floats, 3.3f, -1.1f));
    EXPECT_EQ(RunKernel(kernels.uniform_doubles, 3.3, -1.1),
              RunKernel(base.uniform_doubles, 3.3, -1.1));
    EXPECT_EQ(RunKernel(kernels.normal_floats, 3.3f, -1.1f),
              RunKernel(base.normal_floats, 3.3f, -1.1f));
    EXPECT_EQ(RunKernel(kernels.normal_doubles, 3.3, -1.1),
              RunKernel(base.normal_doubles, 3.3, -1.1));
  }
}

TEST(DrawKernelsTest, ScatteredBlocksAreThoseOfTheRow) {
  std::vector<uint64_t> skips;
  for (uint64_t i = 0; i < 4 * kKernelBlocks; ++i) {
    skips.push_back(i * i * 7 % kBlocks);
  }
  for (CpuPath path : kAllCpuPaths) {
    if (!IsSupported(path)) continue;
    SCOPED_TRACE(CpuPathName(path));
    const DrawKernels& kernels = KernelsOf(path);
    const auto floats = RunKernel(kernels.normal_floats, 1.0f, 0.0f);
    const auto doubles = RunKernel(kernels.normal_doubles, 1.0, 0.0);
    std::vector<float> some_floats;
    std::vector<double> some_doubles;
    for (uint64_t skip : skips) {
      for (size_t i = 0; i < 4; ++i)
        some_floats.push_back(floats[4 * skip + i]);
      for (size_t i = 0; i < 2; ++i) {
        some_doubles.push_back(doubles[2 * skip + i]);
      }
    }
    EXPECT_EQ(RunScattered(kernels.scattered_normal_floats, skips),
              some_floats);
    EXPECT_EQ(RunScattered(kernels.scattered_normal_doubles, skips),
              some_doubles);
  }
}

// The fractions of SEMANTICS 8.4.
float Unit(uint32_t word) {
  return std::bit_cast<float>(0x3F800000u | (word & 0x7FFFFFu)) - 1.0f;
}
double Unit(uint32_t high, uint32_t low) {
  return std::bit_cast<double>(uint64_t{1023} << 52 |
                               uint64_t{high & 0xFFFFFu} << 32 | low) -
         1.0;
}

TEST(DrawKernelsTest, UniformsAreTheFractionsOfTheWords) {
  const DrawKernels& kernels = ChosenKernels();
  const auto words = Words(kernels);
  const auto floats = RunKernel(kernels.uniform_floats, 3.3f, -1.1f);
  const auto doubles = RunKernel(kernels.uniform_doubles, 3.3, -1.1);
  for (size_t i = 0; i < floats.size(); ++i) {
    ASSERT_EQ(floats[i], Unit(words[i]) * 3.3f + -1.1f) << i;
  }
  for (size_t i = 0; i < doubles.size(); ++i) {
    ASSERT_EQ(doubles[i], Unit(words[2 * i], words[2 * i + 1]) * 3.3 + -1.1);
  }
}

// Distance from `want`, which is nearly exact, in units in the last place of
// the float next to it.
double UlpsAway(float got, double want) {
  const double ulp = std::ldexp(1.0, std::ilogb(static_cast<float>(want)) - 23);
  return std::abs(static_cast<double>(got) - want) / ulp;
}

TEST(DrawKernelsTest, NormalFloatsAreWithinFourUlps) {
  const DrawKernels& kernels = ChosenKernels();
  const auto words = Words(kernels);
  const auto normals = RunKernel(kernels.normal_floats, 1.0f, 0.0f);
  for (size_t i = 0; i < normals.size(); i += 2) {
    const float uniform = std::max(Unit(words[i]), 1.0e-7f);
    const auto angle = static_cast<float>(
        2 * std::numbers::pi * static_cast<double>(Unit(words[i + 1])));
    const double radius = std::sqrt(-2 * std::log(double{uniform}));
    ASSERT_LE(UlpsAway(normals[i], std::sin(double{angle}) * radius), 4);
    ASSERT_LE(UlpsAway(normals[i + 1], std::cos(double{angle}) * radius), 4);
  }
}

TEST(DrawKernelsTest, NormalDoublesAreWithinTenToTheMinusFourteen) {
  const DrawKernels& kernels = ChosenKernels();
  const auto words = Words(kernels);
  const auto normals = RunKernel(kernels.normal_doubles, 1.0, 0.0);
  for (size_t i = 0; i < normals.size(); i += 2) {
    const uint32_t* block = words.data() + 2 * i;
    const double uniform = std::max(Unit(block[0], block[1]), 1.0e-7);
    const double angle = 2 * std::numbers::pi * Unit(block[2], block[3]);
    const double radius = std::sqrt(-2 * std::log(uniform));
    const double sine = std::sin(angle) * radius;
    const double cosine = std::cos(angle) * radius;
    ASSERT_NEAR(normals[i], sine, std::abs(sine) * 1e-14);
    ASSERT_NEAR(normals[i + 1], cosine, std::abs(cosine) * 1e-14);
  }
}

// Group after group, each from a place of its own, block after block.
template <typename T>
std::vector<T> TruncatedByRejection(const Philox& start, size_t count,
                                    void (*kernel)(const StreamPlace&, int64_t,
                                                   T, T, T*)) {
  constexpr size_t kGroup = 16 / sizeof(T);
  std::vector<T> kept;
  std::vector<T> candidates(kGroup * kKernelBlocks);
  for (uint64_t group = 0; kept.size() < count; ++group) {
    kernel(start.After(group * kGroup * 64), kKernelBlocks, 1, 0,
           candidates.data());
    size_t accepted = 0;
    for (T candidate : candidates) {
      if (std::abs(candidate) >= 2 || accepted == kGroup) continue;
      kept.push_back(candidate);
      ++accepted;
    }
  }
  kept.resize(count);
  return kept;
}

TEST(DrawKernelsTest, TruncatedNormalsAreDrawnAgainInTheirGroup) {
  const Philox start(3, 4);
  constexpr size_t kCount = 300'001;
  std::vector<float> floats(kCount);
  DrawTruncatedNormal<float>(start, 1, 0, floats, nullptr);
  EXPECT_EQ(floats, TruncatedByRejection<float>(start, kCount,
                                                ChosenKernels().normal_floats));
  std::vector<double> doubles(kCount);
  DrawTruncatedNormal<double>(start, 1, 0, doubles, nullptr);
  EXPECT_EQ(doubles, TruncatedByRejection<double>(
                         start, kCount, ChosenKernels().normal_doubles));
}

// Whatever compiler, processor and number of threads: replaying a draw gives
// these bits. A change here means that values in change logs are lost.
TEST(DrawKernelsTest, DrawsNeverChange) {
  auto checksum = [](const InitializerSpec& spec, DType dtype) {
    return Crc32c(Draw(spec, dtype, {1'000'003}, {3, 4}, 1)->bytes());
  };
  const RandomUniformInitializer uniform{-1.5, 2.5, {}};
  const RandomNormalInitializer normal{0.5, 2.0, {}};
  const TruncatedNormalInitializer truncated{0.5, 2.0, {}};
  EXPECT_EQ(checksum(uniform, DType::kFloat16), 1688788493u);
  EXPECT_EQ(checksum(uniform, DType::kFloat32), 4265315719u);
  EXPECT_EQ(checksum(uniform, DType::kFloat64), 3605311516u);
  EXPECT_EQ(checksum(normal, DType::kBfloat16), 3689125674u);
  EXPECT_EQ(checksum(normal, DType::kFloat32), 4172000104u);
  EXPECT_EQ(checksum(normal, DType::kFloat64), 3232855024u);
  EXPECT_EQ(checksum(truncated, DType::kFloat16), 1937837118u);
  EXPECT_EQ(checksum(truncated, DType::kFloat32), 2190407796u);
  EXPECT_EQ(checksum(truncated, DType::kFloat64), 2258611826u);
}

}  // namespace
}  // namespace varkeep::initializers
