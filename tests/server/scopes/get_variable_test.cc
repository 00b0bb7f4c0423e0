// SPDX-License-Identifier: Apache-2.0
//
// Rows of SEMANTICS 10 about get_variable, by number.
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

constexpr char kInvalidInitializer[] = "The initializer passed is not valid. ";

VariableArguments Shaped(const std::string& name, const Shape& shape) {
  VariableArguments args = Program::Arguments(name);
  args.shape = PartialShape(shape);
  return args;
}

VariableArguments Valued(const std::string& name, TensorRef value) {
  VariableArguments args;
  args.name = name;
  args.initializer = ValueInitializer{std::move(value)};
  return args;
}

class GetVariableTest : public ::testing::Test {
 protected:
  FakeDeclarer declarer_;
  Program p_{&declarer_};
};

// SEMANTICS 2.2; rows 13 and 14 by the reuse of the scope.
TEST_F(GetVariableTest, Rows13And14DecisionTable) {
  EXPECT_EQ(p_.Get("v"), "v:0");
  p_.current().reuse = Reuse::kAuto;
  EXPECT_EQ(p_.Get("v"), "v:0");
  p_.current().reuse = Reuse::kCreate;
  EXPECT_EQ(p_.Get("w"), "w:0");
  EXPECT_THAT(p_.TryGet("v"),
              StatusIs(StatusCode::kAlreadyExists, ExistsText("v")));
  p_.current().reuse = Reuse::kReuse;
  EXPECT_EQ(p_.Get("v"), "v:0");
  EXPECT_THAT(p_.TryGet("u"),
              StatusIs(StatusCode::kNotFound, MissingText("u")));
}

TEST_F(GetVariableTest, Row25AutoReuseCreatesThenFinds) {
  for (bool created : {true, false}) {
    With bar = p_.VariableScope("bar", WithReuse(Reuse::kAuto));
    ASSERT_OK_AND_ASSIGN(Declared var, p_.TryGet("var"));
    EXPECT_EQ(var.info.spec.name, "bar/var");
    EXPECT_EQ(var.created, created);
  }
}

TEST_F(GetVariableTest, Rows31To36SharingByAScopeObject) {
  Scope tower;
  With root = p_.VariableScope("root");
  {
    With with = p_.VariableScope("towerA");
    tower = with.scope();
    EXPECT_EQ(p_.Get(Shaped("v", {1})), "root/towerA/v:0");
  }
  {
    With with = p_.VariableScope(tower, WithReuse(Reuse::kReuse));
    EXPECT_EQ(p_.Get(Shaped("v", {1})), "root/towerA/v:0");
  }
  {
    With with = p_.VariableScope("towerA");
    EXPECT_EQ(p_.Get(Shaped("v", {1})), ExistsText("root/towerA/v"));
  }
  With foo = p_.VariableScope("foo");
  With bar = p_.VariableScope("bar");
  With with = p_.VariableScope(tower, WithReuse(Reuse::kReuse));
  EXPECT_EQ(p_.Get(Shaped("v", {1})), "root/towerA/v:0");
  EXPECT_THAT(p_.TryGet(Shaped("v", {2})),
              StatusIs(StatusCode::kInvalidArgument,
                       "Trying to share variable root/towerA/v, but specified "
                       "shape (2,) and found shape (1,)."));
  VariableArguments integer = Shaped("v", {1});
  integer.dtype = DType::kInt32;
  EXPECT_THAT(p_.TryGet(integer),
              StatusIs(StatusCode::kInvalidArgument,
                       "Trying to share variable root/towerA/v, but specified "
                       "dtype int32 and found dtype float32_ref."));
  With baz = p_.VariableScope("baz");
  EXPECT_EQ(p_.Get(Shaped("v", {1})), MissingText("root/towerA/baz/v"));
}

TEST_F(GetVariableTest, UnknownDimensionsMatchWhenSharing) {
  EXPECT_EQ(p_.Get(Shaped("v", {3, 2})), "v:0");
  p_.current().reuse = Reuse::kReuse;
  VariableArguments args = Program::Arguments("v");
  args.shape = std::nullopt;
  EXPECT_EQ(p_.Get(args), "v:0");
  args.shape = *PartialShape::Create(std::vector<int64_t>{-1, 2});
  EXPECT_EQ(p_.Get(args), "v:0");
  args.shape = *PartialShape::Create(std::vector<int64_t>{-1, 3});
  EXPECT_EQ(p_.Get(args),
            "Trying to share variable v, but specified shape (?, 3) and found "
            "shape (3, 2).");
}

// SEMANTICS 2.2: an omitted dtype is the scope's.
TEST_F(GetVariableTest, TheDtypeOfAReuseIsNeverUnspecified) {
  VariableArguments args = Program::Arguments("v");
  args.dtype = DType::kInt32;
  EXPECT_EQ(p_.Get(args), "v:0");
  p_.current().reuse = Reuse::kReuse;
  EXPECT_EQ(p_.Get("v"),
            "Trying to share variable v, but specified dtype float32 and found "
            "dtype int32_ref.");
}

TEST_F(GetVariableTest, AReuseIgnoresEverythingElse) {
  ASSERT_OK(p_.TryGet("v"));
  p_.current().reuse = Reuse::kReuse;
  VariableArguments args = Program::Arguments("v");
  args.initializer = OnesInitializer{};
  args.trainable = false;
  args.collections = {"other"};
  args.regularizer = "l2";
  ASSERT_OK_AND_ASSIGN(Declared found, p_.TryGet(args));
  EXPECT_TRUE(found.info.spec.trainable);
  EXPECT_EQ(found.info.spec.regularizer, "");
  EXPECT_THAT(p_.session().Collection("other"), ElementsAre());
}

TEST_F(GetVariableTest, Row44ScopeInitializers) {
  VariableScopeArguments args;
  args.initializer = ConstantInitializer{Of<float>({}, {0.3f})};
  With foo = p_.VariableScope("foo", args);
  ASSERT_OK_AND_ASSIGN(Declared v, p_.TryGet("v"));
  EXPECT_EQ(InitializerName(v.info.spec.initializer), "constant");
  const Scope root;
  With object = p_.VariableScope(root, args);
  ASSERT_OK_AND_ASSIGN(v, p_.TryGet("v"));
  EXPECT_EQ(InitializerName(v.info.spec.initializer), "constant");
}

TEST_F(GetVariableTest, Row45InitializerOfALiveScope) {
  {
    With bar = p_.VariableScope("bar");
    p_.current().initializer = ConstantInitializer{Of<float>({}, {0.3f})};
    ASSERT_OK_AND_ASSIGN(Declared v, p_.TryGet("v"));
    EXPECT_EQ(InitializerName(v.info.spec.initializer), "constant");
  }
  ASSERT_OK_AND_ASSIGN(Declared v, p_.TryGet("v"));
  EXPECT_EQ(InitializerName(v.info.spec.initializer), "glorot_uniform");
}

TEST_F(GetVariableTest, Row46ReuseVariables) {
  EXPECT_EQ(p_.Get("v"), "v:0");
  p_.current().reuse = Reuse::kReuse;
  EXPECT_EQ(p_.Get("v"), "v:0");
  EXPECT_EQ(p_.Get("w"), MissingText("w"));
}

TEST_F(GetVariableTest, Row47ScopeDtype) {
  VariableScopeArguments args;
  args.dtype = DType::kFloat16;
  With foo = p_.VariableScope("foo", args);
  ASSERT_OK_AND_ASSIGN(Declared v, p_.TryGet("v"));
  EXPECT_EQ(v.info.spec.dtype, DType::kFloat16);
}

TEST_F(GetVariableTest, Row49DefaultInitializers) {
  for (DType dtype : kAllDTypes) {
    VariableArguments args = Shaped(std::string(DTypeName(dtype)), {3, 4});
    args.dtype = dtype;
    const absl::StatusOr<Declared> v = p_.TryGet(args);
    if (IsComplex(dtype)) {
      EXPECT_THAT(v, StatusIs(StatusCode::kInvalidArgument,
                              HasSubstr("An initializer for variable ")));
      continue;
    }
    ASSERT_OK(v);
    EXPECT_EQ(InitializerName(v->info.spec.initializer),
              IsFloating(dtype) ? "glorot_uniform" : "zeros");
  }
}

TEST_F(GetVariableTest, Row50ValuesWithTheirOwnDtype) {
  VariableArguments v4 = Valued("v4", Of<int32_t>({}, {4}));
  v4.dtype = DType::kInt32;
  EXPECT_EQ(p_.Get(v4), "v4:0");
  VariableArguments w4 = Valued("w4", Of<int64_t>({3}, {1, 2, 3}));
  w4.dtype = DType::kInt64;
  ASSERT_OK_AND_ASSIGN(Declared w, p_.TryGet(w4));
  EXPECT_EQ(w.info.spec.shape, Shape({3}));
  EXPECT_THAT(p_.TryGet(Valued("x4", nullptr)),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("value")));
}

TEST_F(GetVariableTest, Row51AValueTakesNoShape) {
  EXPECT_EQ(p_.Get(Valued("v", Of<float>({}, {0.1f}))), "v:0");
  VariableArguments u = Valued("u", Of<float>({}, {0.1f}));
  u.shape = PartialShape(Shape({1}));
  EXPECT_THAT(p_.TryGet(u),
              StatusIs(StatusCode::kInvalidArgument,
                       "If initializer is a constant, do not specify shape."));
  // Also when the variable exists.
  p_.current().reuse = Reuse::kReuse;
  u.name = "v";
  EXPECT_THAT(p_.TryGet(u),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("constant")));
}

TEST_F(GetVariableTest, Row52AValueDecidesTheDtype) {
  ASSERT_OK_AND_ASSIGN(Declared u,
                       p_.TryGet(Valued("u", Of<int32_t>({}, {1}))));
  EXPECT_EQ(u.info.spec.dtype, DType::kInt32);
  VariableArguments x = Valued("x", Of<int32_t>({}, {1}));
  x.dtype = DType::kFloat64;
  EXPECT_THAT(p_.TryGet(x),
              StatusIs(StatusCode::kInvalidArgument,
                       "Initializer type '<dtype: 'int32'>' and explicit dtype "
                       "'<dtype: 'float64'>' don't match."));
}

// Row 53 and SEMANTICS 2.3: nothing here can be called without a shape.
TEST_F(GetVariableTest, Row53CreatingNeedsAFullShape) {
  VariableArguments args = Program::Arguments("v");
  args.shape = std::nullopt;
  EXPECT_THAT(p_.TryGet(args), StatusIs(StatusCode::kInvalidArgument,
                                        HasSubstr(kInvalidInitializer)));
  args.shape = *PartialShape::Create(std::vector<int64_t>{-1, 3});
  EXPECT_THAT(p_.TryGet(args), StatusIs(StatusCode::kInvalidArgument,
                                        HasSubstr(kInvalidInitializer)));
}

// Row 55, and SEMANTICS 2.6 for what is not inherited.
TEST_F(GetVariableTest, Row55ConstraintOfTheScope) {
  VariableScopeArguments args;
  args.constraint = "positive";
  With foo = p_.VariableScope("foo", args);
  ASSERT_OK_AND_ASSIGN(Declared v, p_.TryGet("v"));
  EXPECT_EQ(v.info.spec.constraint, "positive");
  With inner = p_.VariableScope("inner");
  ASSERT_OK_AND_ASSIGN(v, p_.TryGet("v"));
  EXPECT_EQ(v.info.spec.constraint, "");
}

TEST_F(GetVariableTest, Row57Synchronization) {
  const auto trainable = [&](const std::string& name, Synchronization sync,
                             std::optional<bool> given) {
    VariableArguments args = Program::Arguments(name);
    args.synchronization = sync;
    args.trainable = given;
    const absl::StatusOr<Declared> v = p_.TryGet(args);
    EXPECT_OK(v);
    return v.ok() && v->info.spec.trainable;
  };
  EXPECT_FALSE(trainable("a", Synchronization::kOnRead, std::nullopt));
  EXPECT_TRUE(trainable("b", Synchronization::kOnRead, true));
  EXPECT_TRUE(trainable("c", Synchronization::kOnWrite, std::nullopt));
  EXPECT_TRUE(trainable("d", Synchronization::kNone, true));
  EXPECT_THAT(p_.session().Collection(kTrainableVariables),
              ElementsAre("b", "c", "d"));
}

TEST_F(GetVariableTest, Row67AnotherThreadSharesTheStore) {
  Program thread(&p_.session(), /*stack=*/1);
  With a = p_.VariableScope("foo");
  EXPECT_EQ(p_.Get("v"), "foo/v:0");
  With b = thread.VariableScope("foo");
  EXPECT_EQ(thread.Get("v"), ExistsText("foo/v"));
}

// SEMANTICS 1.4.
TEST_F(GetVariableTest, KeysAndOpNamesMayDiffer) {
  EXPECT_EQ(p_.Create("v"), "v:0");
  EXPECT_EQ(p_.Get("v"), "v_1:0");
  EXPECT_EQ(p_.Get("v"), ExistsText("v"));
  { With foo = p_.VariableScope("foo"); }
  EXPECT_EQ(p_.Get("foo"), "foo_1:0");
  {
    With a = p_.VariableScope("a");
    EXPECT_EQ(p_.Get("b"), "a/b:0");
    With b = p_.VariableScope("b");
    EXPECT_EQ(p_.Get("c"), "a/b/c:0");
    EXPECT_EQ(p_.Create("d"), "a/b_1/d:0");
  }
  p_.current().reuse = Reuse::kReuse;
  EXPECT_EQ(p_.Get("v"), "v_1:0");
  EXPECT_EQ(p_.Get("foo"), "foo_1:0");
}

// The table of SEMANTICS 1.4.
TEST_F(GetVariableTest, NameScopesDoNotConcernIt) {
  {
    With n = p_.NameScope("n");
    EXPECT_EQ(p_.Create("x"), "n/x:0");
    EXPECT_EQ(p_.Get("x"), "x:0");
  }
  {
    With s = p_.VariableScope("s");
    EXPECT_EQ(p_.Create("x"), "s/x:0");
  }
  With s = p_.VariableScope("s");
  EXPECT_EQ(p_.Create("x"), "s_1/x:0");
  EXPECT_EQ(p_.Get("y"), "s/y:0");
}

TEST_F(GetVariableTest, AVariableIsNotInTheStore) {
  EXPECT_EQ(p_.Create("v"), "v:0");
  p_.current().reuse = Reuse::kReuse;
  EXPECT_EQ(p_.Get("v"), MissingText("v"));
  p_.current().reuse = Reuse::kAuto;
  EXPECT_EQ(p_.Get("v"), "v_1:0");
}

TEST_F(GetVariableTest, NamesAreChecked) {
  EXPECT_THAT(p_.TryGet(""), StatusIs(StatusCode::kInvalidArgument,
                                      "get_variable requires a name"));
  EXPECT_THAT(p_.TryGet("_x"), StatusIs(StatusCode::kInvalidArgument,
                                        "'_x' is not a valid scope name"));
  EXPECT_THAT(p_.TryGet("x:0"), StatusIs(StatusCode::kInvalidArgument,
                                         "'x:0' is not a valid scope name"));
  EXPECT_THAT(p_.TryGet(std::string(kMaxNameBytes + 1, 'x')),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("1025 bytes")));
  // The number that makes a name unique counts too.
  { With used = p_.NameScope(std::string(kMaxNameBytes, 'x')); }
  EXPECT_THAT(p_.TryGet(std::string(kMaxNameBytes, 'x')),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("1026 bytes")));
  With foo = p_.VariableScope("foo");
  EXPECT_EQ(p_.Get("_x"), "foo/_x:0");
  EXPECT_EQ(p_.Get("a/b"), "foo/a/b:0");
}

TEST_F(GetVariableTest, AnErrorChangesNothing) {
  declarer_.fail = absl::UnavailableError("draining");
  EXPECT_THAT(p_.TryGet("v"), StatusIs(StatusCode::kUnavailable, "draining"));
  EXPECT_THAT(p_.TryCreate(Valued("v", Of<float>({}, {1}))),
              StatusIs(StatusCode::kUnavailable, "draining"));
  declarer_.fail = absl::OkStatus();
  EXPECT_THAT(p_.session().Declarations(), ElementsAre());
  EXPECT_THAT(p_.session().Collection(kGlobalVariables), ElementsAre());
  EXPECT_EQ(p_.Get("v"), "v:0");
}

TEST_F(GetVariableTest, InitializersAreCheckedBeforeTheyAreDeclared) {
  VariableArguments args = Shaped("v", {5});
  args.initializer = OrthogonalInitializer{};
  EXPECT_THAT(p_.TryGet(args),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("")));
  EXPECT_EQ(declarer_.size(), 0u);
}

TEST_F(GetVariableTest, ARepeatedRequestIsAnsweredAgain) {
  const RequestId id{.client = 5, .sequence = 1};
  const VariableArguments args = Program::Arguments("v");
  ASSERT_OK_AND_ASSIGN(Declared first, p_.TryGet(args, id));
  ASSERT_OK_AND_ASSIGN(Declared second, p_.TryGet(args, id));
  EXPECT_TRUE(first.created);
  EXPECT_TRUE(second.created);
  EXPECT_EQ(second.info.spec.name, "v");
  EXPECT_EQ(declarer_.declarations(), 1);
  EXPECT_THAT(p_.TryGet(args, RequestId{.client = 5, .sequence = 2}),
              StatusIs(StatusCode::kAlreadyExists, ExistsText("v")));
  EXPECT_THAT(p_.TryGet(Program::Arguments("w"), RequestId{}),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("request id")));
}

TEST_F(GetVariableTest, ADeletedVariableIsDeclaredAgainUnderItsName) {
  { With v = p_.NameScope("v"); }
  EXPECT_EQ(p_.Get("v"), "v_1:0");
  declarer_.Delete("", "v_1");
  EXPECT_EQ(p_.Get("v"), ExistsText("v"));
  p_.current().reuse = Reuse::kReuse;
  EXPECT_EQ(p_.Get("v"), MissingText("v"));
  p_.current().reuse = Reuse::kAuto;
  EXPECT_EQ(p_.Get("v"), "v_1:0");
  EXPECT_THAT(p_.session().Collection(kGlobalVariables), ElementsAre("v_1"));
  EXPECT_THAT(p_.session().Declarations(), ElementsAre("v_1"));
}

}  // namespace
}  // namespace varkeep
