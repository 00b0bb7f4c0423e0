// SPDX-License-Identifier: Apache-2.0
#include "server/scopes/name_table.h"

#include <gtest/gtest.h>

#include "server/variables/names.h"
#include "tests/testing/status_matchers.h"

namespace varkeep {
namespace {

using absl::StatusCode;
using ::testing::HasSubstr;
using InitialValue = NameTable::InitialValue;

std::string Open(NameTable& table, absl::string_view current,
                 absl::string_view name) {
  absl::StatusOr<std::string> scope = table.OpenScope(current, name);
  return scope.ok() ? *scope : scope.status().ToString();
}

// Rows 4 to 6.
TEST(NameTableTest, RepeatedNamesAreNumbered) {
  NameTable table;
  EXPECT_EQ(table.Unique("foo"), "foo");
  EXPECT_EQ(table.Unique("foo"), "foo_1");
  EXPECT_EQ(table.Unique("foo"), "foo_2");
  EXPECT_EQ(table.Unique("foo_1"), "foo_1_1");
  EXPECT_EQ(table.Unique("foo_1"), "foo_1_2");
  EXPECT_EQ(table.Unique("foo_1_2"), "foo_1_2_1");

  const std::string bar = Open(table, "", "bar");
  EXPECT_EQ(table.Unique(JoinName(bar, "foo")), "bar/foo");
  EXPECT_EQ(table.Unique(JoinName(bar, "foo")), "bar/foo_1");
  const std::string root = Open(table, bar, "");
  EXPECT_EQ(root, "");
  EXPECT_EQ(table.Unique(JoinName(root, "foo")), "foo_3");
}

// Row 7.
TEST(NameTableTest, NameScopesAreUniqueToo) {
  NameTable table;
  const std::string bar = Open(table, "", "bar");
  EXPECT_EQ(table.Unique(JoinName(Open(table, bar, "baz"), "foo")),
            "bar/baz/foo");
  EXPECT_EQ(table.Unique(JoinName(Open(table, bar, "baz"), "foo")),
            "bar/baz_1/foo");
  const std::string again = Open(table, "", "bar");
  EXPECT_EQ(table.Unique(JoinName(Open(table, again, "baz"), "foo")),
            "bar_1/baz/foo");
}

// Row 8.
TEST(NameTableTest, NumbersThatAreTakenAreLeftOut) {
  NameTable table;
  EXPECT_EQ(table.Unique("foo_2"), "foo_2");
  EXPECT_EQ(table.Unique("foo"), "foo");
  EXPECT_EQ(table.Unique("foo"), "foo_1");
  EXPECT_EQ(table.Unique("foo"), "foo_3");
  EXPECT_EQ(table.Unique("foo"), "foo_4");
}

// Row 9, and SEMANTICS 1.3: weights, weights_1, weights_2, Weights_3.
TEST(NameTableTest, CaseDoesNotCountAndIsKept) {
  NameTable table;
  EXPECT_EQ(table.Unique("foo"), "foo");
  EXPECT_EQ(table.Unique("Foo"), "Foo_1");
  const std::string bar = Open(table, "", "bar");
  EXPECT_EQ(table.Unique(JoinName(bar, "foo")), "bar/foo");
  const std::string upper = Open(table, "", "Bar");
  EXPECT_EQ(table.Unique(JoinName(upper, "foo")), "Bar_1/foo");

  for (int i = 0; i < 3; ++i) table.Unique("weights");
  EXPECT_EQ(table.Unique("Weights"), "Weights_3");
}

// Row 10.
TEST(NameTableTest, InvalidScopeNamesUseNothingUp) {
  NameTable table;
  EXPECT_THAT(table.OpenScope("", "foo:0"),
              StatusIs(StatusCode::kInvalidArgument,
                       "'foo:0' is not a valid scope name"));
  EXPECT_THAT(table.OpenScope("", "_bar"),
              StatusIs(StatusCode::kInvalidArgument,
                       "'_bar' is not a valid scope name"));
  EXPECT_THAT(table.OpenScope("a", std::string(kMaxNameBytes - 1, 'x')),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("1025 bytes")));
  EXPECT_EQ(table.Peek("a/" + std::string(kMaxNameBytes - 1, 'x')).size(),
            kMaxNameBytes + 1);
  EXPECT_EQ(Open(table, "", "foo/"), "foo");
  EXPECT_EQ(Open(table, "foo", "_bar"), "foo/_bar");
  EXPECT_EQ(Open(table, "foo", ""), "");
}

// Row 11's rule, for scopes.
TEST(NameTableTest, ATrailingSlashTakesTheNameLiterally) {
  NameTable table;
  EXPECT_EQ(Open(table, "", "foo"), "foo");
  EXPECT_EQ(Open(table, "bar", "foo/"), "foo");
  EXPECT_EQ(Open(table, "bar", "foo/"), "foo");
  EXPECT_EQ(Open(table, "bar", "/"), "");
  EXPECT_EQ(Open(table, "", "foo"), "foo_1");
}

TEST(NameTableTest, PeekUsesNothingUp) {
  NameTable table;
  EXPECT_EQ(table.Peek("foo"), "foo");
  EXPECT_EQ(table.Unique("foo"), "foo");
  EXPECT_EQ(table.Peek("FOO"), "FOO_1");
  EXPECT_EQ(table.Peek("FOO"), "FOO_1");
  EXPECT_EQ(table.Unique("foo"), "foo_1");
}

TEST(NameTableTest, UseTakesANameOnce) {
  NameTable table;
  table.Use("foo");
  table.Use("foo");
  EXPECT_EQ(table.Unique("foo"), "foo_1");
}

// SEMANTICS 12.2: the ops a variable is made of have names too.
TEST(NameTableTest, PartsOfVariablesAreUsed) {
  NameTable table;
  table.MarkVariable(table.Unique("V"), InitialValue::kScope);
  table.MarkVariable(table.Unique("w"), InitialValue::kOp);
  table.MarkVariable(table.Unique("x"), InitialValue::kElsewhere);

  EXPECT_EQ(table.Unique("v/read"), "v/read_1");
  EXPECT_EQ(table.Unique("v/read"), "v/read_2");
  EXPECT_EQ(table.Unique("v/Assign"), "v/Assign_1");
  EXPECT_EQ(table.Unique("v/Initializer"), "v/Initializer_1");
  EXPECT_EQ(table.Unique("v/initial_value"), "v/initial_value");
  EXPECT_EQ(table.Unique("w/initial_value"), "w/initial_value_1");
  EXPECT_EQ(table.Unique("w/Initializer"), "w/Initializer");
  EXPECT_EQ(table.Unique("x/initial_value"), "x/initial_value");
  EXPECT_EQ(table.Unique("x/other"), "x/other");
}

TEST(NameTableTest, PartsOfVariablesGetNamesOfTheirOwn) {
  NameTable table;
  table.Unique("v/read");
  table.MarkVariable(table.Unique("v"), InitialValue::kScope);
  EXPECT_EQ(table.Unique("v/read_1"), "v/read_1_1");
  EXPECT_EQ(table.Unique("v/read"), "v/read_2");
}

}  // namespace
}  // namespace varkeep
