// SPDX-License-Identifier: Apache-2.0
//
// Rows of SEMANTICS 10 about collections, by number. The filter by scope (rows
// 56 and 71) is the caller's; here is what it filters.
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
using ::testing::IsEmpty;
using With = Program::With;

class CollectionsTest : public ::testing::Test {
 protected:
  std::vector<std::string> In(absl::string_view key) {
    return p_.session().Collection(key);
  }

  FakeDeclarer declarer_;
  Program p_{&declarer_};
};

TEST_F(CollectionsTest, Row56MembersAreInOrderOfCreation) {
  for (const char* scope :
       {"", "testGetCollection_foo_", "testGetCollection_foo"}) {
    With with = p_.VariableScope(scope);
    ASSERT_OK(p_.TryGet("a"));
    VariableArguments b = Program::Arguments("b");
    b.trainable = false;
    ASSERT_OK(p_.TryGet(b));
  }
  EXPECT_THAT(In(kGlobalVariables),
              ElementsAre("a", "b", "testGetCollection_foo_/a",
                          "testGetCollection_foo_/b", "testGetCollection_foo/a",
                          "testGetCollection_foo/b"));
  EXPECT_THAT(
      In(kTrainableVariables),
      ElementsAre("a", "testGetCollection_foo_/a", "testGetCollection_foo/a"));
}

TEST_F(CollectionsTest, Row58LocalVariables) {
  With outer = p_.VariableScope("outer");
  VariableArguments w = Program::Arguments("w");
  w.local = true;
  w.trainable = true;  // ignored
  w.collections = {"foo"};
  ASSERT_OK_AND_ASSIGN(Declared declared, p_.TryGet(w));
  EXPECT_EQ(declared.info.spec.name, "outer/w");
  EXPECT_FALSE(declared.info.spec.trainable);
  EXPECT_THAT(declared.info.spec.collections,
              ElementsAre("foo", kLocalVariables));
  EXPECT_THAT(In(kLocalVariables), ElementsAre("outer/w"));
  EXPECT_THAT(In("foo"), ElementsAre("outer/w"));
  EXPECT_THAT(In(kGlobalVariables), IsEmpty());
  EXPECT_THAT(In(kTrainableVariables), IsEmpty());

  p_.current().reuse = Reuse::kReuse;
  EXPECT_EQ(p_.Get(w), "outer/w:0");

  p_.current().reuse = Reuse::kCreate;
  VariableArguments x = Program::Arguments("x");
  x.local = true;
  ASSERT_OK_AND_ASSIGN(declared, p_.TryGet(x));
  EXPECT_THAT(declared.info.spec.collections, ElementsAre(kLocalVariables));
}

// Rows 59 and S4 to S6.
TEST_F(CollectionsTest, Row59GivenCollectionsReplaceTheDefault) {
  VariableArguments local = Program::Arguments("my_local");
  local.collections = {kLocalVariables};
  ASSERT_OK(p_.TryGet(local));
  EXPECT_THAT(In(kLocalVariables), ElementsAre("my_local"));
  EXPECT_THAT(In(kGlobalVariables), IsEmpty());
  EXPECT_THAT(In(kTrainableVariables), ElementsAre("my_local"));

  ASSERT_OK(p_.session().AddToCollections({"my_collection_name"}, "my_local:0",
                                          Request()));
  EXPECT_THAT(In("my_collection_name"), ElementsAre("my_local"));

  VariableArguments frozen = Program::Arguments("my_non_trainable");
  frozen.trainable = false;
  ASSERT_OK(p_.TryGet(frozen));
  EXPECT_THAT(In(kGlobalVariables), ElementsAre("my_non_trainable"));
  EXPECT_THAT(In(kTrainableVariables), ElementsAre("my_local"));
}

TEST_F(CollectionsTest, Row70EachKeyCountsOnce) {
  VariableArguments args = Program::Arguments("v");
  args.initializer = ZerosInitializer{};
  ASSERT_OK(p_.TryCreate(args));
  args.trainable = false;
  ASSERT_OK(p_.TryCreate(args));
  args.trainable = std::nullopt;
  ASSERT_OK(p_.TryCreate(args));
  args.collections = {kTrainableVariables, kGlobalVariables, kGlobalVariables};
  ASSERT_OK_AND_ASSIGN(Declared v, p_.TryCreate(args));
  EXPECT_THAT(v.info.spec.collections,
              ElementsAre(kTrainableVariables, kGlobalVariables));
  EXPECT_THAT(In(kGlobalVariables), ElementsAre("v", "v_1", "v_2", "v_3"));
  EXPECT_THAT(In(kTrainableVariables), ElementsAre("v", "v_2", "v_3"));
}

TEST_F(CollectionsTest, NoCollectionsAtAll) {
  VariableArguments args = Program::Arguments("v");
  args.collections.emplace();
  args.trainable = false;
  ASSERT_OK_AND_ASSIGN(Declared v, p_.TryGet(args));
  EXPECT_THAT(v.info.spec.collections, IsEmpty());
  EXPECT_THAT(In(kGlobalVariables), IsEmpty());
  EXPECT_THAT(p_.session().Declarations(), ElementsAre("v"));
}

TEST_F(CollectionsTest, Rows72To74ListsMayHoldAVariableTwice) {
  EXPECT_THAT(In("blah"), IsEmpty());
  ASSERT_OK(p_.TryGet("x"));
  ASSERT_OK(p_.session().AddToCollections({"1", "2", "1"}, "x", Request()));
  EXPECT_THAT(In("1"), ElementsAre("x"));
  const std::vector<std::string> snapshot = In("1");
  ASSERT_OK_AND_ASSIGN(VariableInfo info,
                       p_.session().AddToCollections({"1"}, "x", Request()));
  EXPECT_THAT(In("1"), ElementsAre("x", "x"));
  EXPECT_THAT(snapshot, ElementsAre("x"));
  EXPECT_THAT(info.spec.collections,
              ElementsAre(kGlobalVariables, kTrainableVariables, "1", "2"));
}

TEST_F(CollectionsTest, AddingIsChecked) {
  EXPECT_THAT(p_.session().AddToCollections({"a"}, "missing", Request()),
              StatusIs(StatusCode::kNotFound, HasSubstr("")));
  ASSERT_OK(p_.TryGet("x"));
  const std::vector<std::string> many(kMaxCollections + 1, "k");
  std::vector<std::string> different;
  for (size_t i = 0; i + 1 < kMaxCollections; ++i) {
    different.push_back("k" + std::to_string(i));
  }
  for (const std::vector<std::string>& keys :
       {std::vector<std::string>{}, std::vector<std::string>{""},
        std::vector<std::string>{"a\nb"}, many, different}) {
    EXPECT_THAT(
        p_.session().AddToCollections(keys, "x", Request()),
        StatusIs(StatusCode::kInvalidArgument, HasSubstr("collection")));
  }
  declarer_.fail = absl::UnavailableError("draining");
  EXPECT_THAT(p_.session().AddToCollections({"a"}, "x", Request()),
              StatusIs(StatusCode::kUnavailable, "draining"));
  EXPECT_THAT(In("a"), IsEmpty());
}

TEST_F(CollectionsTest, CollectionsOfAVariableAreChecked) {
  VariableArguments args = Program::Arguments("v");
  args.collections = std::vector<std::string>(kMaxCollections + 1, "k");
  EXPECT_THAT(p_.TryGet(args),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("65")));
  args.collections = {std::string(kMaxCollectionKeyBytes + 1, 'k')};
  EXPECT_THAT(p_.TryGet(args), StatusIs(StatusCode::kInvalidArgument,
                                        HasSubstr("collection key")));
  args.collections.emplace();
  for (size_t i = 0; i < kMaxCollections; ++i) {
    args.collections->push_back(std::to_string(i));
  }
  EXPECT_THAT(p_.TryGet(args),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("65")));
  args.trainable = false;
  EXPECT_OK(p_.TryGet(args));
}

TEST_F(CollectionsTest, ARepeatedAddingIsOne) {
  ASSERT_OK(p_.TryGet("x"));
  const RequestId id{.client = 2, .sequence = 3};
  ASSERT_OK(p_.session().AddToCollections({"a"}, "x", id));
  ASSERT_OK(p_.session().AddToCollections({"a"}, "x", id));
  EXPECT_THAT(In("a"), ElementsAre("x"));
}

}  // namespace
}  // namespace varkeep
