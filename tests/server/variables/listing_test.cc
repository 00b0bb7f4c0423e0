// SPDX-License-Identifier: Apache-2.0
#include "tests/server/variables/store_testing.h"

namespace varkeep {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ListTest : public StoreTest {
 protected:
  void DeclareAll(const std::string& container,
                  const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      ASSERT_OK(Declare(store_, SpecOf(name), container));
    }
  }

  // "container:name" of one page.
  std::vector<std::string> Page(const ListQuery& query) {
    std::vector<std::string> names;
    for (const VariableInfo& info : store_.List(query)) {
      names.push_back(info.container + ":" + info.spec.name);
    }
    return names;
  }

  // The same of all pages of `limit` variables.
  std::vector<std::string> Pages(ListQuery query, size_t limit) {
    query.limit = limit;
    std::vector<std::string> names;
    for (;;) {
      const std::vector<VariableInfo> page = store_.List(query);
      for (const VariableInfo& info : page) {
        names.push_back(info.container + ":" + info.spec.name);
      }
      EXPECT_LE(page.size(), limit);
      if (page.size() < limit) return names;
      query.after = page.back();
    }
  }
};

TEST_F(ListTest, GivesAllContainersInOrder) {
  DeclareAll("b", {"y", "x"});
  DeclareAll("", {"z"});
  DeclareAll("a", {"w"});

  EXPECT_THAT(Page({}), ElementsAre(":z", "a:w", "b:x", "b:y"));
}

TEST_F(ListTest, GivesOneContainer) {
  DeclareAll("a", {"w"});
  DeclareAll("", {"z"});

  ListQuery query;
  query.container = "a";
  EXPECT_THAT(Page(query), ElementsAre("a:w"));
  query.container = "";
  EXPECT_THAT(Page(query), ElementsAre(":z"));
  query.container = "none";
  EXPECT_THAT(Page(query), IsEmpty());
}

TEST_F(ListTest, AScopeIsTheVariableOfItsNameAndThoseBelow) {
  DeclareAll("", {"fo", "foo", "foo-bar", "foo.x", "foo/bar", "foo/bar/baz",
                  "foo0", "foo_", "foo_1/v", "g", "a/foo/v"});

  ListQuery query;
  query.scope = "foo";
  EXPECT_THAT(Page(query), ElementsAre(":foo", ":foo/bar", ":foo/bar/baz"));
  query.scope = "foo/bar";
  EXPECT_THAT(Page(query), ElementsAre(":foo/bar", ":foo/bar/baz"));
  query.scope = "foo_1";
  EXPECT_THAT(Page(query), ElementsAre(":foo_1/v"));
  query.scope = "none";
  EXPECT_THAT(Page(query), IsEmpty());
}

TEST_F(ListTest, PagesOfAnySizeGiveEachVariableOnce) {
  DeclareAll("", {"foo", "foo-bar", "foo/a", "foo/b", "foo_"});
  DeclareAll("c", {"foo", "foo.", "foo/b", "foo/c", "x"});
  const std::vector<std::string> all = Page({});
  ASSERT_EQ(all.size(), 10u);
  ListQuery scoped;
  scoped.scope = "foo";
  const std::vector<std::string> in_scope = Page(scoped);
  ASSERT_EQ(in_scope.size(), 6u);
  for (size_t limit = 1; limit <= 11; ++limit) {
    EXPECT_EQ(Pages({}, limit), all) << limit;
    EXPECT_EQ(Pages(scoped, limit), in_scope) << limit;
  }
}

TEST_F(ListTest, APageGoesOnAfterADeletedVariable) {
  DeclareAll("", {"a", "b", "c"});
  ListQuery query;
  query.after = *store_.Find("", "b");
  ASSERT_OK(Delete(store_, "b"));

  EXPECT_THAT(Page(query), ElementsAre(":c"));
}

TEST_F(ListTest, APageGoesOnAfterADroppedContainer) {
  DeclareAll("a", {"v"});
  DeclareAll("b", {"v"});
  DeclareAll("c", {"v"});
  ListQuery query;
  query.after = *store_.Find("b", "v");
  ASSERT_OK(store_.Apply(ResetContainerMutation{"b"}));

  EXPECT_THAT(Page(query), ElementsAre("c:v"));
}

TEST_F(ListTest, CollectionsAreInOrderOfDeclaration) {
  for (const char* name : {"z", "a", "m"}) {
    VariableSpec spec = SpecOf(name);
    spec.collections = {kGlobalVariables};
    ASSERT_OK(Declare(store_, spec));
  }
  ASSERT_OK(Declare(store_, SpecOf("other")));
  ASSERT_OK(Initialize(store_, {"a"}));
  ASSERT_OK(store_.Apply(AddToCollectionMutation{"", "m", {"mine"}}));
  ASSERT_OK(store_.Apply(AddToCollectionMutation{"", "z", {"mine"}}));

  EXPECT_THAT(store_.Collection("", kGlobalVariables),
              ElementsAre("z", "a", "m"));
  EXPECT_THAT(store_.Collection("", "mine"), ElementsAre("z", "m"));
  EXPECT_THAT(store_.Collection("", "none"), IsEmpty());
  EXPECT_THAT(store_.Collection("c", kGlobalVariables), IsEmpty());
}

}  // namespace
}  // namespace varkeep
