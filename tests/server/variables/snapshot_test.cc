// SPDX-License-Identifier: Apache-2.0
#include "tests/server/variables/store_testing.h"

namespace varkeep {
namespace {

using absl::StatusCode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SnapshotTest : public StoreTest {
 protected:
  // Something of everything.
  void Fill() {
    VariableSpec spec = RandomSpecOf("drawn", {3});
    spec.collections = {"a", "b"};
    spec.creator = "me";
    ASSERT_OK(Declare(store_, spec));
    ASSERT_OK(Initialize(store_, {"drawn"}));
    ASSERT_OK(Declare(store_, SpecOf("raw", {2})));
    ASSERT_OK(Declare(store_, SpecOf("empty", {0})));
    Put(store_, "drawn", Of<int8_t>({}, {3}), "c/d");
    ASSERT_OK(store_.Apply(AddToCollectionMutation{"", "raw", {"k"}},
                           RequestId{5, 6}));
  }
};

class RestoreMutationTest : public StoreTest {
 protected:
  static RestoreMutation::Item Item(const std::string& name, TensorRef value,
                                    const std::string& container = "") {
    VariableInfo info;
    info.container = container;
    info.spec = SpecOf(name, value->shape(), value->dtype());
    return {info, std::move(value)};
  }
};

TEST_F(SnapshotTest, LoadsIntoAnEmptyStore) {
  Fill();
  const StoreSnapshot snapshot = store_.Snapshot();
  VariableStore other({}, &pool_);

  ASSERT_OK(other.Load(snapshot));

  ExpectSameSnapshot(other.Snapshot(), snapshot);
  EXPECT_EQ(other.usage().revision, store_.usage().revision);
  EXPECT_EQ(other.usage().variables, store_.usage().variables);
  EXPECT_EQ(other.usage().uninitialized, store_.usage().uninitialized);
  EXPECT_EQ(other.usage().value_bytes, store_.usage().value_bytes);
}

TEST_F(SnapshotTest, ALoadedStoreGoesOnWhereTheOtherWas) {
  Fill();
  VariableStore other({}, &pool_);
  ASSERT_OK(other.Load(store_.Snapshot()));

  for (VariableStore* store : {&store_, &other}) {
    ASSERT_OK(Initialize(*store, {"drawn", "raw"}, true));
    ASSERT_OK(store->Apply(AddToCollectionMutation{"", "raw", {"x"}},
                           RequestId{5, 6}));
    ASSERT_OK(Add(*store, "drawn", Of<float>({3}, {1, 2, 3})));
  }

  ExpectSameSnapshot(other.Snapshot(), store_.Snapshot());
}

TEST_F(SnapshotTest, LoadsIntoAnEmptyStoreOnly) {
  Fill();
  EXPECT_THAT(store_.Load({}), StatusIs(StatusCode::kFailedPrecondition,
                                        HasSubstr("empty store")));
}

TEST_F(SnapshotTest, IsByContainerThenName) {
  Fill();
  std::vector<std::string> names;
  for (const auto& variable : store_.Snapshot().variables) {
    names.push_back(variable.info.container + ":" + variable.info.spec.name);
  }
  EXPECT_THAT(names, ElementsAre(":drawn", ":empty", ":raw", "c/d:drawn"));
}

TEST_F(SnapshotTest, LaterChangesAreNotInIt) {
  Fill();
  const StoreSnapshot snapshot = store_.Snapshot();
  ASSERT_OK_AND_ASSIGN(TensorRef drawn,
                       Updated(UpdateOp::kAdd, *snapshot.variables[0].value,
                               *Of<float>({3}, {0, 0, 0})));

  ASSERT_OK(Add(store_, "drawn", Of<float>({3}, {1, 1, 1})));
  ASSERT_OK(Delete(store_, "raw"));

  EXPECT_EQ(snapshot.variables.size(), 4u);
  EXPECT_THAT(snapshot.variables[0].value, TensorEq(drawn));
}

TEST_F(RestoreMutationTest, DeclaresWhatIsMissingAndReplacesWhatIsThere) {
  Put(store_, "old", Of<float>({1}, {1}));

  ASSERT_OK_AND_ASSIGN(
      Applied applied,
      store_.Apply(RestoreMutation{{Item("old", Of<float>({1}, {5})),
                                    Item("new", Of<float>({1}, {6}), "c")}}));

  EXPECT_EQ(applied.revision, 4u) << "one declaration, then all values";
  EXPECT_THAT(applied.names, ElementsAre("old", "new"));
  EXPECT_THAT(ValueOf(store_, "old"), TensorEq(Of<float>({1}, {5})));
  EXPECT_THAT(ValueOf(store_, "new", "c"), TensorEq(Of<float>({1}, {6})));
  EXPECT_EQ(store_.Find("", "old")->declared, 1u);
  EXPECT_EQ(store_.Find("c", "new")->declared, 3u);
  EXPECT_EQ(store_.Find("", "old")->version, 4u);
  EXPECT_EQ(store_.Find("c", "new")->version, 4u);
}

TEST_F(RestoreMutationTest, CollectionsKeepTheOrderOfTheFirstDeclarations) {
  RestoreMutation restore = {{Item("a", Of<float>({1}, {1})),
                              Item("b", Of<float>({1}, {2})),
                              Item("c", Of<float>({1}, {3}))}};
  restore.items[0].info.declared = 7;
  restore.items[1].info.declared = 9;
  restore.items[2].info.declared = 2;
  for (auto& item : restore.items) item.info.spec.collections = {"variables"};

  ASSERT_OK(store_.Apply(restore));

  EXPECT_THAT(store_.Collection("", "variables"), ElementsAre("c", "a", "b"));
}

TEST_F(RestoreMutationTest, WithoutAValueLeavesTheOldOne) {
  Put(store_, "v", Of<float>({1}, {1}));
  RestoreMutation restore = {
      {Item("v", Of<float>({1}, {0})), Item("w", Of<float>({1}, {0}))}};
  for (RestoreMutation::Item& item : restore.items) item.value = nullptr;

  ASSERT_OK(store_.Apply(restore));

  EXPECT_THAT(ValueOf(store_, "v"), TensorEq(Of<float>({1}, {1})));
  EXPECT_EQ(store_.Find("", "v")->version, 2u);
  EXPECT_FALSE(store_.Find("", "w")->initialized);
}

TEST_F(RestoreMutationTest, AMismatchLeavesEverythingAsItWas) {
  Put(store_, "a", Of<float>({1}, {1}));
  Put(store_, "b", Of<float>({2}, {1, 2}));
  const StoreSnapshot before = store_.Snapshot();
  const RestoreMutation shape = {{Item("a", Of<float>({1}, {9})),
                                  Item("new", Of<float>({1}, {9})),
                                  Item("b", Of<float>({3}, {7, 8, 9}))}};
  const RestoreMutation dtype = {
      {Item("a", Of<float>({1}, {9})), Item("b", Of<int32_t>({2}, {7, 8}))}};

  const auto shape_error = StatusIs(
      StatusCode::kInvalidArgument,
      HasSubstr("Assign requires shapes of both tensors to match. lhs shape= "
                "[2] rhs shape= [3]"));
  const auto dtype_error =
      StatusIs(StatusCode::kInvalidArgument,
               HasSubstr("tensor_name = b; expected dtype float32 does not "
                         "equal original dtype int32"));
  EXPECT_THAT(store_.CheckRestorable(shape), shape_error);
  EXPECT_THAT(store_.Apply(shape), shape_error);
  EXPECT_THAT(store_.CheckRestorable(dtype), dtype_error);
  EXPECT_THAT(store_.Apply(dtype), dtype_error);

  ExpectSameSnapshot(store_.Snapshot(), before);
}

TEST_F(RestoreMutationTest, LaterRunsDrawAnewWhicheverRanMoreOften) {
  ASSERT_OK(Declare(store_, RandomSpecOf("v", {1})));
  for (int i = 0; i < 3; ++i) ASSERT_OK(Initialize(store_, {"v"}, true));
  RestoreMutation restore = {{Item("v", Of<float>({1}, {0}))}};

  restore.items[0].info.run = 2;
  ASSERT_OK(store_.Apply(restore));
  EXPECT_EQ(store_.Find("", "v")->run, 3u);
  restore.items[0].info.run = 9;
  ASSERT_OK(store_.Apply(restore));
  EXPECT_EQ(store_.Find("", "v")->run, 9u);
}

TEST_F(RestoreMutationTest, OfNothingIsNoChange) {
  ASSERT_OK_AND_ASSIGN(Applied applied, store_.Apply(RestoreMutation{}));
  EXPECT_EQ(applied.revision, 0u);
}

}  // namespace
}  // namespace varkeep
