// SPDX-License-Identifier: Apache-2.0
#include "tests/server/variables/store_testing.h"

namespace varkeep {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class WatchTest : public StoreTest {
 protected:
  // Each call adds the revision that it was told.
  std::function<void(Revision)> Record() {
    return [this](Revision revision) { calls_.push_back(revision); };
  }

  std::vector<Revision> calls_;
};

TEST_F(WatchTest, FiresOnceWhenTheLastOneIsInitialized) {
  ASSERT_OK(Declare(store_, SpecOf("a", {1})));
  ASSERT_OK(Declare(store_, SpecOf("b", {1})));
  store_.WatchInitialized("", {"a", "b"}, Record());

  ASSERT_OK(Initialize(store_, {"a"}));
  EXPECT_THAT(calls_, IsEmpty());
  ASSERT_OK(Assign(store_, "b", Of<float>({1}, {1})));
  EXPECT_THAT(calls_, ElementsAre(4u));
  ASSERT_OK(Assign(store_, "b", Of<float>({1}, {2})));
  EXPECT_THAT(calls_, ElementsAre(4u));
}

TEST_F(WatchTest, FiresAtOnceForWhatIsInitialized) {
  Put(store_, "v", Of<float>({1}, {1}));

  store_.WatchInitialized("", {"v"}, Record());
  store_.WatchInitialized("", {}, Record());

  EXPECT_THAT(calls_, ElementsAre(2u, 2u));
}

TEST_F(WatchTest, WaitsForAVariableThatIsNotDeclaredYet) {
  store_.WatchInitialized("c", {"v"}, Record());

  Put(store_, "v", Of<float>({1}, {1}));
  EXPECT_THAT(calls_, IsEmpty());
  Put(store_, "v", Of<float>({1}, {1}), "c");
  EXPECT_THAT(calls_, ElementsAre(4u));
}

TEST_F(WatchTest, FiresForAnEmptyAndForARestoredVariable) {
  store_.WatchInitialized("", {"empty"}, Record());
  store_.WatchInitialized("", {"restored"}, Record());

  ASSERT_OK(Declare(store_, SpecOf("empty", {0})));
  EXPECT_THAT(calls_, ElementsAre(1u));
  VariableInfo info;
  info.spec = SpecOf("restored", {1});
  ASSERT_OK(store_.Apply(RestoreMutation{{{info, Of<float>({1}, {1})}}}));
  EXPECT_THAT(calls_, ElementsAre(1u, 3u));
}

TEST_F(WatchTest, ADeletedVariableIsNotInitialized) {
  Put(store_, "a", Of<float>({1}, {1}));
  ASSERT_OK(Declare(store_, SpecOf("b", {1})));
  store_.WatchInitialized("", {"a", "b"}, Record());

  ASSERT_OK(Delete(store_, "a"));
  ASSERT_OK(Initialize(store_, {"b"}));

  EXPECT_THAT(calls_, IsEmpty());
}

TEST_F(WatchTest, ACancelledWatchIsNotCalled) {
  ASSERT_OK(Declare(store_, SpecOf("v", {1})));
  const uint64_t id = store_.WatchInitialized("", {"v"}, Record());

  store_.CancelWatch(id);
  store_.CancelWatch(id);
  store_.CancelWatch(id + 1);
  ASSERT_OK(Initialize(store_, {"v"}));

  EXPECT_THAT(calls_, IsEmpty());
}

TEST_F(WatchTest, AWatchThatCameTrueCanStillBeCancelled) {
  ASSERT_OK(Declare(store_, SpecOf("v", {1})));
  uint64_t second = 0;
  store_.WatchInitialized("", {"v"}, [&](Revision revision) {
    calls_.push_back(revision);
    store_.CancelWatch(second);
  });
  second = store_.WatchInitialized("", {"v"}, Record());

  ASSERT_OK(Initialize(store_, {"v"}));

  EXPECT_THAT(calls_, ElementsAre(2u));
}

TEST_F(WatchTest, ACallbackMayUseTheStore) {
  ASSERT_OK(Declare(store_, SpecOf("v", {1})));
  ASSERT_OK(Declare(store_, SpecOf("w", {1})));
  store_.WatchInitialized("", {"v"}, [&](Revision) {
    EXPECT_OK(Initialize(store_, {"w"}));
    store_.WatchInitialized("", {"w"}, Record());
  });

  ASSERT_OK(Initialize(store_, {"v"}));

  EXPECT_THAT(calls_, ElementsAre(4u));
}

}  // namespace
}  // namespace varkeep
