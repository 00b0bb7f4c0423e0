// SPDX-License-Identifier: Apache-2.0
//
// That the checker accepts what a server may do and nothing else.
#include <gtest/gtest.h>

#include "tests/crash/linearizability.h"

namespace varkeep {
namespace {

using Call = RecordedCall;

struct Time {
  int64_t began;
  int64_t ended = std::numeric_limits<int64_t>::max();
};

Call Read(Time time, int64_t value, uint64_t version) {
  return {Call::kRead, Call::kDone, 0,          0,
          value,       version,     time.began, time.ended};
}
Call Assign(Time time, int64_t value, uint64_t version) {
  return {Call::kAssign, Call::kDone, value,     0, 0,
          version,       time.began,  time.ended};
}
Call Add(Time time, int64_t delta, uint64_t version) {
  return {Call::kAdd, Call::kDone, delta,      0,
          0,          version,     time.began, time.ended};
}
Call Set(Time time, uint64_t expected, int64_t value, uint64_t version) {
  return {Call::kCompareAndSet, Call::kDone, value, expected, 0, version,
          time.began,           time.ended};
}
Call Refused(Time time, uint64_t expected) {
  return {Call::kCompareAndSet, Call::kRefused, 99, expected, 0, 0,
          time.began,           time.ended};
}
Call Unanswered(Call call) {
  call.outcome = Call::kUnanswered;
  call.version = 0;
  call.ended = std::numeric_limits<int64_t>::max();
  return call;
}

// The variable is 0 of version 1 at first.
bool Accepted(std::vector<Call> calls) {
  return !FindViolation({0, 1, true}, std::move(calls)).has_value();
}

TEST(LinearizabilityCheckerTest, AcceptsOneAfterTheOther) {
  EXPECT_TRUE(Accepted({}));
  EXPECT_TRUE(
      Accepted({Read({1, 2}, 0, 1), Assign({3, 4}, 5, 2), Add({5, 6}, 3, 3),
                Read({7, 8}, 8, 3), Set({9, 10}, 3, 4, 7), Refused({11, 12}, 3),
                Read({13, 14}, 4, 7)}));
}

TEST(LinearizabilityCheckerTest, AcceptsEitherOrderOfWhatOverlaps) {
  EXPECT_TRUE(Accepted({Assign({1, 10}, 5, 2), Read({2, 3}, 0, 1)}));
  EXPECT_TRUE(Accepted({Assign({1, 10}, 5, 2), Read({2, 3}, 5, 2)}));
  EXPECT_TRUE(Accepted(
      {Assign({1, 10}, 5, 3), Assign({2, 9}, 6, 2), Read({11, 12}, 5, 3)}));
  EXPECT_TRUE(Accepted({Refused({1, 10}, 1), Assign({2, 9}, 6, 2)}));
}

TEST(LinearizabilityCheckerTest, AcceptsWhateverBecomesOfTheUnanswered) {
  const Call lost = Unanswered(Add({1}, 5, 0));
  EXPECT_TRUE(Accepted({lost, Read({2, 3}, 0, 1)}));
  EXPECT_TRUE(Accepted({lost, Read({2, 3}, 5, 2)}));
  EXPECT_TRUE(Accepted({lost, Read({2, 3}, 0, 1), Read({4, 5}, 5, 2)}));
  EXPECT_TRUE(Accepted({lost, Add({2, 3}, 1, 3), Read({4, 5}, 6, 3)}));
  // Its version is not known until somebody sees it.
  EXPECT_TRUE(Accepted({lost, Set({2, 3}, 2, 7, 3), Read({4, 5}, 7, 3)}));
  EXPECT_TRUE(Accepted({lost, Refused({2, 3}, 1), Read({4, 5}, 5, 2)}));
  EXPECT_TRUE(
      Accepted({Unanswered(Set({1}, 1, 9, 0)), Read({2, 3}, 9, 4), lost}));
}

TEST(LinearizabilityCheckerTest, RefusesALostChange) {
  EXPECT_FALSE(Accepted({Assign({1, 2}, 5, 2), Read({3, 4}, 0, 1)}));
  EXPECT_FALSE(
      Accepted({Add({1, 2}, 5, 2), Add({3, 4}, 1, 3), Read({5, 6}, 1, 3)}));
}

TEST(LinearizabilityCheckerTest, RefusesAChangeThatHappenedTwice) {
  EXPECT_FALSE(Accepted({Add({1, 2}, 5, 2), Read({3, 4}, 10, 3)}));
  EXPECT_FALSE(Accepted({Unanswered(Add({1}, 5, 0)), Read({3, 4}, 10, 3)}));
}

TEST(LinearizabilityCheckerTest, RefusesAReadOfTheFutureOrThePast) {
  EXPECT_FALSE(Accepted({Read({1, 2}, 5, 2), Assign({3, 4}, 5, 2)}));
  EXPECT_FALSE(Accepted(
      {Assign({1, 10}, 5, 2), Read({2, 3}, 5, 2), Read({4, 5}, 0, 1)}));
  // What was seen once stays, answered or not.
  EXPECT_FALSE(Accepted(
      {Unanswered(Assign({1}, 5, 0)), Read({2, 3}, 5, 2), Read({4, 5}, 0, 1)}));
}

TEST(LinearizabilityCheckerTest, RefusesTwoSetsOfOneVersion) {
  EXPECT_FALSE(Accepted({Set({1, 10}, 1, 5, 2), Set({2, 9}, 1, 6, 3)}));
  EXPECT_FALSE(Accepted({Unanswered(Set({1}, 1, 5, 0)), Set({2, 9}, 1, 6, 3),
                         Read({10, 11}, 5, 4)}));
}

TEST(LinearizabilityCheckerTest, RefusesARefusalWithoutReason) {
  EXPECT_FALSE(Accepted({Refused({1, 2}, 1)}));
  EXPECT_FALSE(Accepted({Assign({1, 2}, 5, 2), Refused({3, 4}, 2)}));
}

TEST(LinearizabilityCheckerTest, RefusesVersionsThatGoBackOrRepeat) {
  EXPECT_FALSE(Accepted({Assign({1, 2}, 5, 3), Assign({3, 4}, 6, 3)}));
  EXPECT_FALSE(Accepted({Assign({1, 2}, 5, 3), Assign({3, 4}, 6, 2)}));
  EXPECT_FALSE(Accepted({Assign({1, 2}, 5, 3), Read({3, 4}, 5, 4)}));
}

// Orders are not tried one by one: there are more than could be.
TEST(LinearizabilityCheckerTest, ManyOverlappingCallsAreQuick) {
  std::vector<Call> calls;
  for (int64_t i = 0; i < 16; ++i) {
    calls.push_back(Add({1, 100}, 1, static_cast<uint64_t>(i) + 2));
  }
  calls.push_back(Read({101, 102}, 16, 17));
  EXPECT_TRUE(Accepted(calls));
  calls.back().value = 15;
  EXPECT_FALSE(Accepted(calls));
}

}  // namespace
}  // namespace varkeep
