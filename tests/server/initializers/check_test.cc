// SPDX-License-Identifier: Apache-2.0
//
// Which arguments, dtypes and shapes the random initializers take, and what
// they say about the others.
#include <gmock/gmock.h>

#include <limits>

#include "tests/server/initializers/run.h"

namespace varkeep {
namespace {

using ::testing::HasSubstr;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

RandomUniformInitializer Uniform(Number minval, std::optional<Number> maxval) {
  return {minval, maxval, std::nullopt};
}

TEST(CheckTest, UniformTakesFourFloatsAndTwoIntegers) {
  const RandomUniformInitializer uniform = Uniform(int64_t{0}, int64_t{5});
  for (DType dtype : {DType::kFloat16, DType::kBfloat16, DType::kFloat32,
                      DType::kFloat64, DType::kInt32, DType::kInt64}) {
    EXPECT_OK(CheckInitializer(uniform, dtype, {3}));
  }
  ExpectRejected(uniform, DType::kInt8, {3}, "Invalid dtype tf.int8");
  ExpectRejected(uniform, DType::kInt16, {3}, "Invalid dtype tf.int16");
  ExpectRejected(uniform, DType::kUint8, {3}, "Invalid dtype tf.uint8");
  ExpectRejected(uniform, DType::kUint16, {3}, "Invalid dtype tf.uint16");
  ExpectRejected(uniform, DType::kUint32, {3}, "Invalid dtype tf.uint32");
  ExpectRejected(uniform, DType::kUint64, {3}, "Invalid dtype tf.uint64");
  ExpectRejected(uniform, DType::kBool, {3}, "Invalid dtype tf.bool");
  ExpectRejected(uniform, DType::kComplex64, {3}, "Invalid dtype tf.complex64");
  ExpectRejected(uniform, DType::kComplex128, {3},
                 "Invalid dtype tf.complex128");
}

TEST(CheckTest, IntegerUniformNeedsMaxval) {
  ExpectRejected(RandomUniformInitializer{}, DType::kInt32, {3},
                 "Must specify maxval for integer dtype tf.int32");
  ExpectRejected(RandomUniformInitializer{}, DType::kInt64, {0},
                 "Must specify maxval for integer dtype tf.int64");
}

TEST(CheckTest, IntegerUniformNeedsARangeUnlessEmpty) {
  ExpectRejected(Uniform(int64_t{0}, int64_t{0}), DType::kInt32, {10},
                 "Need minval < maxval, got 0 >= 0");
  ExpectRejected(Uniform(int64_t{7}, int64_t{-3}), DType::kInt64, {},
                 "Need minval < maxval, got 7 >= -3");
  EXPECT_EQ(Draw(Uniform(int64_t{0}, int64_t{0}), DType::kInt32, {10, 0})
                ->num_elements(),
            0);
}

TEST(CheckTest, IntegerUniformNeedsIntegerBounds) {
  ExpectRejected(Uniform(2.5, int64_t{4}), DType::kInt32, {3},
                 "Expected int32, got 2.5 of type 'float' instead.");
  ExpectRejected(Uniform(int64_t{0}, 4.0), DType::kInt64, {3},
                 "Expected int64, got 4.0 of type 'float' instead.");
}

TEST(CheckTest, IntegerUniformBoundsMustFitTheDType) {
  ExpectRejected(Uniform(int64_t{0}, int64_t{3000000000}), DType::kInt32, {3},
                 "maxval 3000000000 does not fit int32");
  ExpectRejected(Uniform(int64_t{-3000000000}, int64_t{1}), DType::kInt32, {3},
                 "minval -3000000000 does not fit int32");
  EXPECT_OK(CheckInitializer(Uniform(int64_t{0}, int64_t{3000000000}),
                             DType::kInt64, {3}));
}

TEST(CheckTest, FloatingUniformTakesAnyBounds) {
  EXPECT_OK(CheckInitializer(Uniform(5.0, int64_t{-5}), DType::kFloat32, {3}));
}

TEST(CheckTest, NormalOnAnIntegerSpeaksOfTheMean) {
  ExpectRejected(RandomNormalInitializer{}, DType::kInt32, {3},
                 "Expected int32, got 0.0 of type 'float' instead.");
  ExpectRejected(TruncatedNormalInitializer{1e-5, 1.0, {}}, DType::kUint8, {3},
                 "Expected uint8, got 1e-05 of type 'float' instead.");
  ExpectRejected(RandomNormalInitializer{}, DType::kBool, {3},
                 "Expected bool, got 0.0 of type 'float' instead.");
  ExpectRejected(OrthogonalInitializer{}, DType::kInt64, {3, 3},
                 "Expected int64, got 0.0 of type 'float' instead.");
  ExpectRejected(VarianceScalingInitializer{}, DType::kInt32, {3},
                 "Expected int32, got 0.0 of type 'float' instead.");
}

TEST(CheckTest, GlorotUniformOnAnIntegerSpeaksOfTheLimit) {
  ExpectRejected(
      *NamedVarianceScaling("glorot_uniform"), DType::kInt32, {5, 5},
      "Expected int32, got -0.7745966692414834 of type 'float' instead.");
  ExpectRejected(*NamedVarianceScaling("he_uniform"), DType::kUint8, {5, 5},
                 "Invalid dtype tf.uint8");
  ExpectRejected(UniformUnitScalingInitializer{2.0, {}}, DType::kInt64, {3, 5},
                 "Expected int64, got -2.0 of type 'float' instead.");
}

TEST(CheckTest, NothingRandomIsComplex) {
  for (const InitializerSpec& spec : std::initializer_list<InitializerSpec>{
           RandomNormalInitializer{}, TruncatedNormalInitializer{},
           OrthogonalInitializer{}, VarianceScalingInitializer{},
           UniformUnitScalingInitializer{}, RandomUniformInitializer{}}) {
    for (DType dtype : {DType::kComplex64, DType::kComplex128}) {
      EXPECT_THAT(CheckInitializer(spec, dtype, {3, 3}),
                  StatusIs(absl::StatusCode::kInvalidArgument,
                           HasSubstr(std::string(DTypeName(dtype)))));
    }
  }
}

TEST(CheckTest, NanAndInfinityAreNamed) {
  const std::string finite = " must be a finite number, got ";
  const std::pair<double, std::string> values[] = {
      {kNan, "nan"}, {kInfinity, "inf"}, {-kInfinity, "-inf"}};
  for (const auto& [value, text] : values) {
    ExpectRejected(RandomNormalInitializer{value, 1.0, {}}, DType::kFloat32,
                   {2}, "mean" + finite + text);
    ExpectRejected(RandomNormalInitializer{0.0, value, {}}, DType::kFloat32,
                   {2}, "stddev" + finite + text);
    ExpectRejected(TruncatedNormalInitializer{value, 1.0, {}}, DType::kFloat32,
                   {2}, "mean" + finite + text);
    ExpectRejected(TruncatedNormalInitializer{0.0, value, {}}, DType::kFloat32,
                   {2}, "stddev" + finite + text);
    ExpectRejected(Uniform(value, 1.0), DType::kFloat32, {2},
                   "minval" + finite + text);
    ExpectRejected(Uniform(0.0, value), DType::kFloat32, {2},
                   "maxval" + finite + text);
    ExpectRejected(UniformUnitScalingInitializer{value, {}}, DType::kFloat32,
                   {2}, "factor" + finite + text);
    ExpectRejected(OrthogonalInitializer{value, {}}, DType::kFloat32, {2, 2},
                   "gain" + finite + text);
    ExpectRejected(IdentityInitializer{value}, DType::kFloat32, {2, 2},
                   "gain" + finite + text);
    VarianceScalingInitializer scaling;
    scaling.scale = value;
    ExpectRejected(scaling, DType::kFloat32, {2}, "scale" + finite + text);
  }
}

TEST(CheckTest, ATensorThatCannotBeIsRejected) {
  const Shape huge({int64_t{1} << 62});
  EXPECT_THAT(CheckInitializer(ZerosInitializer{}, DType::kFloat32, huge),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("bytes")));
}

TEST(CheckTest, WantOfMemoryIsSaid) {
  const Shape large({int64_t{1} << 31, int64_t{1} << 27});
  for (const InitializerSpec& spec : std::initializer_list<InitializerSpec>{
           ZerosInitializer{}, RandomNormalInitializer{},
           OrthogonalInitializer{}, IdentityInitializer{}}) {
    EXPECT_THAT(RunInitializer(spec, DType::kFloat32, large, {}, 0, nullptr),
                StatusIs(absl::StatusCode::kResourceExhausted,
                         HasSubstr("out of memory")));
  }
}

TEST(DefaultInitializerTest, FollowsTheDType) {
  for (DType dtype : kAllDTypes) {
    if (IsComplex(dtype)) continue;
    EXPECT_EQ(InitializerName(*DefaultInitializer(dtype, "w")),
              IsFloating(dtype) ? "glorot_uniform" : "zeros");
  }
}

TEST(DefaultInitializerTest, ThereIsNoneForComplex) {
  EXPECT_THAT(DefaultInitializer(DType::kComplex64, "l1/w"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "An initializer for variable l1/w of <dtype: "
                       "'complex64'> is required"));
}

TEST(InitializerSpecTest, RandomKindsAreKnown) {
  EXPECT_TRUE(IsRandom(RandomUniformInitializer{}));
  EXPECT_TRUE(IsRandom(RandomNormalInitializer{}));
  EXPECT_TRUE(IsRandom(TruncatedNormalInitializer{}));
  EXPECT_TRUE(IsRandom(UniformUnitScalingInitializer{}));
  EXPECT_TRUE(IsRandom(VarianceScalingInitializer{}));
  EXPECT_TRUE(IsRandom(OrthogonalInitializer{}));
  EXPECT_FALSE(IsRandom(std::monostate{}));
  EXPECT_FALSE(IsRandom(ZerosInitializer{}));
  EXPECT_FALSE(IsRandom(OnesInitializer{}));
  EXPECT_FALSE(IsRandom(ConstantInitializer{}));
  EXPECT_FALSE(IsRandom(ValueInitializer{}));
  EXPECT_FALSE(IsRandom(IdentityInitializer{}));
}

TEST(InitializerSpecTest, SeedAndValueComeOut) {
  const TensorRef value = Of<float>({}, {3});
  EXPECT_EQ(OpSeed(OrthogonalInitializer{1.0, 42}), 42);
  EXPECT_EQ(OpSeed(OrthogonalInitializer{}), std::nullopt);
  EXPECT_EQ(OpSeed(ZerosInitializer{}), std::nullopt);
  EXPECT_EQ(InitializerValue(ConstantInitializer{value}), value);
  EXPECT_EQ(InitializerValue(ValueInitializer{value}), value);
  EXPECT_EQ(InitializerValue(RandomNormalInitializer{}), nullptr);
}

}  // namespace
}  // namespace varkeep
