// SPDX-License-Identifier: Apache-2.0
//
// Rows of SEMANTICS 10 about tf.Variable, by number, and section 14's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/variables/names.h"
#include "tests/server/scopes/program.h"
#include "tests/testing/tensors.h"

namespace varkeep {
namespace {

using absl::StatusCode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using With = Program::With;

VariableArguments Valued(const std::string& name, TensorRef value) {
  VariableArguments args;
  args.name = name;
  args.initializer = ValueInitializer{std::move(value)};
  return args;
}

class CreateVariableTest : public ::testing::Test {
 protected:
  FakeDeclarer declarer_;
  Program p_{&declarer_};
};

TEST_F(CreateVariableTest, Row1DefaultNamesAndShapes) {
  ASSERT_OK_AND_ASSIGN(Declared v,
                       p_.TryCreate(Valued("", Of<float>({}, {0}))));
  EXPECT_EQ(v.info.spec.name, "Variable");
  EXPECT_EQ(v.info.spec.shape, Shape());
  EXPECT_TRUE(v.created);
  EXPECT_EQ(p_.Create(""), "Variable_1:0");
}

TEST_F(CreateVariableTest, Row11ATrailingSlashIsLiteral) {
  With outer = p_.NameScope("outer");
  EXPECT_EQ(p_.Create("trailing/"), "trailing:0");
  EXPECT_EQ(p_.Create("trailing/"), "Duplicate node name in graph: 'trailing'");
  EXPECT_EQ(p_.Create("trailing"), "outer/trailing:0");
}

TEST_F(CreateVariableTest, Row85Synchronization) {
  VariableArguments args = Valued("v", Of<float>({}, {1}));
  args.synchronization = Synchronization::kOnRead;
  ASSERT_OK_AND_ASSIGN(Declared v, p_.TryCreate(args));
  EXPECT_FALSE(v.info.spec.trainable);
  args.trainable = true;
  ASSERT_OK_AND_ASSIGN(v, p_.TryCreate(args));
  EXPECT_TRUE(v.info.spec.trainable);
}

// SEMANTICS 1.1: the scope that the constructor opens complains.
TEST_F(CreateVariableTest, BadNamesAreReportedAsScopes) {
  for (const char* name : {"_x", "x:0", "a b"}) {
    EXPECT_THAT(p_.TryCreate(Valued(name, Of<float>({}, {1}))),
                StatusIs(StatusCode::kInvalidArgument,
                         HasSubstr(std::string("'") + name +
                                   "' is not a valid scope name")));
  }
  EXPECT_EQ(p_.Create("a/b"), "a/b:0");
  With a = p_.NameScope("a");
  EXPECT_EQ(p_.Create("_x"), "a/_x:0");
  EXPECT_THAT(
      p_.TryCreate(Valued(std::string(kMaxNameBytes, 'x'), Of<float>({}, {1}))),
      StatusIs(StatusCode::kInvalidArgument, HasSubstr("bytes")));
}

TEST_F(CreateVariableTest, AnInitialValueIsRequired) {
  EXPECT_EQ(p_.Create(Program::Arguments("v")),
            "initial_value must be specified.");
  VariableArguments args = Program::Arguments("v");
  args.initializer = Normal(0.35);
  args.shape = std::nullopt;
  EXPECT_THAT(p_.TryCreate(args),
              StatusIs(StatusCode::kInvalidArgument,
                       HasSubstr("initial_value must have a shape specified: "
                                 "random_normal(")));
  EXPECT_THAT(p_.TryCreate(Valued("v", nullptr)),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("value")));
}

TEST_F(CreateVariableTest, AValueKeepsItsShapeAndDtype) {
  VariableArguments args = Valued("v", Of<int32_t>({2}, {1, 2}));
  ASSERT_OK_AND_ASSIGN(Declared v, p_.TryCreate(args));
  EXPECT_EQ(v.info.spec.dtype, DType::kInt32);
  EXPECT_EQ(v.info.spec.shape, Shape({2}));
  args.shape = PartialShape(Shape({3}));
  EXPECT_THAT(p_.TryCreate(args),
              StatusIs(StatusCode::kInvalidArgument,
                       "The initial value's shape ((2,)) is not compatible "
                       "with the explicitly supplied `shape` argument "
                       "((3,))."));
  args.shape = std::nullopt;
  args.dtype = DType::kFloat64;
  EXPECT_THAT(p_.TryCreate(args),
              StatusIs(StatusCode::kInvalidArgument,
                       "Tensor conversion requested dtype float64 for Tensor "
                       "with dtype int32"));
}

TEST_F(CreateVariableTest, TheVariableScopeGivesItNothing) {
  VariableScopeArguments scope;
  scope.dtype = DType::kFloat64;
  scope.initializer = OnesInitializer{};
  scope.regularizer = "l2";
  scope.constraint = "positive";
  scope.reuse = Reuse::kReuse;
  With with = p_.VariableScope("s", scope);
  EXPECT_EQ(p_.Create(Program::Arguments("v")),
            "initial_value must be specified.");
  VariableArguments args = Program::Arguments("v");
  args.initializer = ZerosInitializer{};
  ASSERT_OK_AND_ASSIGN(Declared v, p_.TryCreate(args));
  EXPECT_EQ(v.info.spec.dtype, DType::kFloat32);
  EXPECT_EQ(v.info.spec.regularizer, "");
  EXPECT_EQ(v.info.spec.constraint, "");
}

TEST_F(CreateVariableTest, ARepeatedRequestMakesNoSecondVariable) {
  const RequestId id{.client = 5, .sequence = 1};
  const VariableArguments args = Valued("v", Of<float>({}, {1}));
  ASSERT_OK(p_.TryCreate(args, id));
  ASSERT_OK_AND_ASSIGN(Declared again, p_.TryCreate(args, id));
  EXPECT_EQ(again.info.spec.name, "v");
  EXPECT_TRUE(again.created);
  EXPECT_EQ(p_.Create("v"), "v_1:0");
}

TEST_F(CreateVariableTest, AnswersAreForgottenInOrder) {
  VariableArguments args = Valued("v", Of<float>({}, {1}));
  for (uint64_t i = 1; i <= AnswerMemory::kAnswers; ++i) {
    ASSERT_OK(p_.TryCreate(args, RequestId{.client = 1, .sequence = i}));
  }
  EXPECT_EQ(Program::NameOf(
                p_.TryCreate(args, RequestId{.client = 1, .sequence = 1})),
            "v:0");
  ASSERT_OK(p_.TryCreate(
      args, RequestId{.client = 1, .sequence = AnswerMemory::kAnswers + 1}));
  EXPECT_EQ(Program::NameOf(
                p_.TryCreate(args, RequestId{.client = 1, .sequence = 2})),
            "v_1:0");
}

VariableArguments NormalOf(const std::string& name, const Shape& shape,
                           double stddev) {
  VariableArguments args = Program::Arguments(name);
  args.shape = PartialShape(shape);
  args.initializer = Normal(stddev);
  return args;
}

TEST_F(CreateVariableTest, RowsS1ToS3TwoLayers) {
  VariableArguments weights = NormalOf("weights", {784, 200}, 0.35);
  VariableArguments biases = Program::Arguments("biases");
  biases.shape = PartialShape(Shape({200}));
  biases.initializer = ZerosInitializer{};
  EXPECT_EQ(p_.Create(weights), "weights:0");
  EXPECT_EQ(p_.Create(biases), "biases:0");
  EXPECT_EQ(p_.Create(weights), "weights_1:0");
  biases.trainable = false;
  EXPECT_EQ(p_.Create(biases), "biases_1:0");
  EXPECT_THAT(p_.session().Collection(kGlobalVariables),
              ElementsAre("weights", "biases", "weights_1", "biases_1"));
  EXPECT_THAT(p_.session().Collection(kTrainableVariables),
              ElementsAre("weights", "biases", "weights_1"));
}

TEST_F(CreateVariableTest, RowS7NothingIsShared) {
  std::vector<std::string> names;
  for (int i = 0; i < 2; ++i) {
    for (const char* name :
         {"conv1_weights", "conv1_biases", "conv2_weights", "conv2_biases"}) {
      names.push_back(p_.Create(name));
    }
  }
  EXPECT_THAT(names, ElementsAre("conv1_weights:0", "conv1_biases:0",
                                 "conv2_weights:0", "conv2_biases:0",
                                 "conv1_weights_1:0", "conv1_biases_1:0",
                                 "conv2_weights_1:0", "conv2_biases_1:0"));
}

// S8: two layers under conv1 and conv2.
std::vector<std::string> Layers(Program& p) {
  std::vector<std::string> names;
  for (const char* scope : {"conv1", "conv2"}) {
    With with = p.VariableScope(scope);
    names.push_back(p.Get(NormalOf("weights", {5, 5, 32, 32}, 1.0)));
    VariableArguments biases = Program::Arguments("biases");
    biases.shape = PartialShape(Shape({32}));
    biases.initializer = ConstantInitializer{Of<float>({}, {0})};
    names.push_back(p.Get(biases));
  }
  return names;
}

TEST_F(CreateVariableTest, RowsS8ToS10LayersTwice) {
  const auto in = [](const std::string& s) {
    return ElementsAre(s + "conv1/weights:0", s + "conv1/biases:0",
                       s + "conv2/weights:0", s + "conv2/biases:0");
  };
  EXPECT_THAT(Layers(p_), in(""));
  EXPECT_EQ(Layers(p_)[0], ExistsText("conv1/weights"));
  {
    With model = p_.VariableScope("model");
    EXPECT_THAT(Layers(p_), in("model/"));
    p_.current().reuse = Reuse::kReuse;  // scope.reuse_variables()
    EXPECT_THAT(Layers(p_), in("model/"));
  }
  With model = p_.VariableScope("model", WithReuse(Reuse::kReuse));
  EXPECT_THAT(Layers(p_), in("model/"));
  EXPECT_EQ(declarer_.size(), 8u);
}

TEST_F(CreateVariableTest, RowsS11ToS18Scopes) {
  {
    With test = p_.VariableScope("test");
    EXPECT_EQ(p_.Get("test"), "test/test:0");
    p_.current().reuse = Reuse::kReuse;
    EXPECT_EQ(p_.Get("test"), "test/test:0");
  }
  {
    With test = p_.VariableScope("test", WithReuse(Reuse::kReuse));
    EXPECT_EQ(p_.Get("test"), "test/test:0");
  }
  {
    With test = p_.VariableScope("test");
    EXPECT_EQ(p_.Get("test"), ExistsText("test/test"));
  }
  {
    With foo = p_.VariableScope("foo");
    With bar = p_.VariableScope("bar");
    EXPECT_EQ(p_.Get("v"), "foo/bar/v:0");
  }
  With foo = p_.VariableScope("foo", WithReuse(Reuse::kReuse));
  EXPECT_EQ(p_.Get("nope"), MissingText("foo/nope"));
}

}  // namespace
}  // namespace varkeep
