// SPDX-License-Identifier: Apache-2.0
//
// The op counter of SEMANTICS Appendix A and the seeds of 8.1 (R22).
#include <gtest/gtest.h>

#include <utility>

#include "tests/server/scopes/program.h"
#include "tests/testing/tensors.h"

namespace varkeep {
namespace {

using SeedPair = std::pair<uint64_t, uint64_t>;
using With = Program::With;

SeedPair SeedsOf(const absl::StatusOr<Declared>& declared) {
  EXPECT_OK(declared);
  if (!declared.ok()) return {};
  return {declared->info.spec.seeds.seed, declared->info.spec.seeds.seed2};
}

VariableArguments Filled(const InitializerSpec& initializer, int64_t size) {
  VariableArguments args = Program::Arguments("");
  args.shape = PartialShape(Shape({size}));
  args.initializer = initializer;
  return args;
}

class SeedsTest : public ::testing::Test {
 protected:
  // get_variable with the default initializer: 10 ops, seeded at the third.
  SeedPair Next() {
    return SeedsOf(p_.TryGet("probe" + std::to_string(probes_++)));
  }
  VariableArguments Named(VariableArguments args) {
    args.name = "v" + std::to_string(probes_++);
    return args;
  }

  FakeDeclarer declarer_;
  Program p_{&declarer_, OptionsOf("", 42)};
  int probes_ = 0;
};

TEST_F(SeedsTest, R22DefaultVariablesCountByTen) {
  EXPECT_EQ(Next(), SeedPair(42, 3));
  EXPECT_EQ(Next(), SeedPair(42, 13));
  EXPECT_EQ(Next(), SeedPair(42, 23));
}

TEST_F(SeedsTest, WhatOtherInitializersAdd) {
  ASSERT_OK(p_.TryGet(Named(Filled(ZerosInitializer{}, 999))));
  EXPECT_EQ(Next(), SeedPair(42, 4 + 3));
  ASSERT_OK(p_.TryGet(Named(Filled(OnesInitializer{}, 1000))));
  EXPECT_EQ(Next(), SeedPair(42, 14 + 6 + 3));
  EXPECT_EQ(SeedsOf(p_.TryGet(Named(Filled(Normal(1.0), 3)))),
            SeedPair(42, 30 + 3));
  EXPECT_EQ(Next(), SeedPair(42, 30 + 9 + 3));
}

TEST_F(SeedsTest, AVariableOfAValueIsFourOps) {
  VariableArguments args;
  args.initializer = ValueInitializer{Of<float>({}, {1})};
  ASSERT_OK(p_.TryCreate(args));
  EXPECT_EQ(Next(), SeedPair(42, 4 + 3));
  ASSERT_OK(p_.TryGet(Named(args)));
  EXPECT_EQ(Next(), SeedPair(42, 14 + 4 + 3));
  args.dtype = DType::kFloat32;  // one stray constant
  ASSERT_OK(p_.TryGet(Named(args)));
  EXPECT_EQ(Next(), SeedPair(42, 28 + 5 + 3));
}

TEST_F(SeedsTest, AReuseAddsNothingButTheStrayConstant) {
  VariableArguments args;
  args.name = "v";
  args.dtype = DType::kFloat32;
  args.initializer = ValueInitializer{Of<float>({}, {1})};
  ASSERT_OK(p_.TryGet(args));
  p_.current().reuse = Reuse::kReuse;
  ASSERT_OK(p_.TryGet("v"));
  p_.current().reuse = Reuse::kCreate;
  EXPECT_EQ(Next(), SeedPair(42, 5 + 3));
  p_.current().reuse = Reuse::kReuse;
  ASSERT_OK(p_.TryGet(args));
  p_.current().reuse = Reuse::kCreate;
  EXPECT_EQ(Next(), SeedPair(42, 15 + 1 + 3));
}

TEST_F(SeedsTest, ScopesAndErrorsAddNothing) {
  { With with = p_.VariableScope("a"); }
  declarer_.fail = absl::UnavailableError("draining");
  EXPECT_FALSE(p_.TryGet("v").ok());
  declarer_.fail = absl::OkStatus();
  EXPECT_EQ(Next(), SeedPair(42, 3));
}

TEST_F(SeedsTest, AnOpSeedStandsBesideTheGraphSeed) {
  EXPECT_EQ(SeedsOf(p_.TryGet(Named(Filled(Normal(1.0, 7), 3)))),
            SeedPair(42, 7));
  FakeDeclarer declarer;
  Program without(&declarer);
  EXPECT_EQ(SeedsOf(without.TryGet(Named(Filled(Normal(1.0, 7), 3)))),
            SeedPair(87654321, 7));
}

TEST_F(SeedsTest, WithoutAnySeedTwoNumbersAreDrawn) {
  FakeDeclarer declarer;
  Program without(&declarer);
  EXPECT_EQ(SeedsOf(without.TryGet("a")), SeedPair(1, 2));
  EXPECT_EQ(SeedsOf(without.TryGet(Named(Filled(ZerosInitializer{}, 3)))),
            SeedPair(0, 0));
  EXPECT_EQ(SeedsOf(without.TryGet("b")), SeedPair(3, 4));
}

// Two workers that run one program with one seed mean one and the same draw.
TEST_F(SeedsTest, AttachingCountsAsCreating) {
  Program second(&declarer_, OptionsOf("", 42));
  Program third(&declarer_, OptionsOf("", 42));
  third.current().reuse = Reuse::kAuto;
  const SeedPair a = SeedsOf(p_.TryGet("a"));
  EXPECT_EQ(SeedsOf(second.TryGet("a")), a);
  EXPECT_EQ(SeedsOf(third.TryGet("a")), a);
  EXPECT_EQ(SeedsOf(second.TryGet("b")), SeedPair(42, 13));
  EXPECT_EQ(SeedsOf(third.TryGet("c")), SeedPair(42, 13));
}

TEST_F(SeedsTest, TheContainersSeedsWin) {
  Program second(&declarer_, OptionsOf("", 1));
  const SeedPair a = SeedsOf(p_.TryGet("a"));
  EXPECT_EQ(SeedsOf(second.TryGet("a")), a);
}

}  // namespace
}  // namespace varkeep
