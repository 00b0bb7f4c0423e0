// SPDX-License-Identifier: Apache-2.0
//
// The words of a stream, on every kind of processor that this one can be.
#include "server/initializers/philox.h"

#include <gmock/gmock.h>

#include <limits>
#include <vector>

namespace varkeep::initializers {
namespace {

using ::testing::ElementsAre;
using Words = std::vector<uint32_t>;

std::vector<CpuPath> Supported() {
  std::vector<CpuPath> paths;
  for (CpuPath path : kAllCpuPaths) {
    if (IsSupported(path)) paths.push_back(path);
  }
  return paths;
}

class PhiloxTest : public ::testing::TestWithParam<CpuPath> {
 protected:
  // The words of `blocks` blocks from `skip` after the start of the seeds.
  static Words Draw(const Philox& start, Philox::Uint128 skip,
                    int64_t blocks = 1) {
    const int64_t whole =
        (blocks + kKernelBlocks - 1) / kKernelBlocks * kKernelBlocks;
    Words words(static_cast<size_t>(4 * whole));
    KernelsOf(GetParam()).words(start.After(skip), whole, words.data());
    words.resize(static_cast<size_t>(4 * blocks));
    return words;
  }

  static void ExpectRowIsItsBlocks(const Philox& start, Philox::Uint128 skip) {
    const Words row = Draw(start, skip, 4 * kKernelBlocks);
    Words single;
    for (uint64_t i = 0; i < 4 * kKernelBlocks; ++i) {
      const Words block = Draw(start, skip + i);
      single.insert(single.end(), block.begin(), block.end());
    }
    EXPECT_EQ(row, single);
  }
};

INSTANTIATE_TEST_SUITE_P(EveryCpu, PhiloxTest, ::testing::ValuesIn(Supported()),
                         [](const auto& path) {
                           return std::string(CpuPathName(path.param));
                         });

TEST_P(PhiloxTest, KnownAnswerOfTheZeroKey) {
  EXPECT_THAT(Draw(Philox(0, 0), 0),
              ElementsAre(0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8));
}

// Random123's other known answers: all ones, and the digits of pi.
TEST_P(PhiloxTest, KnownAnswersOfOtherKeys) {
  Philox ones(~uint64_t{0}, ~uint64_t{0});
  EXPECT_THAT(Draw(ones, ~uint64_t{0}),
              ElementsAre(0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd));
  Philox pi(0x299f31d0a4093822, 0x0370734413198a2e);
  EXPECT_THAT(Draw(pi, 0x85a308d3243f6a88),
              ElementsAre(0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1));
}

TEST_P(PhiloxTest, NextBlockFollows) {
  EXPECT_THAT(Draw(Philox(87654321, 42), 0, 2),
              ElementsAre(0xb1f9e408, 0xf656b54c, 0x3765ccfd, 0x0ee0bd75,
                          0x08bcec1d, 0xf750c518, 0x3d17cf84, 0x348ea1a3));
}

TEST_P(PhiloxTest, SkipIsAsManyBlocks) {
  Philox skipped(1, 2);
  skipped.Skip(1000);
  EXPECT_EQ(Draw(skipped, 0), Draw(Philox(1, 2), 1000));
  const Words row = Draw(Philox(1, 2), 0, 1001);
  EXPECT_EQ(Words(row.end() - 4, row.end()), Draw(skipped, 0));
}

TEST_P(PhiloxTest, SkipCarriesIntoTheSecondSeed) {
  Philox skipped(1, 7);
  skipped.Skip(std::numeric_limits<uint64_t>::max());
  skipped.Skip(1);

  EXPECT_EQ(Draw(skipped, 0), Draw(Philox(1, 8), 0));
}

TEST_P(PhiloxTest, ARowIsItsBlocks) { ExpectRowIsItsBlocks(Philox(3, 4), 0); }

TEST_P(PhiloxTest, ARowCarriesEverywhere) {
  const Philox start(3, std::numeric_limits<uint32_t>::max());
  for (int back : {1, 5, 16, 23, 60}) {
    ExpectRowIsItsBlocks(start, (Philox::Uint128{1} << 32) - unsigned(back));
    ExpectRowIsItsBlocks(start, (Philox::Uint128{1} << 64) - unsigned(back));
    ExpectRowIsItsBlocks(start, (Philox::Uint128{1} << 96) - unsigned(back));
  }
}

}  // namespace
}  // namespace varkeep::initializers
