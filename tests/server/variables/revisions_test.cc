// SPDX-License-Identifier: Apache-2.0
#include "tests/server/variables/store_testing.h"

namespace varkeep {
namespace {

using absl::StatusCode;
using ::testing::HasSubstr;

class RevisionsTest : public StoreTest {};
class DeleteTest : public StoreTest {};
class ResetContainerTest : public StoreTest {};

TEST_F(RevisionsTest, EveryChangeHasAHigherOne) {
  const TensorRef one = Of<float>({1}, {1});
  VariableInfo restored;
  restored.spec = SpecOf("restored", {1});
  const std::vector<Mutation> changes = {
      DeclareMutation{"", SpecOf("v", {1}), false},
      DeclareMutation{"", SpecOf("empty", {0}), false},
      InitializeMutation{"", {"v"}, false},
      AssignMutation{"", "v", one, {}, true},
      UpdateMutation{"", "v", UpdateOp::kAdd, one, {}},
      AddToCollectionMutation{"", "v", {"k"}},
      RestoreMutation{{{restored, one}}},
      DeleteMutation{"", "v"},
      ResetContainerMutation{""}};
  Revision last = 0;
  for (const Mutation& change : changes) {
    ASSERT_OK_AND_ASSIGN(Applied applied, store_.Apply(change));
    EXPECT_GT(applied.revision, last) << change.index();
    last = applied.revision;
    EXPECT_EQ(store_.usage().revision, last);
  }
}

TEST_F(RevisionsTest, AFailedChangeUsesNone) {
  Put(store_, "v", Of<float>({1}, {1}));
  const Revision before = store_.usage().revision;

  EXPECT_FALSE(Assign(store_, "v", Of<float>({2}, {1, 2})).ok());
  EXPECT_FALSE(Assign(store_, "v", Of<float>({1}, {2}), 77).ok());
  EXPECT_FALSE(Add(store_, "w", Of<float>({1}, {1})).ok());
  EXPECT_FALSE(Delete(store_, "w").ok());

  EXPECT_EQ(store_.usage().revision, before);
}

TEST_F(RevisionsTest, AVersionIsNeverThatOfADeletedNamesake) {
  Put(store_, "v", Of<float>({1}, {1}));
  const Revision old = store_.Find("", "v")->version;
  ASSERT_OK(Delete(store_, "v"));
  Put(store_, "v", Of<float>({1}, {1}));

  EXPECT_GT(store_.Find("", "v")->version, old);
  EXPECT_GT(store_.Find("", "v")->declared, old);
  EXPECT_THAT(Assign(store_, "v", Of<float>({1}, {2}), old),
              StatusIs(StatusCode::kAborted, HasSubstr("expects version 2")));
}

TEST_F(RevisionsTest, AChangeOfCollectionsIsNoChangeOfTheValue) {
  Put(store_, "v", Of<float>({1}, {1}));
  const Revision version = store_.Find("", "v")->version;

  ASSERT_OK(store_.Apply(AddToCollectionMutation{"", "v", {"k"}}));

  EXPECT_EQ(store_.Find("", "v")->version, version);
}

TEST_F(RevisionsTest, AReadTellsWhichRevisionItSees) {
  Put(store_, "a", Of<float>({1}, {1}));
  Put(store_, "b", Of<float>({1}, {2}));
  ASSERT_OK(Declare(store_, SpecOf("c")));

  ASSERT_OK_AND_ASSIGN(Cut cut, store_.ReadCut("", {"b", "a", "b"}));

  EXPECT_EQ(cut.revision, 5u);
  ASSERT_EQ(cut.values.size(), 3u);
  EXPECT_EQ(cut.values[0].name, "b");
  EXPECT_EQ(cut.values[0].version, 4u);
  EXPECT_EQ(cut.values[1].version, 2u);
  EXPECT_THAT(cut.values[1].value, TensorEq(Of<float>({1}, {1})));
  EXPECT_EQ(store_.ReadCut("", {})->revision, 5u);
}

TEST_F(DeleteTest, TheVariableIsGoneAndItsReadersKeepTheValue) {
  Put(store_, "v", Of<float>({1}, {1}));
  TensorRef held = ValueOf(store_, "v");

  ASSERT_OK_AND_ASSIGN(Applied applied, Delete(store_, "v"));

  EXPECT_EQ(applied.count, 1);
  EXPECT_THAT(store_.Read("", "v"),
              StatusIs(StatusCode::kNotFound,
                       "variable 'v' does not exist in container ''"));
  EXPECT_THAT(held, TensorEq(Of<float>({1}, {1})));
  EXPECT_EQ(store_.usage().variables, 0);
  EXPECT_EQ(store_.usage().value_bytes, 0);
}

TEST_F(DeleteTest, AVariableWithoutAValueIsCountedDown) {
  ASSERT_OK(Declare(store_, SpecOf("v")));

  ASSERT_OK(Delete(store_, "v"));

  EXPECT_EQ(store_.usage().uninitialized, 0);
}

TEST_F(DeleteTest, TheNameMayBeDeclaredAnew) {
  Put(store_, "v", Of<float>({1}, {1}));
  ASSERT_OK(Delete(store_, "v"));

  ASSERT_OK_AND_ASSIGN(Applied applied,
                       Declare(store_, SpecOf("v", {2}, DType::kInt8)));

  EXPECT_TRUE(applied.created);
  EXPECT_FALSE(store_.Find("", "v")->initialized);
}

TEST_F(ResetContainerTest, DropsTheVariablesOfOneContainer) {
  Put(store_, "v", Of<float>({1}, {1}), "a");
  Put(store_, "w", Of<float>({1}, {1}), "a");
  Put(store_, "v", Of<float>({1}, {2}), "b");

  ASSERT_OK_AND_ASSIGN(Applied applied,
                       store_.Apply(ResetContainerMutation{"a"}));

  EXPECT_EQ(applied.count, 2);
  EXPECT_THAT(store_.Find("a", "v"),
              StatusIs(StatusCode::kNotFound, HasSubstr("container 'a'")));
  EXPECT_THAT(ValueOf(store_, "v", "b"), TensorEq(Of<float>({1}, {2})));
  EXPECT_EQ(store_.usage().variables, 1);
  EXPECT_EQ(store_.usage().value_bytes, 4);
}

TEST_F(ResetContainerTest, AnUnknownContainerIsNoChange) {
  ASSERT_OK_AND_ASSIGN(Applied applied,
                       store_.Apply(ResetContainerMutation{"a"}));

  EXPECT_EQ(applied.count, 0);
  EXPECT_EQ(applied.revision, 0u);
}

}  // namespace
}  // namespace varkeep
