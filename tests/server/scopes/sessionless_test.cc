// SPDX-License-Identifier: Apache-2.0
#include "server/scopes/sessionless.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/scopes/program.h"
#include "tests/testing/tensors.h"

namespace varkeep {
namespace {

using absl::StatusCode;
using ::testing::HasSubstr;

class SessionlessTest : public ::testing::Test {
 protected:
  absl::StatusOr<Declared> TryGet(const VariableArguments& args,
                                  Request request = {}) {
    return GetVariableWithoutSession(&declarer_, container_, scope_, args,
                                     request, [this] { return ++entropy_; });
  }
  absl::StatusOr<Declared> TryCreate(const VariableArguments& args,
                                     Request request = {}) {
    return CreateVariableWithoutSession(&declarer_, container_, scope_, args,
                                        request, [this] { return ++entropy_; });
  }
  std::string Get(const std::string& name) {
    return Program::NameOf(TryGet(Program::Arguments(name)));
  }
  static VariableArguments Zeros(const std::string& name) {
    VariableArguments args = Program::Arguments(name);
    args.initializer = ZerosInitializer{};
    return args;
  }
  std::string Create(const std::string& name) {
    return Program::NameOf(TryCreate(Zeros(name)));
  }

  FakeDeclarer declarer_;
  Scope scope_;
  std::string container_;
  uint64_t entropy_ = 0;
};

TEST_F(SessionlessTest, ReuseIsJudgedAgainstTheContainer) {
  EXPECT_EQ(Get("w"), "w:0");
  EXPECT_THAT(TryGet(Program::Arguments("w")),
              StatusIs(StatusCode::kAlreadyExists, ExistsText("w")));
  scope_.reuse = Reuse::kReuse;
  EXPECT_EQ(Get("w"), "w:0");
  EXPECT_THAT(TryGet(Program::Arguments("x")),
              StatusIs(StatusCode::kNotFound, MissingText("x")));
  scope_.reuse = Reuse::kAuto;
  for (bool created : {true, false}) {
    ASSERT_OK_AND_ASSIGN(Declared x, TryGet(Program::Arguments("x")));
    EXPECT_EQ(x.created, created);
  }
}

TEST_F(SessionlessTest, TheScopePrefixesAndGivesDefaults) {
  scope_.variable_scope = "foo";
  scope_.name_scope = "bar";
  scope_.dtype = DType::kFloat64;
  ASSERT_OK_AND_ASSIGN(Declared v, TryGet(Program::Arguments("v")));
  EXPECT_EQ(v.info.spec.name, "foo/v");
  EXPECT_EQ(v.info.spec.dtype, DType::kFloat64);
  EXPECT_EQ(Create("v"), "bar/v:0");
}

TEST_F(SessionlessTest, SharingComparesShapeAndDtype) {
  EXPECT_EQ(Get("w"), "w:0");
  VariableArguments args = Program::Arguments("w");
  args.shape = PartialShape(Shape({2}));
  for (Reuse reuse : {Reuse::kReuse, Reuse::kAuto}) {
    scope_.reuse = reuse;
    EXPECT_THAT(TryGet(args),
                StatusIs(StatusCode::kInvalidArgument,
                         "Trying to share variable w, but specified shape (2,) "
                         "and found shape ()."));
  }
}

TEST_F(SessionlessTest, ThatItExistsComesBeforeWhatCreatingLacks) {
  EXPECT_EQ(Get("w"), "w:0");
  VariableArguments args = Program::Arguments("w");
  args.shape = std::nullopt;
  EXPECT_EQ(Program::NameOf(TryGet(args)), ExistsText("w"));
  args.name = "x";
  EXPECT_THAT(TryGet(args),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("not valid")));
}

TEST_F(SessionlessTest, OfTwoThatCreateOneFails) {
  declarer_.before_declare = [this] {
    DeclareMutation other;
    other.spec.name = "w";
    ASSERT_OK(declarer_.Declare(Mutation(other), Request()));
  };
  EXPECT_EQ(Get("w"), ExistsText("w"));
}

TEST_F(SessionlessTest, VariablesAreMadeUniqueInTheContainer) {
  EXPECT_EQ(Create("w"), "w:0");
  for (int i = 1; i < 40; ++i) {
    EXPECT_EQ(Create("w"), "w_" + std::to_string(i) + ":0");
  }
  EXPECT_EQ(Create(""), "Variable:0");
  container_ = "other";
  EXPECT_EQ(Create("w"), "w:0");
}

TEST_F(SessionlessTest, AFreeNameIsFoundInFewSteps) {
  for (int i = 0; i < 1000; ++i) ASSERT_OK(TryCreate(Zeros("w")));
  const int before = declarer_.finds();
  ASSERT_OK(TryCreate(Zeros("w")));
  EXPECT_LT(declarer_.finds() - before, 30);
}

TEST_F(SessionlessTest, ANameThatWasTakenMeanwhileIsPassedOver) {
  EXPECT_EQ(Create("w"), "w:0");
  declarer_.before_declare = [this] {
    DeclareMutation other;
    other.spec.name = "w_1";
    ASSERT_OK(declarer_.Declare(Mutation(other), Request()));
  };
  EXPECT_EQ(Create("w"), "w_2:0");
}

TEST_F(SessionlessTest, ALiteralNameIsTakenAsItIs) {
  scope_.name_scope = "a";
  EXPECT_EQ(Create("w/"), "w:0");
  EXPECT_EQ(Create("w/"), "Duplicate node name in graph: 'w'");
}

TEST_F(SessionlessTest, ARepeatedRequestGivesTheVariableItMade) {
  EXPECT_EQ(Create("w"), "w:0");
  const RequestId create{.client = 1, .sequence = 1};
  EXPECT_EQ(Program::NameOf(TryCreate(Zeros("w"), create)), "w_1:0");
  EXPECT_EQ(Create("w"), "w_2:0");
  ASSERT_OK_AND_ASSIGN(Declared again, TryCreate(Zeros("w"), create));
  EXPECT_EQ(again.info.spec.name, "w_1");
  EXPECT_TRUE(again.created);
  EXPECT_EQ(declarer_.size(), 3u);

  const RequestId get{.client = 1, .sequence = 2};
  ASSERT_OK(TryGet(Program::Arguments("g"), get));
  ASSERT_OK_AND_ASSIGN(again, TryGet(Program::Arguments("g"), get));
  EXPECT_TRUE(again.created);

  declarer_.Delete("", "w_1");
  EXPECT_THAT(TryCreate(Zeros("w"), create),
              StatusIs(StatusCode::kNotFound, HasSubstr("'w'")));
}

TEST_F(SessionlessTest, TheOpSeedOrElseEntropySeeds) {
  ASSERT_OK_AND_ASSIGN(Declared v, TryGet(Program::Arguments("v")));
  EXPECT_EQ(v.info.spec.seeds.seed, 1u);
  EXPECT_EQ(v.info.spec.seeds.seed2, 2u);
  VariableArguments args = Program::Arguments("w");
  args.initializer = Normal(1.0, 5);
  ASSERT_OK_AND_ASSIGN(v, TryGet(args));
  EXPECT_EQ(v.info.spec.seeds.seed, 87654321u);
  EXPECT_EQ(v.info.spec.seeds.seed2, 5u);
}

TEST_F(SessionlessTest, EverythingIsChecked) {
  container_ = "a_b";
  EXPECT_THAT(Get("w"), HasSubstr("container contains invalid characters"));
  EXPECT_THAT(Create("w"), HasSubstr("container contains invalid characters"));
  container_ = "";
  EXPECT_EQ(Get(""), "get_variable requires a name");
  EXPECT_EQ(Get("_x"), "'_x' is not a valid scope name");
  EXPECT_EQ(Create("_x"), "'_x' is not a valid scope name");
  EXPECT_EQ(Program::NameOf(TryCreate(Program::Arguments("v"))),
            "initial_value must be specified.");
  scope_.name_scope = "a b";
  EXPECT_EQ(Get("w"), "'a b' is not a valid scope name");
}

TEST_F(SessionlessTest, ErrorsOfTheDeclarerPassThrough) {
  declarer_.fail = absl::UnavailableError("draining");
  EXPECT_EQ(Get("w"), "draining");
  EXPECT_EQ(Create("w"), "draining");
}

}  // namespace
}  // namespace varkeep
