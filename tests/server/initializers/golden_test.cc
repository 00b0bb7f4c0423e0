// SPDX-License-Identifier: Apache-2.0
//
// Numbers that TensorFlow 1 itself printed, or that follow from its
// algorithms: the R rows of SEMANTICS 8.9.
#include <gmock/gmock.h>

#include <limits>

#include "tests/server/initializers/run.h"

namespace varkeep {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::FloatNear;
using ::testing::Pointwise;

// Raw words, seen through the widest integer range: the word less 2^31.
RandomUniformInitializer AlmostRaw() {
  return {int64_t{std::numeric_limits<int32_t>::min()},
          int64_t{std::numeric_limits<int32_t>::max()}, std::nullopt};
}
std::vector<uint32_t> RawWords(int64_t count, Seeds seeds) {
  std::vector<uint32_t> words;
  for (int32_t value : DrawValues<int32_t>(AlmostRaw(), {count}, seeds)) {
    words.push_back(static_cast<uint32_t>(value) + 0x80000000u);
  }
  return words;
}

TEST(GoldenTest, R1RawWordsOfZeroSeeds) {
  EXPECT_THAT(RawWords(4, {0, 0}),
              ElementsAre(0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8));
}

TEST(GoldenTest, R2RawWords) {
  EXPECT_THAT(RawWords(8, {87654321, 42}),
              ElementsAre(0xb1f9e408, 0xf656b54c, 0x3765ccfd, 0x0ee0bd75,
                          0x08bcec1d, 0xf750c518, 0x3d17cf84, 0x348ea1a3));
}

TEST(GoldenTest, R3Uniform) {
  EXPECT_THAT(
      DrawValues<float>(RandomUniformInitializer{}, {3, 3}, OpSeeds(42)),
      ElementsAre(0.95227146f, 0.67740774f, 0.79531825f, 0.75578177f,
                  0.4759556f, 0.6310148f, 0.18602037f, 0.11430776f,
                  0.3362218f));
}

TEST(GoldenTest, R5Normal) {
  EXPECT_THAT(DrawValues<float>(RandomNormalInitializer{}, {2, 3}, OpSeeds(1)),
              Pointwise(WithinUlps(4), {-0.8113182f, 1.4845988f, 0.06532937f,
                                        -2.4427042f, 0.0992484f, 0.5912243f}));
}

TEST(GoldenTest, R6UniformOfLaterRuns) {
  const RandomUniformInitializer uniform;
  EXPECT_THAT(DrawValues<float>(uniform, {1}, OpSeeds(1), 0),
              ElementsAre(0.23903739f));
  EXPECT_THAT(DrawValues<float>(uniform, {1}, OpSeeds(1), 1),
              ElementsAre(0.22267115f));
  EXPECT_THAT(DrawValues<float>(uniform, {1}, OpSeeds(1), 2),
              ElementsAre(0.34304977f));
  EXPECT_EQ(DrawValues<float>(uniform, {5}, OpSeeds(1), 1)[0], 0.93370306f);
}

TEST(GoldenTest, R8TruncatedNormal) {
  EXPECT_THAT(
      DrawValues<float>(TruncatedNormalInitializer{}, {2, 3}, OpSeeds(1234)),
      Pointwise(WithinUlps(4), {0.51340485f, -0.255814f, 0.6519913f, 1.3923638f,
                                0.1662533f, -0.9161797f}));
}

TEST(GoldenTest, R8PlainNormalGoesOnOtherwise) {
  const std::vector<float> values =
      DrawValues<float>(RandomNormalInitializer{}, {2, 3}, OpSeeds(1234));
  EXPECT_THAT(std::vector<float>({values[4], values[5]}),
              Pointwise(WithinUlps(4), {0.37256798f, 0.20336303f}));
}

TEST(GoldenTest, R11NormalWithBothSeeds) {
  EXPECT_THAT(
      DrawValues<float>(RandomNormalInitializer{}, {2, 2}, BothSeeds(5, 1)),
      Pointwise(WithinUlps(4),
                {-1.3768897f, -0.01258316f, -0.169515f, 1.0824056f}));
}

TEST(GoldenTest, R13XavierConvolutionKernel) {
  const std::vector<float> values = DrawValues<float>(
      *NamedVarianceScaling("glorot_uniform"), {4, 4, 3, 8}, BothSeeds(1, 0));
  const std::vector<float> expected = {0.00131723f,  0.14176141f, -0.04434952f,
                                       0.09197326f,  0.14984085f, -0.03514394f,
                                       -0.06847463f, 0.05245192f};
  constexpr size_t kFirst = ((1 * 4 + 1) * 3 + 1) * 8;  // of row [1, 1, 1]
  for (size_t i = 0; i < expected.size(); ++i) {
    // Eight decimals were printed.
    EXPECT_THAT(values[kFirst + i], FloatNear(expected[i], 6e-9f)) << i;
  }
}

TEST(GoldenTest, R16UniformFloat64) {
  EXPECT_THAT(
      DrawValues<double>(RandomUniformInitializer{}, {5}, OpSeeds(42)),
      ElementsAre(0.61817260957771492, 0.36254602252651336, 0.8076457653772362,
                  0.48816319017542109, 0.6897747269334924));
}

TEST(GoldenTest, R19TruncatedNormalAcrossGroups) {
  EXPECT_THAT(
      DrawValues<float>(TruncatedNormalInitializer{}, {9}, OpSeeds(42)),
      Pointwise(WithinUlps(4), {-0.28077507f, -0.137752101f, -0.676329613f,
                                0.0245804135f, -0.468454719f, -0.00246631843f,
                                -0.974591076f, 0.663849175f, 0.436801106f}));
}

TEST(GoldenTest, R21UniformIntegers) {
  const RandomUniformInitializer below_ten{int64_t{0}, int64_t{10}, {}};
  EXPECT_THAT(DrawValues<int32_t>(below_ten, {9}, OpSeeds(42)),
              ElementsAre(2, 4, 3, 9, 1, 8, 8, 3, 5));
  EXPECT_THAT(DrawValues<int64_t>(below_ten, {5}, OpSeeds(42)),
              ElementsAre(6, 7, 9, 6, 1));
}

TEST(GoldenTest, R22DefaultInitializerInAnEmptyGraph) {
  ASSERT_OK_AND_ASSIGN(const InitializerSpec spec,
                       DefaultInitializer(DType::kFloat32, "w"));
  const OpCost cost =
      InitializerOpCost(spec, DType::kFloat32, {2, 3}, true, false);
  const Seeds seeds = *ResolveSeeds(42, OpSeed(spec), cost.seed_position);
  EXPECT_EQ(seeds.seed, 42u);
  EXPECT_EQ(seeds.seed2, 3u);

  EXPECT_THAT(DrawValues<float>(spec, {2, 3}, seeds),
              ElementsAre(0.302122951f, -0.743853927f, -0.671391606f,
                          -0.54158628f, -0.395866334f, -0.792592704f));
}

TEST(GoldenTest, R25Orthogonal) {
  const std::vector<float> expected = {-0.226547f, 0.181225f,  -0.956992f,
                                       0.019833f,  -0.981476f, -0.190556f,
                                       0.973798f,  0.062150f,  -0.218756f};
  EXPECT_THAT(DrawValues<float>(OrthogonalInitializer{}, {3, 3}, OpSeeds(42)),
              Pointwise(FloatNear(1e-5f), expected));
}

TEST(GoldenTest, R28BothSeedsZero) {
  EXPECT_THAT(
      DrawValues<float>(RandomUniformInitializer{}, {4}, BothSeeds(0, 0)),
      ElementsAre(0.0197570324f, 0.00704216957f, 0.189872146f, 0.777265787f));
}

}  // namespace
}  // namespace varkeep
