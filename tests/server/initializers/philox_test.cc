// SPDX-License-Identifier: Apache-2.0
#include "server/initializers/philox.h"

#include <gmock/gmock.h>

#include <limits>
#include <memory>

namespace varkeep::initializers {
namespace {

using ::testing::ElementsAre;

TEST(PhiloxTest, KnownAnswerOfTheZeroKey) {
  EXPECT_THAT(Philox(0, 0).Next(),
              ElementsAre(0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8));
}

TEST(PhiloxTest, NextBlockFollows) {
  Philox philox(87654321, 42);

  EXPECT_THAT(philox.Next(),
              ElementsAre(0xb1f9e408, 0xf656b54c, 0x3765ccfd, 0x0ee0bd75));
  EXPECT_THAT(philox.Next(),
              ElementsAre(0x08bcec1d, 0xf750c518, 0x3d17cf84, 0x348ea1a3));
}

TEST(PhiloxTest, SkipIsAsManyBlocks) {
  Philox stepped(1, 2);
  for (int i = 0; i < 1000; ++i) stepped.Next();
  Philox skipped(1, 2);
  skipped.Skip(1000);

  EXPECT_EQ(skipped.Next(), stepped.Next());
}

TEST(PhiloxTest, SkipCarriesIntoTheSecondSeed) {
  Philox skipped(1, 7);
  skipped.Skip(std::numeric_limits<uint64_t>::max());
  skipped.Skip(1);

  EXPECT_EQ(skipped.Next(), Philox(1, 8).Next());
}

void ExpectBatchIsItsBlocks(const Philox& start, uint64_t stride) {
  const auto words = std::make_unique<Philox::BatchWords>();
  start.FillBatch(stride, *words);

  for (size_t i = 0; i < Philox::kBatchBlocks; ++i) {
    Philox here = start;
    here.Skip(Philox::Uint128{stride} * i);
    const Philox::Block block = here.Next();
    EXPECT_THAT(std::span(*words).subspan(4 * i, 4),
                ElementsAre(block[0], block[1], block[2], block[3]))
        << "block " << i;
  }
}

TEST(PhiloxTest, BatchIsItsBlocks) {
  ExpectBatchIsItsBlocks(Philox(3, 4), 1);
  ExpectBatchIsItsBlocks(Philox(3, 4), 256);
}

TEST(PhiloxTest, BatchCarriesEverywhere) {
  for (const uint64_t blocks :
       {uint64_t{0xFFFFFFF8}, std::numeric_limits<uint64_t>::max() - 5}) {
    Philox start(3, std::numeric_limits<uint32_t>::max());
    start.Skip(blocks);
    ExpectBatchIsItsBlocks(start, 1);
    ExpectBatchIsItsBlocks(start, 256);
  }
}

}  // namespace
}  // namespace varkeep::initializers
