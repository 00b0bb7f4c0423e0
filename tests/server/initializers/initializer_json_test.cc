// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <bit>
#include <limits>

#include "tests/server/initializers/run.h"

namespace varkeep {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr int64_t kLowest = std::numeric_limits<int64_t>::min();
constexpr int64_t kHighest = std::numeric_limits<int64_t>::max();

// Every kind, with arguments that are easily lost.
std::vector<InitializerSpec> EveryKind(const TensorRef& value) {
  VarianceScalingInitializer scaling;
  scaling.scale = 0.1;
  scaling.mode = "fan_out";
  scaling.distribution = "untruncated_normal";
  scaling.seed = -1;
  return {std::monostate{},
          ZerosInitializer{},
          OnesInitializer{},
          ConstantInitializer{value, true, false},
          ConstantInitializer{value},
          ValueInitializer{value},
          RandomUniformInitializer{},
          RandomUniformInitializer{kLowest, Number(kHighest), kHighest},
          RandomUniformInitializer{-1.0, Number(1.0), kLowest},
          RandomNormalInitializer{1e-310, 1.0 / 3, 7},
          TruncatedNormalInitializer{-0.0, 1.7976931348623157e308, {}},
          UniformUnitScalingInitializer{1.43, 0},
          scaling,
          *NamedVarianceScaling("he_uniform"),
          OrthogonalInitializer{2.0, 5},
          IdentityInitializer{1e-5}};
}

TEST(InitializerJsonTest, EveryKindComesBack) {
  const TensorRef value = Of<float>({2}, {1, 2});
  for (const InitializerSpec& spec : EveryKind(value)) {
    const std::string json = InitializerToJson(spec);
    ASSERT_OK_AND_ASSIGN(const InitializerSpec back,
                         ParseInitializer(json, value));

    EXPECT_EQ(back.index(), spec.index()) << json;
    EXPECT_EQ(InitializerToJson(back), json);
    EXPECT_EQ(InitializerToString(back), InitializerToString(spec)) << json;
    EXPECT_EQ(OpSeed(back), OpSeed(spec)) << json;
    EXPECT_EQ(InitializerValue(back), InitializerValue(spec)) << json;
  }
}

TEST(InitializerJsonTest, TheFormatIsStable) {
  EXPECT_EQ(InitializerToJson(RandomNormalInitializer{0.0, 0.35, 7}),
            R"({"kind":"random_normal","mean":0.0,"stddev":0.35,"seed":7})");
  EXPECT_EQ(
      InitializerToJson(RandomUniformInitializer{int64_t{0}, Number(1.0), {}}),
      R"({"kind":"random_uniform","minval":0,"maxval":1.0})");
  EXPECT_EQ(InitializerToJson(*NamedVarianceScaling("he_normal")),
            R"({"kind":"variance_scaling","scale":2.0,"mode":"fan_in",)"
            R"("distribution":"truncated_normal","alias":"he_normal"})");
  EXPECT_EQ(InitializerToJson(ConstantInitializer{Of<float>({}, {1})}),
            R"({"kind":"constant","verify_shape":false,"check_kind":true})");
}

TEST(InitializerJsonTest, DoublesComeBackToTheBit) {
  for (const double mean :
       {0.1, 1.0 / 3, -0.0, 5e-324, 1.7976931348623157e308, 123456789.125, 1e22,
        std::numeric_limits<double>::quiet_NaN(),
        std::numeric_limits<double>::infinity(),
        -std::numeric_limits<double>::infinity()}) {
    ASSERT_OK_AND_ASSIGN(
        const InitializerSpec back,
        ParseInitializer(
            InitializerToJson(RandomNormalInitializer{mean, 1.0, {}}),
            nullptr));
    EXPECT_EQ(
        std::bit_cast<uint64_t>(std::get<RandomNormalInitializer>(back).mean),
        std::bit_cast<uint64_t>(mean))
        << mean;
  }
}

TEST(InitializerJsonTest, IntegersStayIntegers) {
  ASSERT_OK_AND_ASSIGN(
      const InitializerSpec back,
      ParseInitializer(
          InitializerToJson(RandomUniformInitializer{kLowest, Number(1.0), {}}),
          nullptr));
  const auto& uniform = std::get<RandomUniformInitializer>(back);
  EXPECT_EQ(uniform.minval, Number(kLowest));
  EXPECT_EQ(uniform.maxval, Number(1.0));
}

TEST(InitializerJsonTest, ABrokenTextIsStillJson) {
  VarianceScalingInitializer init;
  init.mode = "\xff\"";
  EXPECT_OK(ParseInitializer(InitializerToJson(init), nullptr));
}

void ExpectDataLoss(absl::string_view json, const std::string& problem) {
  EXPECT_THAT(ParseInitializer(json, nullptr),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr(problem)))
      << json;
}

TEST(InitializerJsonTest, WhatIsWrongIsNamed) {
  for (const char* text :
       {"", "{", "[]", "7", "null", "{} {}", "\xff", "{\"kind\":\"ze"}) {
    ExpectDataLoss(text, "not a JSON object");
  }
  ExpectDataLoss("{}", "'kind' is missing");
  ExpectDataLoss(R"({"kind":7})", "'kind' has the wrong type");
  ExpectDataLoss(R"({"kind":"zeroes"})", "unknown kind 'zeroes'");
  ExpectDataLoss(R"({"kind":"identity"})", "'gain' is missing");
  ExpectDataLoss(R"({"kind":"identity","gain":"1"})",
                 "'gain' has the wrong type");
  ExpectDataLoss(R"({"kind":"orthogonal","gain":1.0,"seed":1.0})",
                 "'seed' has the wrong type");
  ExpectDataLoss(
      R"({"kind":"orthogonal","gain":1.0,"seed":9223372036854775808})",
      "'seed' has the wrong type");
  ExpectDataLoss(R"({"kind":"random_uniform","minval":9223372036854775808})",
                 "'minval' has the wrong type");
  ExpectDataLoss(R"({"kind":"zeros","gain":1.0})", "unknown argument 'gain'");
  ExpectDataLoss(R"({"kind":"constant","verify_shape":1,"check_kind":true})",
                 "'verify_shape' has the wrong type");
  ExpectDataLoss(R"({"kind":"value"})", "a value without its tensor");
}

TEST(InitializerJsonTest, DeepNestingIsHarmless) {
  ExpectDataLoss(std::string(100000, '['), "not a JSON object");
}

}  // namespace
}  // namespace varkeep
