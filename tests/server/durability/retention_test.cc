// SPDX-License-Identifier: Apache-2.0
#include "server/durability/retention.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace varkeep {
namespace {

using storage::CheckpointId;
using storage::CheckpointInfo;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const absl::Time kStart = absl::FromUnixSeconds(1'000'000);

// A directory that does what its retention decides.
class RetentionTest : public ::testing::Test {
 protected:
  // Adds checkpoint `id`, made so long after the start; what went.
  std::vector<CheckpointId> Save(Retention* retention, CheckpointId id,
                                 absl::Duration after = {}) {
    CheckpointInfo info;
    info.id = id;
    info.created = kStart + after;
    listed_.push_back(info);
    const std::vector<CheckpointId> removed = retention->ToRemove(listed_);
    for (CheckpointId gone : removed) {
      std::erase_if(listed_, [gone](const CheckpointInfo& each) {
        return each.id == gone;
      });
    }
    return removed;
  }
  std::vector<CheckpointId> Listed() const {
    std::vector<CheckpointId> ids;
    for (const CheckpointInfo& info : listed_) ids.push_back(info.id);
    return ids;
  }

  std::vector<CheckpointInfo> listed_;
};

TEST_F(RetentionTest, KeepsTheNewest) {
  Retention retention({2}, kStart, {});

  EXPECT_THAT(Save(&retention, 1), IsEmpty());
  EXPECT_THAT(Save(&retention, 2), IsEmpty());
  EXPECT_THAT(Save(&retention, 3), ElementsAre(1));
  EXPECT_THAT(Save(&retention, 4), ElementsAre(2));
  EXPECT_THAT(Listed(), ElementsAre(3, 4));
}

TEST_F(RetentionTest, OneIsAlwaysKept) {
  Retention retention({1}, kStart, {});

  Save(&retention, 1);
  EXPECT_THAT(Save(&retention, 2), ElementsAre(1));
  EXPECT_THAT(Listed(), ElementsAre(2));
}

TEST_F(RetentionTest, ZeroKeepsAll) {
  Retention retention({0}, kStart, {});

  for (CheckpointId id = 1; id <= 20; ++id) {
    EXPECT_THAT(Save(&retention, id), IsEmpty());
  }
}

TEST_F(RetentionTest, OneInATimeIsKeptForEver) {
  Retention retention({2, absl::Milliseconds(700)}, kStart, {});

  for (CheckpointId id = 1; id <= 3; ++id) {
    EXPECT_THAT(Save(&retention, id, absl::Seconds(1)), IsEmpty());
  }
  EXPECT_THAT(Save(&retention, 4, absl::Seconds(1)), ElementsAre(2));
  EXPECT_THAT(Listed(), ElementsAre(1, 3, 4));
}

TEST_F(RetentionTest, WhatIsKeptForEverIsApartByThatTime) {
  Retention retention({1, absl::Minutes(60)}, kStart, {});

  for (int i = 1; i <= 24; ++i) Save(&retention, i, i * absl::Minutes(10));

  // At 70, 140 and 210 minutes, and the newest.
  EXPECT_THAT(Listed(), ElementsAre(7, 14, 21, 24));
}

TEST_F(RetentionTest, WhatARemovalLeftIsDecidedAgain) {
  Retention retention({1}, kStart, {});
  Save(&retention, 1);
  Save(&retention, 2);
  CheckpointInfo undead;
  undead.id = 1;
  undead.created = kStart;
  listed_.insert(listed_.begin(), undead);

  EXPECT_THAT(Save(&retention, 3), ElementsAre(1, 2));
}

TEST_F(RetentionTest, WhatWasKeptForEverIsKeptAfterARestart) {
  {
    Retention retention({2, absl::Minutes(60)}, kStart, {});
    for (int i = 1; i <= 10; ++i) Save(&retention, i, i * absl::Minutes(10));
  }
  ASSERT_THAT(Listed(), ElementsAre(7, 9, 10));

  Retention retention({2, absl::Minutes(60)}, kStart + absl::Minutes(105),
                      listed_);

  EXPECT_THAT(Save(&retention, 11, absl::Minutes(110)), ElementsAre(9));
  EXPECT_THAT(Save(&retention, 12, absl::Minutes(120)), ElementsAre(10));
  // An hour after the one that was kept last.
  EXPECT_THAT(Save(&retention, 13, absl::Minutes(131)), ElementsAre(11));
  EXPECT_THAT(Save(&retention, 14, absl::Minutes(140)), ElementsAre(12));
  EXPECT_THAT(Save(&retention, 15, absl::Minutes(150)), IsEmpty());
  EXPECT_THAT(Listed(), ElementsAre(7, 13, 14, 15));
}

}  // namespace
}  // namespace varkeep
