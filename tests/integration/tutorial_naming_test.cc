// SPDX-License-Identifier: Apache-2.0
//
// What every introduction to TensorFlow 1 shows of names and collections,
// through a real server. S1 ... S7: rows of the project's semantics,
// section 14.
#include "tests/integration/program.h"

namespace varkeep {
namespace {

using client::RandomNormal;
using client::Variable;
using client::VariableOptions;
using client::Zeros;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

class TutorialNamingTest : public ProgramTest {
 protected:
  // Weights and biases, twice; the fourth is trainable or not.
  std::vector<Variable> DeclareTwice(bool fourth_trainable = true) {
    std::vector<Variable> variables;
    for (int i = 0; i < 2; ++i) {
      variables.push_back(*session_->CreateVariable(
          "weights", {784, 200}, RandomNormal({.stddev = 0.35})));
      VariableOptions options;
      options.trainable = i == 0 || fourth_trainable;
      variables.push_back(
          *session_->CreateVariable("biases", {200}, Zeros(), options));
    }
    return variables;
  }
};

TEST_F(TutorialNamingTest, S1_VariablesMakeTheirNamesUnique) {
  std::vector<Variable> variables = DeclareTwice();
  EXPECT_EQ(variables[0].name(), "weights:0");
  EXPECT_EQ(variables[1].name(), "biases:0");
  EXPECT_EQ(variables[2].name(), "weights_1:0");
  EXPECT_EQ(variables[3].name(), "biases_1:0");
  EXPECT_EQ(variables[0].shape(), Shape({784, 200}));
  EXPECT_EQ(variables[3].shape(), Shape({200}));
}

TEST_F(TutorialNamingTest, S2_CollectionsKeepTheOrderOfCreation) {
  DeclareTwice();
  for (const char* key : {"trainable_variables", "variables"}) {
    ASSERT_OK_AND_ASSIGN(auto variables, session_->Collection(key));
    ASSERT_EQ(variables.size(), 4u);
    EXPECT_EQ(variables[0].ToString(),
              "<tf.Variable 'weights:0' shape=(784, 200) dtype=float32_ref>");
    EXPECT_EQ(variables[1].ToString(),
              "<tf.Variable 'biases:0' shape=(200,) dtype=float32_ref>");
    EXPECT_EQ(variables[2].ToString(),
              "<tf.Variable 'weights_1:0' shape=(784, 200) dtype=float32_ref>");
    EXPECT_EQ(variables[3].ToString(),
              "<tf.Variable 'biases_1:0' shape=(200,) dtype=float32_ref>");
  }
}

TEST_F(TutorialNamingTest, S3_WhatIsNotTrainableIsGlobalOnly) {
  DeclareTwice(/*fourth_trainable=*/false);
  EXPECT_THAT(Names("trainable_variables"),
              ElementsAre("weights:0", "biases:0", "weights_1:0"));
  EXPECT_EQ(Names("variables").size(), 4u);
}

TEST_F(TutorialNamingTest, S4_ALocalCollectionReplacesTheGlobalOne) {
  VariableOptions options;
  options.collections = {"local_variables"};
  ASSERT_OK(session_->GetVariable("my_local", Shape(), {}, options));
  EXPECT_THAT(Names("local_variables"), ElementsAre("my_local:0"));
  EXPECT_THAT(Names("variables"), IsEmpty());
  EXPECT_THAT(Names("trainable_variables"), ElementsAre("my_local:0"));

  VariableOptions local;
  local.local = true;
  ASSERT_OK(session_->GetVariable("other", Shape(), {}, local));
  EXPECT_THAT(Names("local_variables"), Contains("other:0"));
  EXPECT_THAT(Names("trainable_variables"), Not(Contains("other:0")));
}

TEST_F(TutorialNamingTest, S5_NotTrainable) {
  VariableOptions options;
  options.trainable = false;
  ASSERT_OK(session_->GetVariable("my_non_trainable", Shape(), {}, options));
  EXPECT_THAT(Names("variables"), ElementsAre("my_non_trainable:0"));
  EXPECT_THAT(Names("trainable_variables"), IsEmpty());
}

TEST_F(TutorialNamingTest, S6_ACollectionOfOnesOwn) {
  ASSERT_OK_AND_ASSIGN(Variable my_local,
                       session_->GetVariable("my_local", Shape()));
  EXPECT_THAT(Names("my_collection_name"), IsEmpty());
  ASSERT_OK(session_->AddToCollection("my_collection_name", my_local));
  EXPECT_THAT(Names("my_collection_name"), ElementsAre("my_local:0"));
}

TEST_F(TutorialNamingTest, S7_AFunctionCalledTwiceMakesEightVariables) {
  std::vector<std::string> names;
  for (int call = 0; call < 2; ++call) {
    for (const char* layer : {"conv1", "conv2"}) {
      names.push_back(session_
                          ->CreateVariable(std::string(layer) + "_weights",
                                           {5, 5, 32, 32}, RandomNormal())
                          ->name());
      names.push_back(
          session_
              ->CreateVariable(std::string(layer) + "_biases", {32}, Zeros())
              ->name());
    }
  }
  EXPECT_THAT(names, ElementsAre("conv1_weights:0", "conv1_biases:0",
                                 "conv2_weights:0", "conv2_biases:0",
                                 "conv1_weights_1:0", "conv1_biases_1:0",
                                 "conv2_weights_1:0", "conv2_biases_1:0"));
}

}  // namespace
}  // namespace varkeep
