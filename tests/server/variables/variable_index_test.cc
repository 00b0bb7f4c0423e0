// SPDX-License-Identifier: Apache-2.0
#include "server/variables/variable_index.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "tests/server/variables/store_testing.h"

namespace varkeep {
namespace {

VariablePtr Record(const std::string& name) {
  VariableInfo info;
  info.spec = SpecOf(name);
  return std::make_shared<VariableRecord>(std::move(info));
}

// Against a map, with names short and long, some declared and deleted again and
// again.
TEST(VariableIndexTest, DoesWhatAMapDoes) {
  std::mt19937 random(1);
  VariableIndex index;
  std::map<std::string, VariablePtr> map;
  for (int i = 0; i < 20'000; ++i) {
    const std::string name = "scope" + std::to_string(random() % 50) +
                             std::string(random() % 2 * 20, '/') +
                             std::to_string(random() % 40);
    const auto known = map.find(name);
    EXPECT_EQ(index.Find(name), known == map.end() ? nullptr : known->second);
    if (known != map.end()) {
      index.Erase(name);
      map.erase(known);
    } else {
      index.Insert(map[name] = Record(name));
    }
    ASSERT_EQ(index.size(), map.size());
  }
  auto expected = map.begin();
  for (const VariableRecord* variable : index.ordered()) {
    ASSERT_EQ(variable, (expected++)->second.get());
  }
  EXPECT_EQ(index.ordered().lower_bound("scope3"),
            index.ordered().find(map.lower_bound("scope3")->first));
  EXPECT_EQ(index.All().size(), map.size());
}

TEST(VariableIndexTest, ErasesByTheVariablesOwnName) {
  VariableIndex index;
  index.Insert(Record("a"));
  index.Erase(index.Find("a")->name);
  EXPECT_EQ(index.Find("a"), nullptr);
  index.Erase("a");
  EXPECT_EQ(index.size(), 0u);
}

// What a server keeps for each of millions of variables.
TEST(VariableIndexTest, RecordsAreSmall) {
  EXPECT_LE(sizeof(VariableRecord), 216u);
}

}  // namespace
}  // namespace varkeep
