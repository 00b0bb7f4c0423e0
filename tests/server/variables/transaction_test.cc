// SPDX-License-Identifier: Apache-2.0
#include "tests/server/variables/store_testing.h"

namespace varkeep {
namespace {

using absl::StatusCode;
using ::testing::AllOf;
using ::testing::HasSubstr;

class TransactionStoreTest : public StoreTest {
 protected:
  TransactionStoreTest() {
    Put(store_, "a", Number(1));
    Put(store_, "b", Number(2));
  }

  static TensorRef Number(float value) { return Of<float>({}, {value}); }
  static AssignMutation AssignTo(const std::string& name, float value) {
    return {"", name, Number(value), {}, true};
  }
  static UpdateMutation Add(const std::string& name, float value) {
    return {"", name, UpdateOp::kAdd, Number(value), {}};
  }
  Revision VersionOf(const std::string& name) {
    return store_.Find("", name)->version;
  }
};

TEST_F(TransactionStoreTest, EachOperationSeesThoseBeforeIt) {
  TransactionMutation mutation{
      "",
      {Add("a", 1), AssignTo("a", 10), Add("a", 5), Add("b", 1), Add("b", 1)},
      {}};

  ASSERT_OK_AND_ASSIGN(Applied applied, store_.Apply(mutation));

  EXPECT_THAT(ValueOf(store_, "a"), TensorEq(Number(15)));
  EXPECT_THAT(ValueOf(store_, "b"), TensorEq(Number(4)));
  EXPECT_EQ(VersionOf("a"), applied.revision);
  EXPECT_EQ(VersionOf("b"), applied.revision);
}

TEST_F(TransactionStoreTest, ValuesThatReadersHoldStay) {
  const TensorRef held = ValueOf(store_, "a");
  const TensorRef assigned = Number(10);
  TransactionMutation mutation{
      "", {AssignMutation{"", "a", assigned, {}, true}, Add("a", 5)}, {}};

  ASSERT_OK(store_.Apply(mutation));

  EXPECT_THAT(held, TensorEq(Number(1)));
  EXPECT_THAT(assigned, TensorEq(Number(10)));
  EXPECT_THAT(ValueOf(store_, "a"), TensorEq(Number(15)));
}

// Values that are not so small that copying them is cheaper.
class LargeTransactionTest : public TransactionStoreTest {
 protected:
  static constexpr int64_t kRows = 50'000;

  LargeTransactionTest() {
    for (const char* name : {"x", "y"}) {
      Put(store_, name, Of<float>({kRows, 2}, std::vector<float>(2 * kRows)));
    }
  }
  static TensorRef Expected(float first, float last) {
    std::vector<float> values(2 * kRows);
    values[0] = values[1] = first;
    values[2 * kRows - 2] = values[2 * kRows - 1] = last;
    return Of<float>({kRows, 2}, values);
  }
  const std::byte* BytesOf(const std::string& name) {
    return ValueOf(store_, name)->bytes().data();
  }
};

TEST_F(LargeTransactionTest, RowsOfValuesThatNobodyHoldsAreChangedInPlace) {
  const std::byte* x = BytesOf("x");
  const std::byte* y = BytesOf("y");

  ASSERT_OK(store_.Apply(TransactionMutation{
      "",
      {AddToRow("x", 0, 1), AddToRow("y", 0, 2), AddToRow("x", kRows - 1, 3),
       AddToRow("x", 0, 4), AssignTo("a", 7)},
      {}}));

  EXPECT_THAT(ValueOf(store_, "x"), TensorEq(Expected(5, 3)));
  EXPECT_THAT(ValueOf(store_, "y"), TensorEq(Expected(2, 0)));
  EXPECT_THAT(ValueOf(store_, "a"), TensorEq(Number(7)));
  EXPECT_EQ(BytesOf("x"), x);
  EXPECT_EQ(BytesOf("y"), y);
  EXPECT_EQ(VersionOf("x"), VersionOf("a"));
}

TEST_F(LargeTransactionTest, AValueThatSomebodyHoldsStays) {
  const TensorRef held = ValueOf(store_, "x");
  const std::byte* y = BytesOf("y");

  ASSERT_OK(store_.Apply(
      TransactionMutation{"", {AddToRow("x", 0, 1), AddToRow("y", 0, 2)}, {}}));

  EXPECT_THAT(held, TensorEq(Expected(0, 0)));
  EXPECT_THAT(ValueOf(store_, "x"), TensorEq(Expected(1, 0)));
  EXPECT_THAT(ValueOf(store_, "y"), TensorEq(Expected(2, 0)));
  EXPECT_EQ(BytesOf("y"), y);
}

TEST_F(LargeTransactionTest, AnAssignedValueIsChangedAfterwards) {
  ASSERT_OK(store_.Apply(TransactionMutation{
      "",
      {AddToRow("x", 0, 1), AssignMutation{"", "x", Expected(10, 20), {}, true},
       AddToRow("x", 0, 5)},
      {}}));

  EXPECT_THAT(ValueOf(store_, "x"), TensorEq(Expected(15, 20)));
}

TEST_F(LargeTransactionTest, WhatFailsLaterOrIsNotKeptChangesNothing) {
  const TransactionMutation failing{
      "", {AddToRow("x", 0, 1), AddToRow("y", kRows, 2)}, {}};
  EXPECT_THAT(store_.Apply(failing),
              StatusIs(StatusCode::kInvalidArgument,
                       HasSubstr("indices[0] = 50000 is not in [0, 50000)")));

  class Full final : public Journal {
    absl::Status Commit(uint64_t, absl::FunctionRef<void(Revision)>) override {
      return absl::ResourceExhaustedError("full");
    }
  } full;
  const TransactionMutation good{
      "", {AddToRow("x", 0, 1), AddToRow("y", 0, 2)}, {}};
  EXPECT_THAT(store_.Apply(good, {}, &full),
              StatusIs(StatusCode::kResourceExhausted, HasSubstr("full")));

  EXPECT_THAT(ValueOf(store_, "x"), TensorEq(Expected(0, 0)));
  EXPECT_THAT(ValueOf(store_, "y"), TensorEq(Expected(0, 0)));
  ASSERT_OK(store_.Apply(good));
  EXPECT_THAT(ValueOf(store_, "y"), TensorEq(Expected(2, 0)));
}

TEST_F(TransactionStoreTest, AnErrorAnywhereChangesNothing) {
  ASSERT_OK(Declare(store_, SpecOf("empty")));
  const StoreSnapshot before = store_.Snapshot();
  const TransactionMutation failing[] = {
      {"", {Add("a", 1), Add("empty", 1)}, {}},
      {"", {Add("a", 1), Add("missing", 1)}, {}},
      {"",
       {Add("a", 1), AssignMutation{"", "b", Of<float>({2}, {1, 2}), {}, true}},
       {}},
      {"", {Add("a", 1)}, {{"b", 1}}},
      {"", {Add("a", 1)}, {{"missing", 0}}},
  };

  for (const TransactionMutation& mutation : failing) {
    EXPECT_FALSE(store_.Apply(mutation).ok());
    ExpectSameSnapshot(store_.Snapshot(), before);
  }
}

TEST_F(TransactionStoreTest, VersionsAreThoseBeforeIt) {
  UpdateMutation add = Add("a", 1);
  add.expected_version = VersionOf("a");
  TransactionMutation mutation{
      "", {AssignTo("a", 3), add}, {{"b", VersionOf("b")}}};

  EXPECT_OK(store_.Apply(mutation));
  EXPECT_THAT(store_.Apply(mutation),
              StatusIs(StatusCode::kAborted,
                       AllOf(HasSubstr("variable 'a' has version"),
                             HasSubstr("the request expects version"))));
}

TEST_F(TransactionStoreTest, ARepeatedOneIsAppliedOnce) {
  const TransactionMutation mutation{"", {Add("a", 1), Add("b", 1)}, {}};

  ASSERT_OK_AND_ASSIGN(Applied first, store_.Apply(mutation, RequestId{1, 1}));
  ASSERT_OK_AND_ASSIGN(Applied again, store_.Apply(mutation, RequestId{1, 1}));

  EXPECT_TRUE(again.duplicate);
  EXPECT_EQ(again.revision, first.revision);
  EXPECT_THAT(ValueOf(store_, "a"), TensorEq(Number(2)));
}

TEST_F(TransactionStoreTest, ConditionsAloneChangeNothing) {
  const Revision before = store_.usage().revision;

  ASSERT_OK_AND_ASSIGN(Applied applied, store_.Apply(TransactionMutation{
                                            "", {}, {{"a", VersionOf("a")}}}));

  EXPECT_EQ(applied.revision, 0u);
  EXPECT_EQ(store_.usage().revision, before);
}

}  // namespace
}  // namespace varkeep
