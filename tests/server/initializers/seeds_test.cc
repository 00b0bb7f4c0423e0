// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <limits>

#include "tests/server/initializers/run.h"

namespace varkeep {
namespace {

using ::testing::FieldsAre;
using ::testing::Optional;

constexpr int64_t kModulus = 2147483647;
constexpr int64_t kLowest = std::numeric_limits<int64_t>::min();

TEST(SeedsTest, NoSeedIsLeftToTheCaller) {
  EXPECT_EQ(ResolveSeeds(std::nullopt, std::nullopt, 7), std::nullopt);
}

TEST(SeedsTest, OpSeedAloneGetsTheDefaultGraphSeed) {
  EXPECT_THAT(ResolveSeeds(std::nullopt, 1, 7),
              Optional(FieldsAre(87654321u, 1u)));
  EXPECT_THAT(ResolveSeeds(std::nullopt, 0, 7),
              Optional(FieldsAre(87654321u, 0u)));
}

TEST(SeedsTest, BothSeedsAreTaken) {
  EXPECT_THAT(ResolveSeeds(1, 1, 7), Optional(FieldsAre(1u, 1u)));
}

TEST(SeedsTest, TheOpIdStandsForTheOpSeed) {
  EXPECT_THAT(ResolveSeeds(42, std::nullopt, 3), Optional(FieldsAre(42u, 3u)));
  EXPECT_THAT(ResolveSeeds(1, std::nullopt, 0), Optional(FieldsAre(1u, 0u)));
}

TEST(SeedsTest, TwoZerosAreReplaced) {
  EXPECT_THAT(ResolveSeeds(0, 0, 7), Optional(FieldsAre(0u, 2147483647u)));
  EXPECT_THAT(ResolveSeeds(kModulus, 0, 7),
              Optional(FieldsAre(0u, 2147483647u)));
  EXPECT_THAT(ResolveSeeds(0, kModulus, 7),
              Optional(FieldsAre(0u, 2147483647u)));
}

TEST(SeedsTest, SeedsAreReducedToNonNegative) {
  EXPECT_THAT(ResolveSeeds(-1, kModulus + 5, 7),
              Optional(FieldsAre(2147483646u, 5u)));
  // -2^63 = -2 (mod 2^31 - 1)
  EXPECT_THAT(ResolveSeeds(1, kLowest, 7),
              Optional(FieldsAre(1u, static_cast<uint64_t>(kModulus - 2))));
}

}  // namespace
}  // namespace varkeep
