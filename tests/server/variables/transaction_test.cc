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
