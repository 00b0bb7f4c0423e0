// SPDX-License-Identifier: Apache-2.0
//
// Rows of TensorFlow's own tests about values and initialization (the project's
// semantics, section 10; the row's number is in the name), through a real
// server.
#include "tests/integration/program.h"

namespace varkeep {
namespace {

using client::Variable;
using client::VariableOptions;
using client::VariableScope;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

VariableOptions OfType(DType dtype) {
  VariableOptions options;
  options.dtype = dtype;
  return options;
}

class ValueRowsTest : public ProgramTest {};

TEST_F(ValueRowsTest, Rows1To3_DefaultNamesAndFirstValues) {
  ASSERT_OK_AND_ASSIGN(
      Variable a, session_->root().CreateVariable("", *Of<float>({}, {0.0f})));
  ASSERT_OK_AND_ASSIGN(
      Variable b, session_->root().CreateVariable("", *Of<float>({}, {1.1f})));
  EXPECT_EQ(a.name(), "Variable:0");
  EXPECT_EQ(b.name(), "Variable_1:0");
  EXPECT_THAT(a.Read(), StatusIs(absl::StatusCode::kFailedPrecondition,
                                 HasSubstr("Attempting to use uninitialized "
                                           "value")));
  ASSERT_OK(session_->Initialize());
  EXPECT_THAT(Floats(a), ElementsAre(0.0f));
  EXPECT_THAT(Floats(b), ElementsAre(1.1f));
}

TEST_F(ValueRowsTest, Row44_TheScopesInitializer) {
  ASSERT_OK_AND_ASSIGN(
      VariableScope foo,
      session_->EnterScope("foo", {.initializer = client::Constant(0.3)}));
  ASSERT_OK_AND_ASSIGN(Variable v, foo.GetVariable("v", {}));
  ASSERT_OK(v.Initialize());
  EXPECT_THAT(Floats(v), ElementsAre(0.3f));
}

TEST_F(ValueRowsTest, Row47_TheScopesDType) {
  ASSERT_OK_AND_ASSIGN(VariableScope foo,
                       session_->EnterScope("foo", {.dtype = DType::kFloat16}));
  ASSERT_OK_AND_ASSIGN(Variable v, foo.GetVariable("v", {}));
  EXPECT_EQ(v.dtype(), DType::kFloat16);
}

TEST_F(ValueRowsTest, Row49_IntegersAndBoolBeginAtZero) {
  for (DType dtype :
       {DType::kInt8, DType::kUint8, DType::kInt16, DType::kUint16,
        DType::kInt32, DType::kInt64, DType::kBool}) {
    ASSERT_OK_AND_ASSIGN(
        Variable v, session_->GetVariable(std::string(DTypeName(dtype)), {3, 4},
                                          {}, OfType(dtype)));
    ASSERT_OK(v.Initialize());
    ASSERT_OK_AND_ASSIGN(TensorRef value, v.Read());
    EXPECT_THAT(value->bytes(), Each(std::byte{0})) << DTypeName(dtype);
  }
}

TEST_F(ValueRowsTest, Rows51And52_AValueInPlaceOfAnInitializer) {
  VariableScope& root = session_->root();
  ASSERT_OK_AND_ASSIGN(
      Variable v, root.GetVariable("v", std::nullopt,
                                   client::Value(*Of<int32_t>({2}, {4, 5}))));
  EXPECT_EQ(v.dtype(), DType::kInt32);
  EXPECT_EQ(v.shape(), Shape({2}));
  EXPECT_THAT(root.GetVariable("u", {1}, client::Value(*Of<float>({}, {1}))),
              StatusIs(kInvalid,
                       HasSubstr("If initializer is a constant, do not specify "
                                 "shape.")));
  EXPECT_THAT(
      root.GetVariable("x", std::nullopt, client::Value(*Of<int32_t>({}, {1})),
                       OfType(DType::kFloat64)),
      StatusIs(kInvalid,
               HasSubstr("Initializer type '<dtype: 'int32'>' and explicit "
                         "dtype '<dtype: 'float64'>' don't match.")));
}

TEST_F(ValueRowsTest, Rows75And93_AssignAddAndSub) {
  ASSERT_OK_AND_ASSIGN(Variable v,
                       session_->GetVariable("v", {}, client::Zeros()));
  EXPECT_THAT(v.AssignAdd(Of<float>({}, {1})),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "Attempting to use uninitialized value v"));
  ASSERT_OK(v.Initialize());
  ASSERT_OK(v.AssignAdd(Of<float>({}, {1})));
  EXPECT_THAT(Floats(v), ElementsAre(1));
  ASSERT_OK(v.AssignSub(Of<float>({}, {2})));
  EXPECT_THAT(Floats(v), ElementsAre(-1));
  ASSERT_OK(v.Assign(Of<float>({}, {4})));
  EXPECT_THAT(Floats(v), ElementsAre(4));
}

TEST_F(ValueRowsTest, Rows56And71And72_TheScopeFilterMatchesFromTheStart) {
  for (const char* name : {"foo/a", "foo_/a", "bar/foo/x"}) {
    ASSERT_OK(session_->GetVariable(name, {1}));
  }
  auto names = [&](const std::string& scope) {
    std::vector<std::string> found;
    auto variables = session_->Collection("variables", scope);
    EXPECT_TRUE(variables.ok()) << variables.status();
    for (const Variable& variable : *variables)
      found.push_back(variable.name());
    return found;
  };
  EXPECT_THAT(names("foo/"), ElementsAre("foo/a:0"));
  EXPECT_THAT(names("foo"), ElementsAre("foo/a:0", "foo_/a:0"));
  EXPECT_THAT(names(".*x"), ElementsAre("bar/foo/x:0"));
  EXPECT_THAT(names("nope"), IsEmpty());
}

TEST_F(ValueRowsTest, Row80_ReportUninitialized) {
  EXPECT_THAT(session_->ReportUninitialized(), IsOkAndHolds(IsEmpty()));
  ASSERT_OK_AND_ASSIGN(Variable v, session_->GetVariable("v", {1}));
  ASSERT_OK_AND_ASSIGN(Variable w, session_->GetVariable("w", {1}));
  EXPECT_THAT(session_->ReportUninitialized(),
              IsOkAndHolds(ElementsAre("v", "w")));
  ASSERT_OK(w.Initialize());
  EXPECT_THAT(session_->ReportUninitialized(), IsOkAndHolds(ElementsAre("v")));
  ASSERT_OK(v.Initialize());
  EXPECT_THAT(session_->ReportUninitialized(), IsOkAndHolds(IsEmpty()));
}

TEST_F(ValueRowsTest, Row82_NoElementsIsInitialized) {
  ASSERT_OK_AND_ASSIGN(Variable v, session_->GetVariable("v", {0, 2}));
  EXPECT_THAT(session_->ReportUninitialized(), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(v.IsInitialized(), IsOkAndHolds(true));
  ASSERT_OK_AND_ASSIGN(TensorRef value, v.Read());
  EXPECT_EQ(value->shape(), Shape({0, 2}));
}

TEST_F(ValueRowsTest, Row94_AssignWithoutShapeValidation) {
  ASSERT_OK_AND_ASSIGN(Variable v,
                       session_->GetVariable("v", {3}, client::Zeros()));
  EXPECT_THAT(
      v.Assign(Of<float>({2}, {1, 2})),
      StatusIs(kInvalid, HasSubstr("Assign requires shapes of both tensors to "
                                   "match. lhs shape= [3] rhs shape= [2]")));
  ASSERT_OK(v.Assign(Of<float>({2}, {1, 2}), {.validate_shape = false}));
  EXPECT_THAT(Floats(v), ElementsAre(1, 2));
}

TEST_F(ValueRowsTest, Rows97And98_ConstantsOfFewerAndMoreValues) {
  EXPECT_THAT(Draw({2, 4}, client::Constant({0, 1, 2, 3, 4, 5})),
              ElementsAre(0, 1, 2, 3, 4, 5, 5, 5));
  EXPECT_THAT(
      session_->GetVariable("v", {2, 3},
                            client::Constant({0, 1, 2, 3, 4, 5, 6, 7})),
      StatusIs(kInvalid, HasSubstr("Too many elements provided. Needed at most "
                                   "6, but received 8")));
}

TEST_F(ValueRowsTest, Row129_AnotherShapeOrDTypeInAnotherSession) {
  ASSERT_OK(session_->GetVariable("w", {3}));
  auto other = Open();
  EXPECT_THAT(
      other->GetVariable("w", {2}),
      StatusIs(kInvalid, HasSubstr("Trying to share variable w, but specified "
                                   "shape (2,) and found shape (3,).")));
  EXPECT_THAT(other->GetVariable("w", {3}, {}, OfType(DType::kInt32)),
              StatusIs(kInvalid, HasSubstr("dtype")));
}

TEST_F(ValueRowsTest, R22_TheGraphSeedFixesTheDraws) {
  session_ = Open({.container = "seeded", .graph_seed = 42});
  ASSERT_OK_AND_ASSIGN(Variable w, session_->GetVariable("w", {2, 3}));
  EXPECT_EQ(w.info().seed, 42u);
  EXPECT_EQ(w.info().seed2, 3u);
  ASSERT_OK(w.Initialize());
  EXPECT_THAT(Floats(w),
              ElementsAre(0.302122951f, -0.743853927f, -0.671391606f,
                          -0.54158628f, -0.395866334f, -0.792592704f));
}

TEST_F(ValueRowsTest, EveryDTypeKeepsItsBitsOnTheWayThereAndBack) {
  for (DType dtype : kAllDTypes) {
    ASSERT_OK_AND_ASSIGN(
        Variable v, session_->GetVariable(std::string(DTypeName(dtype)), {2, 3},
                                          client::Zeros(), OfType(dtype)));
    ASSERT_OK_AND_ASSIGN(auto tensor, Tensor::Create(dtype, {2, 3}));
    uint8_t next = 1;
    for (std::byte& byte : tensor->mutable_bytes()) {
      byte = static_cast<std::byte>(dtype == DType::kBool ? next % 2 : next);
      next = static_cast<uint8_t>(next * 7 + 3);
    }
    ASSERT_OK(v.Assign(tensor));
    ASSERT_OK_AND_ASSIGN(TensorRef read, v.Read());
    EXPECT_THAT(read, TensorEq(tensor));
  }
}

}  // namespace
}  // namespace varkeep
