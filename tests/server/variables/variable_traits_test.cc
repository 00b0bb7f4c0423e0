// SPDX-License-Identifier: Apache-2.0
#include "server/variables/variable_traits.h"

#include <gtest/gtest.h>

#include <functional>

#include "tests/server/variables/store_testing.h"

namespace varkeep {
namespace {

TraitsRef Zeros(const std::function<void(VariableTraits*)>& change = {}) {
  VariableTraits traits;
  traits.initializer = ZerosInitializer();
  traits.collections = {"variables", "mine"};
  if (change) change(&traits);
  return std::make_shared<VariableTraits>(std::move(traits));
}

TEST(TraitsTableTest, MakesEqualTraitsOne) {
  TraitsTable table;
  const TraitsRef first = table.Share(Zeros());
  EXPECT_EQ(table.Share(Zeros()), first);
  EXPECT_EQ(table.size(), 1u);
}

TEST(TraitsTableTest, KeepsApartWhatDiffersInAnyField) {
  const std::vector<std::function<void(VariableTraits*)>> changes = {
      [](VariableTraits* t) { t->container = "x"; },
      [](VariableTraits* t) { t->trainable = false; },
      [](VariableTraits* t) {
        t->collections = {"mine", "variables"};
      },
      [](VariableTraits* t) { t->collections = {"variablesmine"}; },
      [](VariableTraits* t) { t->initializer = OnesInitializer(); },
      [](VariableTraits* t) { t->regularizer = "x"; },
      [](VariableTraits* t) { t->caching_device = "x"; },
      [](VariableTraits* t) { t->constraint = "x"; },
      [](VariableTraits* t) { t->creator = "x"; },
  };
  TraitsTable table;
  table.Share(Zeros());
  for (const auto& change : changes) table.Share(Zeros(change));
  EXPECT_EQ(table.size(), changes.size() + 1);
}

TEST(TraitsTableTest, DoesNotLookAtLargeTensors) {
  TraitsTable table;
  const auto large = [](VariableTraits* t) {
    t->initializer =
        ValueInitializer{Of<float>({1000}, std::vector<float>(1000))};
  };
  const TraitsRef first = table.Share(Zeros(large));
  EXPECT_NE(table.Share(Zeros(large)), first);
  EXPECT_EQ(table.size(), 0u);
}

TEST(TraitsTableTest, ForgetsWhatNobodyUses) {
  TraitsTable table;
  const TraitsRef used = table.Share(Zeros());
  for (int i = 0; i < 1000; ++i) {
    table.Share(
        Zeros([i](VariableTraits* t) { t->creator = std::to_string(i); }));
  }
  EXPECT_LE(table.size(), 64u);
  EXPECT_EQ(table.Share(Zeros()), used);
}

}  // namespace
}  // namespace varkeep
