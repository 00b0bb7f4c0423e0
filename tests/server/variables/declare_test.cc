// SPDX-License-Identifier: Apache-2.0
#include "tests/server/variables/store_testing.h"

namespace varkeep {
namespace {

using absl::StatusCode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class DeclareTest : public StoreTest {};

TEST_F(DeclareTest, ANewVariableHasItsSpecAndNoValue) {
  VariableSpec spec = RandomSpecOf("foo/v", {2, 3});
  spec.trainable = false;
  spec.collections = {"variables", "mine"};
  spec.constraint = "clip";

  ASSERT_OK_AND_ASSIGN(Applied applied, Declare(store_, spec, "c"));

  EXPECT_TRUE(applied.created);
  EXPECT_EQ(applied.revision, 1u);
  ASSERT_OK_AND_ASSIGN(VariableInfo info, store_.Find("c", "foo/v"));
  VariableInfo expected;
  expected.container = "c";
  expected.spec = spec;
  expected.declared = 1;
  ExpectSameVariable(info, expected);
  EXPECT_EQ(store_.usage().variables, 1);
  EXPECT_EQ(store_.usage().uninitialized, 1);
  EXPECT_EQ(store_.usage().value_bytes, 0);
}

TEST_F(DeclareTest, ASecondDeclarationThatAgreesAttaches) {
  ASSERT_OK(Declare(store_, SpecOf("v", {2})));
  VariableSpec other = RandomSpecOf("v", {2});
  other.collections = {"other"};

  ASSERT_OK_AND_ASSIGN(Applied applied, Declare(store_, other));

  EXPECT_FALSE(applied.created);
  EXPECT_EQ(applied.revision, 0u);
  EXPECT_EQ(store_.usage().revision, 1u);
  // What was declared first stays.
  ASSERT_OK_AND_ASSIGN(VariableInfo info, store_.Find("", "v"));
  EXPECT_THAT(info.spec.collections, ElementsAre());
  EXPECT_EQ(InitializerName(info.spec.initializer), "zeros");
}

TEST_F(DeclareTest, AnotherShapeIsAnErrorThatNamesBoth) {
  ASSERT_OK(Declare(store_, SpecOf("v", {3})));

  EXPECT_THAT(Declare(store_, SpecOf("v", {2})),
              StatusIs(StatusCode::kInvalidArgument,
                       "Trying to share variable v, but specified shape (2,) "
                       "and found shape (3,)."));
}

TEST_F(DeclareTest, AnotherDTypeIsAnErrorThatNamesBoth) {
  ASSERT_OK(Declare(store_, SpecOf("v", {3})));

  EXPECT_THAT(Declare(store_, SpecOf("v", {3}, DType::kInt32)),
              StatusIs(StatusCode::kInvalidArgument,
                       "Trying to share variable v, but specified dtype int32 "
                       "and found dtype float32_ref."));
}

TEST_F(DeclareTest, MustCreateDoesNotAttach) {
  ASSERT_OK(Declare(store_, SpecOf("v")));

  EXPECT_THAT(store_.Apply(DeclareMutation{"", SpecOf("v"), true}),
              StatusIs(StatusCode::kAlreadyExists,
                       HasSubstr("Variable v already exists, disallowed. Did "
                                 "you mean to set reuse=True")));
  EXPECT_OK(store_.Apply(DeclareMutation{"", SpecOf("w"), true}));
}

TEST_F(DeclareTest, ContainersDoNotShareVariables) {
  ASSERT_OK(Declare(store_, SpecOf("v", {2}), "a"));
  ASSERT_OK(Declare(store_, SpecOf("v", {3}, DType::kInt8), "b"));

  EXPECT_EQ(store_.Find("a", "v")->spec.shape, Shape({2}));
  EXPECT_EQ(store_.Find("b", "v")->spec.shape, Shape({3}));
  EXPECT_THAT(store_.Find("", "v"),
              StatusIs(StatusCode::kNotFound,
                       "variable 'v' does not exist in container ''"));
}

TEST_F(DeclareTest, AVariableWithoutElementsIsInitializedAtOnce) {
  ASSERT_OK_AND_ASSIGN(Applied applied, Declare(store_, SpecOf("v", {0, 3})));

  ASSERT_OK_AND_ASSIGN(VersionedValue read, store_.Read("", "v"));
  EXPECT_EQ(read.version, applied.revision);
  EXPECT_EQ(read.value->shape(), Shape({0, 3}));
  EXPECT_TRUE(store_.Find("", "v")->initialized);
  EXPECT_EQ(store_.usage().uninitialized, 0);
}

TEST_F(DeclareTest, CollectionsAreExtendedOnceByEachKey) {
  VariableSpec spec = SpecOf("v");
  spec.collections = {"a"};
  ASSERT_OK(Declare(store_, spec));

  ASSERT_OK_AND_ASSIGN(Applied applied, store_.Apply(AddToCollectionMutation{
                                            "", "v", {"b", "a", "b", "c"}}));
  EXPECT_EQ(applied.revision, 2u);
  ASSERT_OK_AND_ASSIGN(
      applied, store_.Apply(AddToCollectionMutation{"", "v", {"c", "a"}}));
  EXPECT_EQ(applied.revision, 0u);

  EXPECT_THAT(store_.Find("", "v")->spec.collections,
              ElementsAre("a", "b", "c"));
  EXPECT_THAT(store_.Apply(AddToCollectionMutation{"", "w", {"c"}}),
              StatusIs(StatusCode::kNotFound, HasSubstr("'w'")));
}

TEST_F(DeclareTest, AVariableIsInSoManyCollectionsAtMost) {
  ASSERT_OK(Declare(store_, SpecOf("v")));
  std::vector<std::string> keys;
  for (int i = 0; i < 64; ++i) keys.push_back(std::to_string(i));
  ASSERT_OK(store_.Apply(AddToCollectionMutation{"", "v", keys}));

  EXPECT_THAT(store_.Apply(AddToCollectionMutation{"", "v", {"more"}}),
              StatusIs(StatusCode::kInvalidArgument,
                       "variable 'v' would be in 65 collections, the limit is "
                       "64"));
  EXPECT_OK(store_.Apply(AddToCollectionMutation{"", "v", {"1"}}));
  EXPECT_EQ(store_.Find("", "v")->spec.collections, keys);
}

}  // namespace
}  // namespace varkeep
