// SPDX-License-Identifier: Apache-2.0
//
// What every introduction to TensorFlow 1 shows of variable scopes, through a
// real server. S8 ... S19: rows of the project's semantics, section 14.
#include <cmath>

#include "tests/integration/program.h"

namespace varkeep {
namespace {

using client::Constant;
using client::RandomNormal;
using client::Reuse;
using client::TruncatedNormal;
using client::Variable;
using client::VariableScope;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr auto kExists = absl::StatusCode::kAlreadyExists;
constexpr auto kMissing = absl::StatusCode::kNotFound;
constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

// conv_relu(input, kernel_shape, bias_shape): the layer's two variables.
absl::Status ConvRelu(VariableScope& scope, std::vector<std::string>* names) {
  auto weights = scope.GetVariable("weights", {5, 5, 32, 32}, RandomNormal());
  if (!weights.ok()) return weights.status();
  auto biases = scope.GetVariable("biases", {32}, Constant(0.0));
  if (!biases.ok()) return biases.status();
  names->push_back(weights->name());
  names->push_back(biases->name());
  return absl::OkStatus();
}

// my_image_filter(input): two layers.
absl::Status ImageFilter(VariableScope& outer,
                         std::vector<std::string>* names) {
  for (const char* layer : {"conv1", "conv2"}) {
    auto scope = outer.EnterScope(layer);
    if (!scope.ok()) return scope.status();
    if (absl::Status status = ConvRelu(*scope, names); !status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

class TutorialScopesTest : public ProgramTest {
 protected:
  absl::StatusOr<Variable> GetTest(VariableScope& scope) {
    return scope.GetVariable("test", {2, 2}, TruncatedNormal({.stddev = 0.02}));
  }

  // ones([2,2]) times the variable.
  static std::vector<float> Product(const Variable& variable) {
    const std::vector<float> w = Floats(variable);
    return {w[0] + w[2], w[1] + w[3], w[0] + w[2], w[1] + w[3]};
  }
};

TEST_F(TutorialScopesTest, S8_ALayerFunctionCalledTwiceNeedsReuse) {
  std::vector<std::string> names;
  ASSERT_OK(ImageFilter(session_->root(), &names));
  EXPECT_THAT(names, ElementsAre("conv1/weights:0", "conv1/biases:0",
                                 "conv2/weights:0", "conv2/biases:0"));
  EXPECT_THAT(
      ImageFilter(session_->root(), &names),
      StatusIs(kExists, HasSubstr("Variable conv1/weights already exists, "
                                  "disallowed.")));
}

TEST_F(TutorialScopesTest, S9_ReuseVariablesSharesThem) {
  std::vector<std::string> first;
  std::vector<std::string> second;
  ASSERT_OK_AND_ASSIGN(VariableScope model, session_->EnterScope("model"));
  ASSERT_OK(ImageFilter(model, &first));
  model.reuse_variables();
  ASSERT_OK(ImageFilter(model, &second));
  EXPECT_EQ(first, second);
  EXPECT_THAT(Names("variables"),
              ElementsAre("model/conv1/weights:0", "model/conv1/biases:0",
                          "model/conv2/weights:0", "model/conv2/biases:0"));
}

TEST_F(TutorialScopesTest, S10_EnteringWithReuseSharesThem) {
  std::vector<std::string> first;
  std::vector<std::string> second;
  {
    ASSERT_OK_AND_ASSIGN(VariableScope model, session_->EnterScope("model"));
    ASSERT_OK(ImageFilter(model, &first));
  }
  ASSERT_OK_AND_ASSIGN(VariableScope model,
                       session_->EnterScope("model", {Reuse::kTrue}));
  ASSERT_OK(ImageFilter(model, &second));
  EXPECT_EQ(first, second);
  EXPECT_EQ(Names("variables").size(), 4u);
}

TEST_F(TutorialScopesTest, S11_OneVariableGivesEqualProducts) {
  ASSERT_OK_AND_ASSIGN(VariableScope test, session_->EnterScope("test"));
  ASSERT_OK_AND_ASSIGN(Variable first, GetTest(test));
  test.reuse_variables();
  ASSERT_OK_AND_ASSIGN(Variable second, GetTest(test));
  ASSERT_OK(session_->Initialize());
  EXPECT_EQ(first.name(), "test/test:0");
  EXPECT_EQ(second.name(), "test/test:0");
  EXPECT_EQ(Product(first), Product(second));
  for (float w : Floats(first)) EXPECT_LT(std::abs(w), 0.04f);
}

TEST_F(TutorialScopesTest, S12_TwoScopesAreTwoVariables) {
  ASSERT_OK_AND_ASSIGN(VariableScope test, session_->EnterScope("test"));
  ASSERT_OK_AND_ASSIGN(Variable first, GetTest(test));
  ASSERT_OK(test.Leave());
  ASSERT_OK_AND_ASSIGN(VariableScope test1, session_->EnterScope("test1"));
  ASSERT_OK_AND_ASSIGN(Variable second, GetTest(test1));
  ASSERT_OK(session_->Initialize());
  EXPECT_NE(Product(first), Product(second));
}

TEST_F(TutorialScopesTest, S13_TheSameScopeWithReuse) {
  ASSERT_OK_AND_ASSIGN(VariableScope test, session_->EnterScope("test"));
  ASSERT_OK_AND_ASSIGN(Variable first, GetTest(test));
  ASSERT_OK(test.Leave());
  ASSERT_OK_AND_ASSIGN(VariableScope again,
                       session_->EnterScope("test", {Reuse::kTrue}));
  ASSERT_OK_AND_ASSIGN(Variable second, GetTest(again));
  ASSERT_OK(session_->Initialize());
  EXPECT_EQ(Product(first), Product(second));
}

TEST_F(TutorialScopesTest, S14_TheSameScopeWithoutReuse) {
  ASSERT_OK_AND_ASSIGN(VariableScope test, session_->EnterScope("test"));
  ASSERT_OK(GetTest(test));
  ASSERT_OK(test.Leave());
  ASSERT_OK_AND_ASSIGN(VariableScope again, session_->EnterScope("test"));
  EXPECT_THAT(
      GetTest(again),
      StatusIs(kExists, HasSubstr("Variable test/test already exists, "
                                  "disallowed. Did you mean to set reuse=True "
                                  "or reuse=tf.AUTO_REUSE in VarScope?")));
}

TEST_F(TutorialScopesTest, S15_S16_ScopesPrefixNames) {
  {
    ASSERT_OK_AND_ASSIGN(VariableScope foo, session_->EnterScope("foo"));
    ASSERT_OK_AND_ASSIGN(Variable v, foo.GetVariable("v", {1}));
    EXPECT_EQ(v.name(), "foo/v:0");
    ASSERT_OK_AND_ASSIGN(VariableScope bar, foo.EnterScope("bar"));
    ASSERT_OK_AND_ASSIGN(Variable inner, bar.GetVariable("v", {1}));
    EXPECT_EQ(inner.name(), "foo/bar/v:0");
  }
  ASSERT_OK_AND_ASSIGN(VariableScope again,
                       session_->EnterScope("foo", {Reuse::kTrue}));
  ASSERT_OK_AND_ASSIGN(Variable v1, again.GetVariable("v", {1}));
  EXPECT_EQ(v1.name(), "foo/v:0");
}

TEST_F(TutorialScopesTest, S17_ReuseVariablesInsideAScope) {
  ASSERT_OK_AND_ASSIGN(VariableScope foo, session_->EnterScope("foo"));
  ASSERT_OK_AND_ASSIGN(Variable v, foo.GetVariable("v", {1}));
  foo.reuse_variables();
  ASSERT_OK_AND_ASSIGN(Variable v1, foo.GetVariable("v", {1}));
  EXPECT_EQ(v.name(), v1.name());
}

TEST_F(TutorialScopesTest, S18_ReuseFindsOnlyWhatIsThere) {
  ASSERT_OK_AND_ASSIGN(VariableScope foo,
                       session_->EnterScope("foo", {Reuse::kTrue}));
  EXPECT_THAT(
      foo.GetVariable("nope", {1}),
      StatusIs(kMissing,
               HasSubstr("Variable foo/nope does not exist, or was not created "
                         "with tf.get_variable(). Did you mean to set "
                         "reuse=tf.AUTO_REUSE in VarScope?")));
}

TEST_F(TutorialScopesTest, S19_ShapeAndNameAreNeeded) {
  EXPECT_THAT(
      session_->root().GetVariable("v", std::nullopt),
      StatusIs(kInvalid, HasSubstr("The initializer passed is not valid.")));
  EXPECT_THAT(session_->GetVariable("", {1}),
              StatusIs(kInvalid, HasSubstr("name")));
}

}  // namespace
}  // namespace varkeep
