// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "tests/server/variables/store_testing.h"

namespace varkeep {
namespace {

using absl::StatusCode;
using ::testing::AllOf;
using ::testing::HasSubstr;

class AssignTest : public StoreTest {};
class UpdateTest : public StoreTest {};

TEST_F(AssignTest, ReplacesTheValue) {
  ASSERT_OK(Declare(store_, SpecOf("v", {2})));

  ASSERT_OK_AND_ASSIGN(Applied applied,
                       Assign(store_, "v", Of<float>({2}, {1, 2})));

  EXPECT_EQ(applied.revision, 2u);
  ASSERT_OK_AND_ASSIGN(VersionedValue read, store_.Read("", "v"));
  EXPECT_EQ(read.version, 2u);
  EXPECT_THAT(read.value, TensorEq(Of<float>({2}, {1, 2})));
}

TEST_F(AssignTest, AnotherShapeIsAnErrorThatNamesBoth) {
  Put(store_, "v", Of<float>({3}, {1, 2, 3}));

  EXPECT_THAT(
      Assign(store_, "v", Of<float>({2}, {1, 2})),
      StatusIs(StatusCode::kInvalidArgument,
               HasSubstr("Assign requires shapes of both tensors to match. lhs "
                         "shape= [3] rhs shape= [2]")));
  EXPECT_THAT(ValueOf(store_, "v"), TensorEq(Of<float>({3}, {1, 2, 3})));
}

TEST_F(AssignTest, AnotherDTypeIsAnErrorThatNamesBoth) {
  Put(store_, "v", Of<int32_t>({1}, {1}));

  EXPECT_THAT(Assign(store_, "v", Of<float>({1}, {1})),
              StatusIs(StatusCode::kInvalidArgument,
                       HasSubstr("Input 'value' of 'Assign' Op has type "
                                 "float32 that does not match type int32 of "
                                 "argument 'ref'.")));
}

TEST_F(AssignTest, WithoutValidateShapeTheVariableTakesTheNewShape) {
  Put(store_, "v", Of<float>({3}, {1, 2, 3}));

  ASSERT_OK(store_.Apply(
      AssignMutation{"", "v", Of<float>({1, 2}, {8, 9}), {}, false}));

  EXPECT_EQ(store_.Find("", "v")->spec.shape, Shape({1, 2}));
  EXPECT_THAT(ValueOf(store_, "v"), TensorEq(Of<float>({1, 2}, {8, 9})));
  EXPECT_EQ(store_.usage().value_bytes, 8);
  // The dtype still counts.
  EXPECT_THAT(
      store_.Apply(AssignMutation{"", "v", Of<double>({}, {1}), {}, false}),
      StatusIs(StatusCode::kInvalidArgument, HasSubstr("float64")));
}

TEST_F(AssignTest, VersionZeroMeansNoValueYet) {
  ASSERT_OK(Declare(store_, SpecOf("v", {1})));

  ASSERT_OK_AND_ASSIGN(Applied first,
                       Assign(store_, "v", Of<float>({1}, {1}), 0));

  EXPECT_THAT(Assign(store_, "v", Of<float>({1}, {2}), 0),
              StatusIs(StatusCode::kAborted,
                       "variable 'v' has version 2, the request expects "
                       "version 0"));
  EXPECT_OK(Assign(store_, "v", Of<float>({1}, {3}), first.revision));
  EXPECT_THAT(Assign(store_, "v", Of<float>({1}, {4}), first.revision),
              StatusIs(StatusCode::kAborted, HasSubstr("has version 3")));
  EXPECT_THAT(ValueOf(store_, "v"), TensorEq(Of<float>({1}, {3})));
}

TEST_F(AssignTest, AnUnknownVariableIsNotFound) {
  EXPECT_THAT(Assign(store_, "v", Of<float>({1}, {1})),
              StatusIs(StatusCode::kNotFound,
                       "variable 'v' does not exist in container ''"));
  EXPECT_THAT(Delete(store_, "v"),
              StatusIs(StatusCode::kNotFound, HasSubstr("variable 'v'")));
}

TEST_F(AssignTest, EveryDTypeKeepsItsBits) {
  for (DType dtype : kAllDTypes) {
    const std::string name(DTypeName(dtype));
    ASSERT_OK_AND_ASSIGN(std::shared_ptr<Tensor> value,
                         Tensor::Create(dtype, {5}));
    uint8_t next = 0;
    for (std::byte& byte : value->mutable_bytes()) {
      next = static_cast<uint8_t>(dtype == DType::kBool ? 1 - next : next + 77);
      byte = std::byte{next};
    }
    Put(store_, name, value);
    EXPECT_THAT(ValueOf(store_, name), TensorEq(value)) << name;
  }
}

TEST_F(UpdateTest, AddsAndSubtracts) {
  Put(store_, "v", Of<float>({2}, {1, 2}));

  ASSERT_OK(Add(store_, "v", Of<float>({2}, {10, 20})));
  EXPECT_THAT(ValueOf(store_, "v"), TensorEq(Of<float>({2}, {11, 22})));
  ASSERT_OK_AND_ASSIGN(
      Applied applied,
      store_.Apply(UpdateMutation{
          "", "v", UpdateOp::kSubtract, Of<float>({2}, {1, 1}), {}}));

  EXPECT_THAT(ValueOf(store_, "v"), TensorEq(Of<float>({2}, {10, 21})));
  EXPECT_EQ(store_.Find("", "v")->version, applied.revision);
}

TEST_F(UpdateTest, IntegersWrap) {
  Put(store_, "s", Of<int8_t>({2}, {127, -128}));
  Put(store_, "u", Of<uint32_t>({1}, {std::numeric_limits<uint32_t>::max()}));

  ASSERT_OK(Add(store_, "s", Of<int8_t>({2}, {1, -1})));
  ASSERT_OK(Add(store_, "u", Of<uint32_t>({1}, {2})));

  EXPECT_THAT(ValueOf(store_, "s"), TensorEq(Of<int8_t>({2}, {-128, 127})));
  EXPECT_THAT(ValueOf(store_, "u"), TensorEq(Of<uint32_t>({1}, {1})));
}

TEST_F(UpdateTest, BoolCannotBeAdded) {
  Put(store_, "v", Of<bool>({1}, {true}));

  EXPECT_THAT(
      Add(store_, "v", Of<bool>({1}, {true})),
      StatusIs(StatusCode::kInvalidArgument,
               HasSubstr("Value passed to parameter 'ref' has DataType bool "
                         "not in list of allowed values")));
}

TEST_F(UpdateTest, ShapesMustBeEqualWithoutBroadcasting) {
  Put(store_, "v", Of<float>({2}, {1, 2}));

  EXPECT_THAT(
      Add(store_, "v", Of<float>({}, {1})),
      StatusIs(StatusCode::kInvalidArgument,
               AllOf(HasSubstr("Parameters and update must be the same size"),
                     HasSubstr("[2]"), HasSubstr("[]"))));
  EXPECT_THAT(Add(store_, "v", Of<int32_t>({2}, {1, 2})),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("int32")));
}

TEST_F(UpdateTest, AVariableWithoutAValueCannotBeUpdatedOrRead) {
  ASSERT_OK(Declare(store_, SpecOf("foo/v", {1})));

  const auto uninitialized =
      StatusIs(StatusCode::kFailedPrecondition,
               "Attempting to use uninitialized value foo/v");
  EXPECT_THAT(Add(store_, "foo/v", Of<float>({1}, {1})), uninitialized);
  EXPECT_THAT(store_.Read("", "foo/v"), uninitialized);
  EXPECT_THAT(store_.ReadCut("", {"foo/v"}), uninitialized);
}

TEST_F(UpdateTest, TheVersionConditionIsChecked) {
  Put(store_, "v", Of<float>({1}, {1}));
  const Revision version = store_.Find("", "v")->version;

  EXPECT_OK(Add(store_, "v", Of<float>({1}, {1}), version));
  EXPECT_THAT(Add(store_, "v", Of<float>({1}, {1}), version),
              StatusIs(StatusCode::kAborted,
                       HasSubstr("the request expects version 2")));
  EXPECT_THAT(ValueOf(store_, "v"), TensorEq(Of<float>({1}, {2})));
}

TEST_F(UpdateTest, AValueThatWasReadNeverChanges) {
  Put(store_, "v", Of<float>({2}, {1, 2}));
  TensorRef before = ValueOf(store_, "v");
  const StoreSnapshot snapshot = store_.Snapshot();

  ASSERT_OK(Add(store_, "v", Of<float>({2}, {1, 1})));
  ASSERT_OK(Add(store_, "v", Of<float>({2}, {1, 1})));

  EXPECT_THAT(before, TensorEq(Of<float>({2}, {1, 2})));
  EXPECT_THAT(snapshot.variables[0].value, TensorEq(Of<float>({2}, {1, 2})));
  EXPECT_THAT(ValueOf(store_, "v"), TensorEq(Of<float>({2}, {3, 4})));
}

TEST_F(UpdateTest, AnAssignedTensorThatIsStillHeldNeverChanges) {
  std::shared_ptr<Tensor> mine = Of<float>({1}, {1});
  Put(store_, "v", mine);
  Put(store_, "w", mine);

  ASSERT_OK(Add(store_, "v", Of<float>({1}, {1})));

  EXPECT_THAT(mine, TensorEq(Of<float>({1}, {1})));
  EXPECT_THAT(ValueOf(store_, "w"), TensorEq(Of<float>({1}, {1})));
}

// One that is not so small that copying it is cheaper.
TEST_F(UpdateTest, AValueThatNobodyHoldsIsChangedInPlace) {
  constexpr int64_t kElements = 100'000;
  const auto ones = [] {
    return Of<float>({kElements}, std::vector<float>(kElements, 1));
  };
  Put(store_, "v", ones());
  const std::byte* bytes = ValueOf(store_, "v")->bytes().data();

  ASSERT_OK(Add(store_, "v", ones()));
  EXPECT_EQ(ValueOf(store_, "v")->bytes().data(), bytes);

  TensorRef held = ValueOf(store_, "v");
  ASSERT_OK(Add(store_, "v", ones()));
  EXPECT_NE(ValueOf(store_, "v")->bytes().data(), bytes);
}

TEST_F(UpdateTest, RowsOfAValueThatNobodyHoldsAreChangedInPlace) {
  constexpr int64_t kRows = 50'000;
  Put(store_, "v", Of<float>({kRows, 2}, std::vector<float>(2 * kRows, 1)));
  const std::byte* bytes = ValueOf(store_, "v")->bytes().data();
  const auto scatter = [&] {
    return store_.Apply(ScatterMutation{"",
                                        "v",
                                        ScatterOp::kAdd,
                                        /*nd=*/false,
                                        Of<int64_t>({2}, {0, kRows - 1}),
                                        Of<float>({2, 2}, {1, 2, 3, 4}),
                                        {}});
  };

  ASSERT_OK(scatter());
  TensorRef held = ValueOf(store_, "v");
  EXPECT_EQ(held->bytes().data(), bytes);
  ASSERT_OK(scatter());

  std::vector<float> expected(2 * kRows, 1);
  expected[0] = 2;
  expected[1] = 3;
  expected[2 * kRows - 2] = 4;
  expected[2 * kRows - 1] = 5;
  EXPECT_THAT(held, TensorEq(Of<float>({kRows, 2}, expected)));
  EXPECT_NE(ValueOf(store_, "v")->bytes().data(), bytes);
}

TEST_F(UpdateTest, AValueMayBeAddedToItself) {
  Put(store_, "v", Of<float>({2}, {1, 2}));

  ASSERT_OK(Add(store_, "v", ValueOf(store_, "v")));

  EXPECT_THAT(ValueOf(store_, "v"), TensorEq(Of<float>({2}, {2, 4})));
}

}  // namespace
}  // namespace varkeep
