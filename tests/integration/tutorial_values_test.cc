// SPDX-License-Identifier: Apache-2.0
//
// What every introduction to TensorFlow 1 shows of initializers, initialization
// and sharing, through a real server. S20 ... S26: rows of the project's
// semantics, section 14.
#include <algorithm>
#include <cmath>

#include "tests/integration/program.h"

namespace varkeep {
namespace {

using client::Variable;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::Le;
using ::testing::Lt;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kUninitialized = absl::StatusCode::kFailedPrecondition;

auto Within(double limit) {
  const auto bound = static_cast<float>(limit);
  return Each(AllOf(Ge(-bound), Le(bound)));
}

class TutorialValuesTest : public ProgramTest {};

TEST_F(TutorialValuesTest, S20_Constants) {
  EXPECT_THAT(Draw({8}, client::Constant({0, 1, 2, 3, 4, 5, 6, 7})),
              ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
  EXPECT_THAT(Draw({8}, client::Zeros()), Each(0));
  EXPECT_THAT(Draw({8}, client::Ones()), Each(1));
}

TEST_F(TutorialValuesTest, S21_Distributions) {
  EXPECT_EQ(Draw({10}, client::RandomNormal()).size(), 10u);
  EXPECT_THAT(Draw({10}, client::TruncatedNormal()), Within(2));
  std::vector<float> uniform =
      Draw({10}, client::RandomUniform({.minval = int64_t{0}, .maxval = 10.0}));
  EXPECT_THAT(uniform, Each(AllOf(Ge(0), Lt(10))));
  EXPECT_FALSE(std::ranges::is_sorted(uniform));
  EXPECT_THAT(Draw({10}, client::UniformUnitScaling()), Within(std::sqrt(3.0)));
}

TEST_F(TutorialValuesTest, S22_VarianceScaling) {
  EXPECT_EQ(
      Draw({10}, client::VarianceScaling({.distribution = "normal"})).size(),
      10u);
  EXPECT_THAT(Draw({10}, client::VarianceScaling({.distribution = "uniform"})),
              Within(std::sqrt(0.3)));
  EXPECT_THAT(
      session_->GetVariable("a", {10}, client::VarianceScaling({.scale = 0})),
      StatusIs(kInvalid, HasSubstr("`scale` must be positive float.")));
  EXPECT_THAT(
      session_->GetVariable("a", {10}, client::VarianceScaling({.mode = "x"})),
      StatusIs(kInvalid, HasSubstr("Invalid `mode` argument")));
  EXPECT_THAT(session_->GetVariable(
                  "a", {10}, client::VarianceScaling({.distribution = "x"})),
              StatusIs(kInvalid, HasSubstr("Invalid `distribution` argument")));
}

TEST_F(TutorialValuesTest, S23_OrthogonalAndGlorot) {
  const std::vector<float> q = Draw({4, 4}, client::Orthogonal());
  for (size_t i = 0; i < 4; ++i) {
    for (size_t j = 0; j < 4; ++j) {
      float dot = 0;
      for (size_t k = 0; k < 4; ++k) dot += q[4 * k + i] * q[4 * k + j];
      EXPECT_NEAR(dot, i == j ? 1 : 0, 1e-5);
    }
  }
  EXPECT_THAT(
      session_->GetVariable("o", {10}, client::Orthogonal()),
      StatusIs(kInvalid, HasSubstr("The tensor to initialize must be at least "
                                   "two-dimensional")));
  EXPECT_THAT(Draw({10}, client::GlorotUniform()), Within(std::sqrt(0.3)));
  EXPECT_EQ(Draw({10}, client::GlorotNormal()).size(), 10u);
}

TEST_F(TutorialValuesTest, S24_InitializingAgainDrawsAnew) {
  ASSERT_OK_AND_ASSIGN(Variable random, session_->GetVariable("random", {4}));
  ASSERT_OK_AND_ASSIGN(
      Variable constant,
      session_->GetVariable("constant", {2}, client::Constant(3.0)));
  EXPECT_THAT(
      random.Read(),
      StatusIs(kUninitialized, "Attempting to use uninitialized value random"));
  EXPECT_THAT(session_->Initialize(),
              IsOkAndHolds(ElementsAre("random", "constant")));
  const std::vector<float> first = Floats(random);
  ASSERT_OK(constant.Assign(Of<float>({2}, {8, 9})));

  // Only what is uninitialized, unless forced.
  EXPECT_THAT(session_->Initialize(), IsOkAndHolds(ElementsAre()));
  EXPECT_EQ(Floats(random), first);
  ASSERT_OK(session_->Initialize(client::Selection::GlobalVariables(),
                                 /*force=*/true));
  EXPECT_NE(Floats(random), first);
  EXPECT_THAT(Floats(constant), ElementsAre(3, 3));
}

TEST_F(TutorialValuesTest, S25_OneInitializerOnly) {
  ASSERT_OK_AND_ASSIGN(Variable x, session_->GetVariable("x", {1}));
  ASSERT_OK_AND_ASSIGN(Variable y, session_->GetVariable("y", {1}));
  ASSERT_OK(x.Initialize());
  EXPECT_OK(x.Read());
  EXPECT_THAT(y.Read(), StatusIs(kUninitialized,
                                 "Attempting to use uninitialized value y"));
}

TEST_F(TutorialValuesTest, S26_SessionsShareValuesAndOutliveThem) {
  std::shared_ptr<client::Session> other = Open();
  ASSERT_OK_AND_ASSIGN(Variable mine,
                       session_->GetVariable("w", {2}, client::Zeros()));
  ASSERT_OK_AND_ASSIGN(Variable theirs,
                       other->GetVariable("w", {2}, client::Zeros()));
  ASSERT_OK(mine.Initialize());
  ASSERT_OK(mine.Assign(Of<float>({2}, {1, 2})));
  EXPECT_THAT(Floats(theirs), ElementsAre(1, 2));

  mine = Variable();
  session_.reset();
  EXPECT_THAT(Floats(theirs), ElementsAre(1, 2));

  server_.Restart();
  EXPECT_THAT(Floats(theirs), ElementsAre(1, 2));
}

}  // namespace
}  // namespace varkeep
