// SPDX-License-Identifier: Apache-2.0
//
// Rows of SEMANTICS 10 about scopes, by number.
#include <gtest/gtest.h>

#include "server/variables/names.h"
#include "tests/server/scopes/program.h"
#include "tests/testing/tensors.h"

namespace varkeep {
namespace {

using absl::StatusCode;
using ::testing::HasSubstr;
using With = Program::With;

class EnterScopeTest : public ::testing::Test {
 protected:
  FakeDeclarer declarer_;
  Program p_{&declarer_};
};

TEST_F(EnterScopeTest, Row12UnderscoreIsNoScopeNameAtTheRoot) {
  VariableScopeArguments args;
  args.name_or_scope = "_";
  EXPECT_THAT(p_.TryEnter(args),
              StatusIs(StatusCode::kInvalidArgument,
                       HasSubstr("'_' is not a valid scope name")));
  With outer = p_.VariableScope("outer");
  With inner = p_.VariableScope("_");
  EXPECT_EQ(p_.Get("v"), "outer/_/v:0");
}

TEST_F(EnterScopeTest, Rows15To17NamesOfNestedAndJumpedScopes) {
  Scope tower4;
  {
    With with = p_.VariableScope("tower4");
    tower4 = with.scope();
    EXPECT_EQ(tower4.variable_scope, "tower4");
    EXPECT_EQ(p_.NameScopeOf("scope"), "tower4/scope/");
  }
  {
    With tower5 = p_.VariableScope("tower5");
    With bar = p_.VariableScope("bar");
    EXPECT_EQ(p_.current().variable_scope, "tower5/bar");
    EXPECT_EQ(p_.NameScopeOf("scope"), "tower5/bar/scope/");
  }
  With tower6 = p_.VariableScope("tower6");
  With shared = p_.VariableScope(tower4, WithReuse(Reuse::kReuse));
  EXPECT_EQ(p_.current().variable_scope, "tower4");
  EXPECT_EQ(p_.NameScopeOf("scope"), "tower6/tower4/scope/");
}

TEST_F(EnterScopeTest, Row18NameScopesAreUniqueOnEveryOpening) {
  With outer = p_.NameScope("testVarScopeNameScope1");
  Scope tower;
  {
    With with = p_.VariableScope("tower");
    tower = with.scope();
    EXPECT_EQ(p_.NameScopeOf("scope2"), "testVarScopeNameScope1/tower/scope2/");
  }
  {
    With with = p_.VariableScope(tower);
    EXPECT_EQ(p_.NameScopeOf("scope2"),
              "testVarScopeNameScope1/tower_1/scope2/");
  }
  With with = p_.VariableScope("tower");
  EXPECT_EQ(p_.NameScopeOf("scope2"), "testVarScopeNameScope1/tower_2/scope2/");
}

TEST_F(EnterScopeTest, Row19TheRootScopeObjectKeepsTheNameScope) {
  const Scope root = p_.current();
  With a = p_.NameScope("A");
  With with = p_.VariableScope(root);
  EXPECT_EQ(p_.NameScopeOf("scope2"), "A/scope2/");
  EXPECT_EQ(p_.current().variable_scope, "");
}

TEST_F(EnterScopeTest, Rows20To22OriginalNameScope) {
  Scope tower;
  {
    With scope1 = p_.NameScope("scope1");
    With with = p_.VariableScope("tower");
    tower = with.scope();
    EXPECT_EQ(tower.original_name_scope, "scope1/tower/");
  }
  {
    With scope2 = p_.NameScope("scope2");
    With with = p_.VariableScope(tower);
    EXPECT_EQ(p_.current().original_name_scope, "scope1/tower/");
    EXPECT_EQ(p_.NameScopeOf("foo"), "scope2/tower/foo/");
  }
  {
    With with = p_.NameScope(tower.original_name_scope);
    EXPECT_EQ(p_.NameScopeOf("bar"), "scope1/tower/bar/");
  }
  With with = p_.NameScope(tower.original_name_scope);
  EXPECT_EQ(p_.NameScopeOf("bar"), "scope1/tower/bar_1/");
}

TEST_F(EnterScopeTest, Rows23And24ReuseOfAReenteredObject) {
  for (Reuse outside : {Reuse::kCreate, Reuse::kReuse}) {
    for (Reuse given : {Reuse::kCreate, Reuse::kReuse}) {
      Scope jump;
      {
        With with = p_.VariableScope("jump", WithReuse(outside));
        jump = with.scope();
      }
      With with = p_.VariableScope(jump, WithReuse(given));
      EXPECT_EQ(p_.current().reuse == Reuse::kReuse,
                outside == Reuse::kReuse || given == Reuse::kReuse);
    }
  }
}

// SEMANTICS 2.5.
TEST_F(EnterScopeTest, TheInnerReuseWinsAndNoneInherits) {
  With reuse = p_.VariableScope("a", WithReuse(Reuse::kReuse));
  With inherits = p_.VariableScope("b");
  EXPECT_EQ(p_.current().reuse, Reuse::kReuse);
  With automatic = p_.VariableScope("c", WithReuse(Reuse::kAuto));
  EXPECT_EQ(p_.current().reuse, Reuse::kAuto);
  With again = p_.VariableScope("d", WithReuse(Reuse::kReuse));
  EXPECT_EQ(p_.current().reuse, Reuse::kReuse);
  // An object brings its own; that of the current scope does not count.
  With jump = p_.VariableScope(Scope{});
  EXPECT_EQ(p_.current().reuse, Reuse::kCreate);
}

TEST_F(EnterScopeTest, Row26ANameIsPreferredToADefault) {
  With n1 = p_.NameScope("n1");
  {
    VariableScopeArguments args;
    args.default_name = "default";
    With tower = p_.VariableScope("tower", args);
    EXPECT_EQ(p_.Get("w"), "tower/w:0");
    EXPECT_EQ(p_.NameScopeOf("scope2"), "n1/tower/scope2/");
  }
  With tower = p_.VariableScope("tower");
  EXPECT_EQ(p_.Get("w"), ExistsText("tower/w"));
  EXPECT_EQ(p_.NameScopeOf("scope2"), "n1/tower_1/scope2/");
}

TEST_F(EnterScopeTest, Row27DefaultNamesAreNumbered) {
  const auto next = [&] {
    With with = p_.DefaultScope("default");
    return p_.Get("w");
  };
  EXPECT_EQ(next(), "default/w:0");
  EXPECT_EQ(next(), "default_1/w:0");
}

TEST_F(EnterScopeTest, Row28DefaultNamesThatBeginAlike) {
  const auto layer = [&](const std::string& name) {
    With outer = p_.DefaultScope(name);
    With inner = p_.DefaultScope("layer");
    return p_.Get("w");
  };
  EXPECT_EQ(layer("defaultScope1"), "defaultScope1/layer/w:0");
  EXPECT_EQ(layer("defaultScope1"), "defaultScope1_1/layer/w:0");
  EXPECT_EQ(layer("defaultScope"), "defaultScope/layer/w:0");
  EXPECT_EQ(layer("defaultScope1"), "defaultScope1_2/layer/w:0");
}

TEST_F(EnterScopeTest, Row29AJumpDoesNotDisturbTheNumbers) {
  With with = p_.VariableScope("default");
  const Scope object = with.scope();
  const auto layer = [&] {
    With inner = p_.DefaultScope("layer");
    return p_.Get("w");
  };
  EXPECT_EQ(layer(), "default/layer/w:0");
  EXPECT_EQ(layer(), "default/layer_1/w:0");
  {
    With jump = p_.VariableScope(object);
    With inside = p_.DefaultScope("layer");
    EXPECT_EQ(p_.current().variable_scope, "default/layer_2");
  }
  EXPECT_EQ(layer(), "default/layer_2/w:0");
}

TEST_F(EnterScopeTest, CountsComeBackWhenNestedJumpsAreLeft) {
  With a = p_.VariableScope("a");
  const Scope object = a.scope();
  {
    With first = p_.VariableScope(object);
    { With x = p_.DefaultScope("x"); }
    {
      With second = p_.VariableScope(object);
      With x = p_.DefaultScope("x");
      EXPECT_EQ(p_.current().variable_scope, "a/x_1");
    }
    With x = p_.DefaultScope("x");
    EXPECT_EQ(p_.current().variable_scope, "a/x_1");
  }
  With x = p_.DefaultScope("x");
  EXPECT_EQ(p_.current().variable_scope, "a/x");
}

TEST_F(EnterScopeTest, LeavingANamedScopeForgetsTheNumbersInside) {
  for (int i = 0; i < 2; ++i) {
    With a = p_.VariableScope("a", WithReuse(Reuse::kAuto));
    With x = p_.DefaultScope("x");
    EXPECT_EQ(p_.Get("w"), "a/x/w:0");
  }
  // Of a scope whose name only begins alike, they stay.
  { With b = p_.VariableScope("a-b"); }
  { With a = p_.VariableScope("a"); }
  With b = p_.DefaultScope("a-b");
  EXPECT_EQ(p_.current().variable_scope, "a-b_1");
}

TEST_F(EnterScopeTest, Row30ReuseThroughAnObject) {
  Scope outer;
  const auto tower = [&](const std::string& name_scope) {
    With with = p_.VariableScope("tower");
    EXPECT_EQ(p_.NameScopeOf("scope2"), name_scope);
    return p_.Get("w");
  };
  const auto by_default = [&](const std::string& name_scope) {
    With with = p_.DefaultScope("default");
    EXPECT_EQ(p_.NameScopeOf("scope2"), name_scope);
    return p_.Get("w");
  };
  {
    With with = p_.VariableScope("outer");
    outer = with.scope();
    EXPECT_EQ(tower("outer/tower/scope2/"), "outer/tower/w:0");
    EXPECT_EQ(by_default("outer/default/scope2/"), "outer/default/w:0");
  }
  With with = p_.VariableScope(outer, WithReuse(Reuse::kReuse));
  EXPECT_EQ(tower("outer_1/tower/scope2/"), "outer/tower/w:0");
  EXPECT_EQ(by_default("outer_1/default/scope2/"), "outer/default/w:0");
  EXPECT_EQ(declarer_.size(), 2u);
}

TEST_F(EnterScopeTest, Row37AnObjectAfterItsScope) {
  Scope outer;
  {
    With with = p_.VariableScope("outer");
    outer = with.scope();
  }
  With with = p_.VariableScope(outer);
  EXPECT_EQ(p_.Get("w"), "outer/w:0");
  EXPECT_EQ(p_.NameScopeOf("scope2"), "outer_1/scope2/");
  With by_default = p_.DefaultScope("default");
  EXPECT_EQ(p_.Get("w"), "outer/default/w:0");
  EXPECT_EQ(p_.NameScopeOf("scope2"), "outer_1/default/scope2/");
}

TEST_F(EnterScopeTest, Row38AnObjectInsideItsScope) {
  With outer = p_.VariableScope("outer");
  With with = p_.VariableScope(outer.scope());
  EXPECT_EQ(p_.Get("w"), "outer/w:0");
  EXPECT_EQ(p_.NameScopeOf("scope2"), "outer/outer/scope2/");
}

TEST_F(EnterScopeTest, Row39ADefaultNameCannotBeReused) {
  for (Reuse reuse : {Reuse::kReuse, Reuse::kAuto}) {
    VariableScopeArguments args = WithReuse(reuse);
    args.default_name = "default";
    EXPECT_THAT(p_.TryEnter(args),
                StatusIs(StatusCode::kInvalidArgument,
                         "reuse=True cannot be used without a name_or_scope"));
  }
  EXPECT_THAT(p_.TryEnter({}),
              StatusIs(StatusCode::kInvalidArgument,
                       "If default_name is None then name_or_scope is "
                       "required"));
}

TEST_F(EnterScopeTest, Rows40And41WithoutAnAuxiliaryNameScope) {
  VariableScopeArguments args;
  args.auxiliary_name_scope = false;
  {
    With scope = p_.VariableScope("scope", args);
    EXPECT_EQ(p_.Get("w"), "scope/w:0");
    EXPECT_EQ(p_.Create("c"), "c:0");
    EXPECT_EQ(p_.current().original_name_scope, "");
  }
  With outer = p_.VariableScope("outer");
  With inner = p_.VariableScope("inner", args);
  EXPECT_EQ(p_.current().original_name_scope, "outer/");
  EXPECT_EQ(p_.Get("w"), "outer/inner/w:0");
  EXPECT_EQ(p_.Create("c1"), "outer/c1:0");
  // Not inherited.
  With next = p_.VariableScope("next");
  EXPECT_EQ(p_.current().name_scope, "outer/next");
}

TEST_F(EnterScopeTest, Row43ScopesAreLeftInnermostFirst) {
  With outer = p_.VariableScope("outer");
  With inner = p_.VariableScope("inner");
  EXPECT_THAT(p_.session().ExitScope(outer.scope()),
              StatusIs(StatusCode::kFailedPrecondition,
                       "Improper nesting of variable_scope."));
  EXPECT_OK(p_.session().ExitScope(inner.scope()));
  EXPECT_OK(p_.session().ExitScope(outer.scope()));
}

TEST_F(EnterScopeTest, LeavingTwiceIsHarmless) {
  With outer = p_.VariableScope("outer");
  With inner = p_.VariableScope("inner");
  EXPECT_OK(p_.session().ExitScope(inner.scope()));
  EXPECT_OK(p_.session().ExitScope(inner.scope()));
  EXPECT_OK(p_.session().ExitScope(outer.scope()));
}

TEST_F(EnterScopeTest, WhatWasNeverOpenedCannotBeLeft) {
  Scope scope;
  EXPECT_THAT(p_.session().ExitScope(scope),
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr("nesting")));
  scope.opening = 7;
  EXPECT_THAT(p_.session().ExitScope(scope),
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr("nesting")));
  With with = p_.VariableScope("a");
  scope = with.scope();
  scope.stack = 9;
  EXPECT_THAT(p_.session().ExitScope(scope),
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr("nesting")));
}

// A reply that was lost leaves an opening behind that nobody knows.
TEST_F(EnterScopeTest, EnteringLeavesWhatWasForgottenInside) {
  With outer = p_.VariableScope("outer");
  VariableScopeArguments args;
  args.name_or_scope = "lost";
  ASSERT_OK_AND_ASSIGN(Scope lost, p_.TryEnter(args));
  { With next = p_.VariableScope("next"); }
  EXPECT_OK(p_.session().ExitScope(lost));
  EXPECT_OK(outer.Exit());
}

TEST_F(EnterScopeTest, ScopesNeedNotBeLeft) {
  VariableScopeArguments args;
  args.default_name = "layer";
  for (size_t i = 0; i < ScopeStacks::kMaxDepth + 10; ++i) {
    args.name_or_scope = "a";
    ASSERT_OK(p_.session().EnterVariableScope(Scope{}, args));
  }
}

// SEMANTICS 2.6.
TEST_F(EnterScopeTest, PropertiesAreInheritedByNameAndByObject) {
  VariableScopeArguments args;
  args.initializer = OnesInitializer{};
  args.dtype = DType::kFloat64;
  args.regularizer = "l2";
  args.caching_device = "/cpu:0";
  args.constraint = "positive";
  With a = p_.VariableScope("a", args);
  EXPECT_EQ(a.scope().constraint, "positive");
  const Scope object = a.scope();
  for (bool by_object : {false, true}) {
    With b = by_object ? p_.VariableScope(object) : p_.VariableScope("b");
    EXPECT_TRUE(std::holds_alternative<OnesInitializer>(b.scope().initializer));
    EXPECT_EQ(b.scope().dtype, DType::kFloat64);
    EXPECT_EQ(b.scope().regularizer, "l2");
    EXPECT_EQ(b.scope().caching_device, "/cpu:0");
    EXPECT_EQ(b.scope().constraint, "") << "a constraint is not inherited";
  }
  VariableScopeArguments overridden;
  overridden.caching_device = "";
  overridden.dtype = DType::kInt32;
  With c = p_.VariableScope("c", overridden);
  EXPECT_EQ(c.scope().caching_device, "");
  EXPECT_EQ(c.scope().dtype, DType::kInt32);
  EXPECT_EQ(c.scope().regularizer, "l2");
}

TEST_F(EnterScopeTest, Row68AnotherThreadBeginsAtTheRoot) {
  With main = p_.VariableScope("main");
  Program thread(&p_.session(), /*stack=*/1);
  {
    With with = thread.VariableScope(main.scope());
    With foo = thread.VariableScope("foo");
    EXPECT_EQ(thread.Get("v"), "main/foo/v:0");
    EXPECT_EQ(thread.current().stack, 1u);
  }
  With bar = thread.VariableScope("bar");
  EXPECT_EQ(thread.Get("v"), "bar/v:0");
}

TEST_F(EnterScopeTest, StacksCountDefaultNamesApart) {
  Program thread(&p_.session(), /*stack=*/1);
  With a = p_.DefaultScope("layer");
  With b = thread.DefaultScope("layer");
  EXPECT_EQ(b.scope().variable_scope, "layer");
  EXPECT_EQ(b.scope().name_scope, "layer_1");
}

// SEMANTICS 1.5: the two numbers are independent.
TEST_F(EnterScopeTest, DefaultNameAndNameScopeMayDiffer) {
  EXPECT_EQ(p_.Get("d"), "d:0");
  With d = p_.DefaultScope("d");
  EXPECT_EQ(d.scope().variable_scope, "d");
  EXPECT_EQ(d.scope().name_scope, "d_1");
}

TEST_F(EnterScopeTest, TheEmptyNameScopeIsTheRoot) {
  With a = p_.VariableScope("a");
  With root = p_.NameScope("");
  EXPECT_EQ(p_.Create("x"), "x:0");
  EXPECT_EQ(p_.Get("y"), "a/y:0");
}

TEST_F(EnterScopeTest, HostileScopesAreRefused) {
  const std::string long_name(kMaxNameBytes + 1, 'x');
  std::vector<Scope> scopes(7);
  scopes[0].variable_scope = long_name;
  scopes[1].name_scope = long_name;
  scopes[2].name_scope = "a b";
  scopes[3].original_name_scope = long_name + "x";
  scopes[4].regularizer = "a\nb";
  scopes[5].caching_device = long_name;
  scopes[6].constraint = std::string("\0", 1);
  VariableScopeArguments args;
  args.name_or_scope = "a";
  for (const Scope& scope : scopes) {
    const auto refused = StatusIs(StatusCode::kInvalidArgument, HasSubstr(""));
    EXPECT_THAT(p_.session().EnterVariableScope(scope, args), refused);
    EXPECT_THAT(p_.session().EnterNameScope(scope, "a"), refused);
    EXPECT_THAT(
        p_.session().GetVariable(scope, Program::Arguments("v"), Request()),
        refused);
    VariableScopeArguments object;
    object.name_or_scope = scope;
    EXPECT_THAT(p_.TryEnter(object), refused);
  }
  EXPECT_EQ(declarer_.size(), 0u);
}

TEST_F(EnterScopeTest, NamesGrowToTheirLimitOnly) {
  Scope scope;
  VariableScopeArguments args;
  args.name_or_scope = std::string(500, 'x');
  ASSERT_OK_AND_ASSIGN(scope, p_.session().EnterVariableScope(scope, args));
  ASSERT_OK_AND_ASSIGN(scope, p_.session().EnterVariableScope(scope, args));
  EXPECT_THAT(p_.session().EnterVariableScope(scope, args),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("1502 bytes")));
  args.auxiliary_name_scope = false;
  EXPECT_THAT(p_.session().EnterVariableScope(scope, args),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("1502 bytes")));
}

TEST_F(EnterScopeTest, OpenScopesHaveALimit) {
  Scope scope;
  VariableScopeArguments args;
  args.name_or_scope = Scope{};
  for (size_t i = 0; i < ScopeStacks::kMaxDepth; ++i) {
    ASSERT_OK_AND_ASSIGN(scope, p_.session().EnterVariableScope(scope, args));
  }
  EXPECT_THAT(
      p_.session().EnterVariableScope(scope, args),
      StatusIs(StatusCode::kResourceExhausted, HasSubstr("10000 open scopes")));
  scope.stack = 1;
  EXPECT_OK(p_.session().EnterVariableScope(scope, args));
}

}  // namespace
}  // namespace varkeep
