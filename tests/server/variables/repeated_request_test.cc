// SPDX-License-Identifier: Apache-2.0
#include <thread>

#include "tests/server/variables/store_testing.h"

namespace varkeep {
namespace {

using absl::StatusCode;
using ::testing::HasSubstr;

class RepeatedRequestTest : public StoreTest {};

constexpr RequestId kRequest = {77, 1};

TEST_F(RepeatedRequestTest, EveryMutationIsAppliedOnce) {
  Put(store_, "v", Of<float>({1}, {1}));
  Put(store_, "doomed", Of<float>({1}, {1}));
  ASSERT_OK(Declare(store_, SpecOf("raw", {1})));
  Put(store_, "v", Of<float>({1}, {1}), "c");
  const TensorRef one = Of<float>({1}, {1});
  VariableInfo restored;
  restored.spec = SpecOf("restored", {1});
  const std::vector<Mutation> changes = {
      DeclareMutation{"", SpecOf("new", {1}), true},
      InitializeMutation{"", {"raw"}, true},
      AssignMutation{"", "v", one, store_.Find("", "v")->version, true},
      UpdateMutation{"", "v", UpdateOp::kAdd, one, {}},
      DeleteMutation{"", "doomed"},
      ResetContainerMutation{"c"},
      AddToCollectionMutation{"", "v", {"k"}},
      RestoreMutation{{{restored, one}}}};
  uint64_t sequence = 0;
  for (const Mutation& change : changes) {
    const RequestId id = {77, ++sequence};
    ASSERT_OK_AND_ASSIGN(Applied first, store_.Apply(change, id));
    EXPECT_FALSE(first.duplicate);
    const StoreSnapshot after = store_.Snapshot();

    ASSERT_OK_AND_ASSIGN(Applied again, store_.Apply(change, id));

    EXPECT_TRUE(again.duplicate) << change.index();
    EXPECT_EQ(again.revision, first.revision);
    ExpectSameSnapshot(store_.Snapshot(), after);
  }
}

TEST_F(RepeatedRequestTest, IsAnsweredAlthoughTheVariableIsGone) {
  Put(store_, "v", Of<float>({1}, {1}));
  const std::vector<Mutation> changes = {
      InitializeMutation{"", {"v"}, true},
      AssignMutation{"", "v", Of<float>({1}, {1}), {}, true},
      UpdateMutation{"", "v", UpdateOp::kAdd, Of<float>({1}, {1}), {}}};
  for (size_t i = 0; i < changes.size(); ++i) {
    ASSERT_OK(store_.Apply(changes[i], RequestId{77, i + 1}));
  }
  ASSERT_OK(Delete(store_, "v"));

  for (size_t i = 0; i < changes.size(); ++i) {
    ASSERT_OK_AND_ASSIGN(Applied again,
                         store_.Apply(changes[i], RequestId{77, i + 1}));
    EXPECT_TRUE(again.duplicate);
    EXPECT_EQ(again.revision, 3 + i);
  }
}

TEST_F(RepeatedRequestTest, AFailedRequestMayBeTriedAgain) {
  const DeleteMutation remove = {"", "v"};
  EXPECT_THAT(store_.Apply(remove, kRequest),
              StatusIs(StatusCode::kNotFound, HasSubstr("'v'")));
  ASSERT_OK(Declare(store_, SpecOf("v")));

  ASSERT_OK_AND_ASSIGN(Applied applied, store_.Apply(remove, kRequest));

  EXPECT_FALSE(applied.duplicate);
}

TEST_F(RepeatedRequestTest, AnIdWithAZeroIsRefused) {
  EXPECT_THAT(
      store_.Apply(DeclareMutation{"", SpecOf("v"), false}, RequestId{0, 1}),
      StatusIs(StatusCode::kInvalidArgument, HasSubstr("zero")));
  EXPECT_EQ(store_.usage().variables, 0);
}

TEST_F(RepeatedRequestTest, FromManyThreadsAtOnceIsAppliedOnce) {
  Put(store_, "v", Of<int64_t>({1}, {0}));
  constexpr int kRounds = 200;
  for (uint64_t round = 1; round <= kRounds; ++round) {
    std::vector<absl::StatusOr<Applied>> results(8, Applied());
    std::vector<std::thread> threads;
    for (auto& result : results) {
      threads.emplace_back([this, &result, round] {
        result = store_.Apply(
            UpdateMutation{"", "v", UpdateOp::kAdd, Of<int64_t>({1}, {1}), {}},
            RequestId{77, round});
      });
    }
    for (std::thread& thread : threads) thread.join();

    int first = 0;
    for (const absl::StatusOr<Applied>& result : results) {
      ASSERT_OK(result);
      first += result->duplicate ? 0 : 1;
      EXPECT_EQ(result->revision, 2 + round);
    }
    EXPECT_EQ(first, 1);
  }
  EXPECT_THAT(ValueOf(store_, "v"), TensorEq(Of<int64_t>({1}, {kRounds})));
}

}  // namespace
}  // namespace varkeep
