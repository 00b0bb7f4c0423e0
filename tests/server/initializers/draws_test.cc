// SPDX-License-Identifier: Apache-2.0
//
// What all random draws have in common, whatever the numbers.
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/server/initializers/run.h"

namespace varkeep {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::Ge;
using ::testing::Gt;
using ::testing::Le;
using ::testing::Lt;

struct Case {
  InitializerSpec spec;
  DType dtype;
};

std::vector<Case> AllDraws() {
  std::vector<Case> cases;
  for (DType dtype :
       {DType::kFloat16, DType::kBfloat16, DType::kFloat32, DType::kFloat64}) {
    cases.push_back({RandomUniformInitializer{-1.5, 2.5, {}}, dtype});
    cases.push_back({RandomNormalInitializer{0.5, 2.0, {}}, dtype});
    cases.push_back({TruncatedNormalInitializer{0.5, 2.0, {}}, dtype});
  }
  for (DType dtype : {DType::kInt32, DType::kInt64}) {
    cases.push_back(
        {RandomUniformInitializer{int64_t{-5}, int64_t{1000}, {}}, dtype});
  }
  return cases;
}

std::string Describe(const Case& c) {
  return InitializerToString(c.spec) + std::string(DTypeName(c.dtype));
}

// The first bytes of `longer` are all those of `shorter`.
bool StartsWith(const Tensor& longer, const Tensor& shorter) {
  return longer.size_bytes() >= shorter.size_bytes() &&
         std::equal(shorter.bytes().begin(), shorter.bytes().end(),
                    longer.bytes().begin());
}

TEST(DrawsTest, DoNotDependOnThreads) {
  ThreadPool one(1);
  ThreadPool three(3);
  // Parts are 1024 batches of 16 groups, of 2 or 4 elements.
  for (const Case& c : AllDraws()) {
    for (const int64_t size :
         {1, 63, 64, 65, 32767, 32768, 32769, 65535, 65536, 65537, 200003}) {
      const TensorRef alone = Draw(c.spec, c.dtype, {size}, {3, 4}, 1);
      EXPECT_THAT(Draw(c.spec, c.dtype, {size}, {3, 4}, 1, &one),
                  TensorEq(alone))
          << Describe(c) << size;
      EXPECT_THAT(Draw(c.spec, c.dtype, {size}, {3, 4}, 1, &three),
                  TensorEq(alone))
          << Describe(c) << size;
    }
  }
}

TEST(DrawsTest, ShorterIsAPrefixOfLonger) {
  for (const Case& c : AllDraws()) {
    const TensorRef longest = Draw(c.spec, c.dtype, {300}, {3, 4});
    for (const int64_t size : {0, 1, 2, 3, 4, 5, 31, 32, 33, 64, 65, 299}) {
      EXPECT_TRUE(StartsWith(*longest, *Draw(c.spec, c.dtype, {size}, {3, 4})))
          << Describe(c) << size;
    }
  }
}

TEST(DrawsTest, ShapeOnlyArrangesTheElements) {
  for (const Case& c : AllDraws()) {
    EXPECT_TRUE(StartsWith(*Draw(c.spec, c.dtype, {24}, {3, 4}),
                           *Draw(c.spec, c.dtype, {2, 3, 4}, {3, 4})));
  }
}

TEST(DrawsTest, ScalarsAndEmptyShapesAreDrawn) {
  for (const Case& c : AllDraws()) {
    EXPECT_EQ(Draw(c.spec, c.dtype, {}, {3, 4})->num_elements(), 1);
    EXPECT_EQ(Draw(c.spec, c.dtype, {0, 2}, {3, 4})->num_elements(), 0);
  }
}

TEST(DrawsTest, EachRunDrawsAnew) {
  for (const Case& c : AllDraws()) {
    const TensorRef first = Draw(c.spec, c.dtype, {20}, {3, 4}, 0);
    const TensorRef second = Draw(c.spec, c.dtype, {20}, {3, 4}, 1);
    EXPECT_FALSE(BitwiseEqual(*first, *second)) << Describe(c);
    EXPECT_THAT(Draw(c.spec, c.dtype, {20}, {3, 4}, 1), TensorEq(second));
  }
}

// Run r of n elements begins r * n * 256 blocks on; a group of a plain draw is
// one block.
TEST(DrawsTest, ALaterRunIsAnOffsetIntoTheFirst) {
  const RandomUniformInitializer uniform;
  const std::vector<float> first =
      DrawValues<float>(uniform, {3 * 256 * 4 + 3}, OpSeeds(7));
  const std::vector<float> second =
      DrawValues<float>(uniform, {3}, OpSeeds(7), 1);
  EXPECT_EQ(std::vector<float>(first.end() - 3, first.end()), second);

  const std::vector<double> first64 =
      DrawValues<double>(uniform, {2 * 256 * 2 + 2}, OpSeeds(7));
  EXPECT_EQ(std::vector<double>(first64.end() - 2, first64.end()),
            DrawValues<double>(uniform, {2}, OpSeeds(7), 1));
}

TEST(DrawsTest, ManyRunsDoNotOverflow) {
  EXPECT_THAT(DrawValues<float>(RandomUniformInitializer{}, {5}, OpSeeds(7),
                                ~uint64_t{0}),
              Each(AllOf(Ge(0.0f), Lt(1.0f))));
}

TEST(DrawsTest, SeedsDecide) {
  const RandomNormalInitializer normal;
  EXPECT_EQ(DrawValues<float>(normal, {10}, BothSeeds(1, 2)),
            DrawValues<float>(normal, {10}, BothSeeds(1, 2)));
  EXPECT_NE(DrawValues<float>(normal, {10}, BothSeeds(1, 2)),
            DrawValues<float>(normal, {10}, BothSeeds(1, 3)));
  EXPECT_NE(DrawValues<float>(normal, {10}, BothSeeds(1, 2)),
            DrawValues<float>(normal, {10}, BothSeeds(2, 2)));
}

TEST(DrawsTest, SameGraphSeedTwiceInOneGraphDiffers) {
  const InitializerSpec normal = RandomNormalInitializer{};
  const OpCost cost =
      InitializerOpCost(normal, DType::kFloat32, {10}, true, true);
  const Seeds first = *ResolveSeeds(42, OpSeed(normal), cost.seed_position);
  const Seeds second =
      *ResolveSeeds(42, OpSeed(normal), cost.ops + cost.seed_position);
  EXPECT_NE(DrawValues<float>(normal, {10}, first),
            DrawValues<float>(normal, {10}, second));
}

TEST(DrawsTest, UniformStaysInItsRangeAndIsNotSorted) {
  const std::vector<float> values = DrawValues<float>(
      RandomUniformInitializer{int64_t{0}, int64_t{10}, {}}, {10}, OpSeeds(1));
  EXPECT_THAT(values, Each(AllOf(Ge(0.0f), Lt(10.0f))));
  EXPECT_FALSE(std::is_sorted(values.begin(), values.end()));
}

TEST(DrawsTest, WidestIntegerRangesDoNotOverflow) {
  const RandomUniformInitializer whole{std::numeric_limits<int64_t>::min(),
                                       std::numeric_limits<int64_t>::max(),
                                       {}};
  const std::vector<int64_t> values =
      DrawValues<int64_t>(whole, {1000}, OpSeeds(1));
  EXPECT_THAT(values, Contains(Lt(int64_t{-1} << 62)));
  EXPECT_THAT(values, Contains(Gt(int64_t{1} << 62)));
}

TEST(DrawsTest, SmallIntegerRangeIsCovered) {
  const std::vector<int32_t> values =
      DrawValues<int32_t>(RandomUniformInitializer{int64_t{-2}, int64_t{2}, {}},
                          {1000}, OpSeeds(1));
  EXPECT_THAT(values, Each(AllOf(Ge(-2), Le(1))));
  for (int32_t value : {-2, -1, 0, 1}) {
    const auto count = std::ranges::count(values, value);
    EXPECT_THAT(count, AllOf(Gt(190), Lt(310))) << value;
  }
}

TEST(DrawsTest, TruncatedStaysWithinTwoDeviations) {
  EXPECT_THAT(
      DrawValues<float>(TruncatedNormalInitializer{}, {100000}, OpSeeds(1)),
      Each(AllOf(Gt(-2.0f), Lt(2.0f))));
  EXPECT_THAT(DrawValues<double>(TruncatedNormalInitializer{3.0, 0.5, {}},
                                 {100000}, OpSeeds(1)),
              Each(AllOf(Gt(2.0), Lt(4.0))));
  EXPECT_THAT(DrawValues<float>(TruncatedNormalInitializer{0.0, 0.02, {}},
                                {2, 2}, OpSeeds(1)),
              Each(AllOf(Ge(-0.04f), Le(0.04f))));
}

struct Moments {
  double mean = 0;
  double variance = 0;
};

template <typename T>
Moments MomentsOf(const std::vector<T>& values) {
  Moments moments;
  const auto count = static_cast<double>(values.size());
  for (T value : values) moments.mean += static_cast<double>(value) / count;
  for (T value : values) {
    const double distance = static_cast<double>(value) - moments.mean;
    moments.variance += distance * distance / count;
  }
  return moments;
}

template <typename T>
void ExpectMoments(const InitializerSpec& spec, double mean, double variance) {
  const Moments moments = MomentsOf(DrawValues<T>(spec, {200000}, OpSeeds(1)));
  EXPECT_NEAR(moments.mean, mean, 0.01) << InitializerToString(spec);
  EXPECT_NEAR(moments.variance, variance, 0.02) << InitializerToString(spec);
}

template <typename T>
void ExpectTheRightMoments() {
  ExpectMoments<T>(RandomUniformInitializer{-1.0, 1.0, {}}, 0, 1.0 / 3);
  ExpectMoments<T>(RandomNormalInitializer{1.0, 1.5, {}}, 1, 2.25);
  ExpectMoments<T>(TruncatedNormalInitializer{}, 0, 0.7737413);
}

TEST(DrawsTest, MomentsAreRight) {
  ExpectTheRightMoments<Eigen::half>();
  ExpectTheRightMoments<float>();
  ExpectTheRightMoments<double>();
}

// Uniform bfloat16 has 128 values: its mean is half a step low.
TEST(DrawsTest, MomentsOfBfloat16AreRight) {
  const Moments moments = MomentsOf(DrawValues<Eigen::bfloat16>(
      RandomUniformInitializer{}, {200000}, OpSeeds(1)));
  EXPECT_NEAR(moments.mean, 0.5 - 1.0 / 256, 0.002);
}

// The small floats draw from the same words as float32.
TEST(DrawsTest, SmallNormalsAreRoundedFloats) {
  const RandomNormalInitializer normal;
  const std::vector<float> floats =
      DrawValues<float>(normal, {1000}, OpSeeds(1));
  const auto halves = DrawValues<Eigen::half>(normal, {1000}, OpSeeds(1));
  const auto bfloats = DrawValues<Eigen::bfloat16>(normal, {1000}, OpSeeds(1));
  for (size_t i = 0; i < floats.size(); ++i) {
    EXPECT_EQ(halves[i], Eigen::half(floats[i])) << i;
    EXPECT_EQ(bfloats[i], Eigen::bfloat16(floats[i])) << i;
  }
}

TEST(DrawsTest, SmallUniformsAreTheLowBits) {
  const std::vector<int32_t> raw = DrawValues<int32_t>(
      RandomUniformInitializer{int64_t{0}, int64_t{1024}, {}}, {100},
      OpSeeds(1));
  const auto halves =
      DrawValues<Eigen::half>(RandomUniformInitializer{}, {100}, OpSeeds(1));
  const auto bfloats = DrawValues<Eigen::bfloat16>(RandomUniformInitializer{},
                                                   {100}, OpSeeds(1));
  for (size_t i = 0; i < raw.size(); ++i) {
    EXPECT_EQ(static_cast<float>(halves[i]),
              static_cast<float>(raw[i]) / 1024.0f);
    EXPECT_EQ(static_cast<float>(bfloats[i]),
              static_cast<float>(raw[i] % 128) / 128.0f);
  }
}

}  // namespace
}  // namespace varkeep
