// SPDX-License-Identifier: Apache-2.0
#include "client/internal/shared_changes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/tensors.h"

namespace varkeep::client {
namespace {

using ::testing::ElementsAre;
using ::testing::IsSupersetOf;
using ::testing::SizeIs;
using Change = SharedChanges::Change;
using Names = std::vector<std::string>;

Change AddTo(const std::string& name,
             v1::Durability durability = v1::DURABILITY_NONE,
             const std::string& container = "") {
  Change change{.method = "AssignAdd", .header = {}, .value = nullptr};
  change.header.set_name(name);
  change.header.set_container(container);
  change.header.set_durability(durability);
  return change;
}

// Its calls wait until they are let go. The variable "none" does not exist.
// Versions count the calls.
class Server {
 public:
  absl::StatusOr<uint64_t> MakeAll(const std::vector<const Change*>& changes) {
    MutexLock lock(&mutex_);
    Names names;
    std::set<std::pair<std::string, int>> kinds;
    for (const Change* change : changes) {
      names.push_back(change->header.name());
      kinds.insert({change->header.container(), change->header.durability()});
    }
    EXPECT_THAT(kinds, SizeIs(1));
    calls_.push_back(names);
    const uint64_t version = calls_.size();
    changed_.NotifyAll();
    while (!open_) changed_.Wait(&mutex_);
    if (!error_.ok()) return error_;
    for (const std::string& name : names) {
      if (name == "none") return absl::NotFoundError("none");
    }
    return version;
  }

  void AwaitCalls(size_t count) {
    MutexLock lock(&mutex_);
    while (calls_.size() < count) changed_.Wait(&mutex_);
  }
  void Open(absl::Status error = absl::OkStatus()) {
    MutexLock lock(&mutex_);
    open_ = true;
    error_ = std::move(error);
    changed_.NotifyAll();
  }
  std::vector<Names> calls() {
    MutexLock lock(&mutex_);
    return calls_;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool open_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status error_ ABSL_GUARDED_BY(mutex_);
  std::vector<Names> calls_ ABSL_GUARDED_BY(mutex_);
};

class SharedChangesTest : public ::testing::Test {
 protected:
  ~SharedChangesTest() override { Join(); }

  void MakeInThread(const Change& change,
                    absl::StatusCode expected = absl::StatusCode::kOk) {
    threads_.emplace_back([=, this] {
      EXPECT_EQ(changes_.Make(change).status().code(), expected)
          << change.header.name();
    });
  }
  // Two calls are under way and stay so.
  void Occupy(absl::StatusCode expected = absl::StatusCode::kOk) {
    MakeInThread(AddTo("a"), expected);
    server_.AwaitCalls(1);
    MakeInThread(AddTo("b"), expected);
    server_.AwaitCalls(2);
  }
  void Join() {
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  Server server_;
  SharedChanges changes_{
      [this](const Change& change) { return server_.MakeAll({&change}); },
      [this](const std::vector<const Change*>& changes) {
        EXPECT_GT(changes.size(), 1u);
        return server_.MakeAll(changes);
      }};
  std::vector<std::thread> threads_;
};

TEST_F(SharedChangesTest, AThreadAloneMakesItsChangeAtOnce) {
  server_.Open();
  EXPECT_THAT(changes_.Make(AddTo("a")), IsOkAndHolds(1u));
  EXPECT_THAT(changes_.Make(AddTo("a")), IsOkAndHolds(2u));
  EXPECT_THAT(server_.calls(), ElementsAre(Names{"a"}, Names{"a"}));
}

TEST_F(SharedChangesTest, ThreadsThatComeTogetherShareATransaction) {
  server_.Open();
  std::atomic<bool> shared = false;
  for (int t = 0; t < 8; ++t) {
    threads_.emplace_back([&, t] {
      const std::string name = absl::StrCat("v", t);
      while (!shared) {
        const auto version = changes_.Make(AddTo(name));
        ASSERT_OK(version);
        const std::vector<Names> calls = server_.calls();
        const Names& own = calls[*version - 1];
        EXPECT_THAT(own, IsSupersetOf({name}));
        if (own.size() > 1) shared = true;
      }
    });
  }
  Join();
}

// Whether they come in time for the same call is up to the scheduler.
TEST_F(SharedChangesTest, TwoOfOneVariableNeverTravelTogether) {
  Occupy();
  for (int i = 0; i < 40; ++i) MakeInThread(AddTo(absl::StrCat("v", i % 3)));
  server_.Open();
  Join();
  size_t made = 0;
  for (const Names& call : server_.calls()) {
    EXPECT_THAT(std::set<std::string>(call.begin(), call.end()),
                SizeIs(call.size()));
    made += call.size();
  }
  EXPECT_EQ(made, 42u);
}

TEST_F(SharedChangesTest, OneThatCannotJoinDoesNotWaitForTheOthers) {
  Occupy();
  for (int i = 0; i < 10; ++i) MakeInThread(AddTo("v"));
  server_.AwaitCalls(11);  // all but the first that waits
  server_.Open();
  Join();
  EXPECT_THAT(server_.calls(), SizeIs(12));
}

TEST_F(SharedChangesTest, ContainersAndDurabilitiesAreNotMixed) {
  Occupy();
  for (int i = 0; i < 40; ++i) {
    MakeInThread(AddTo(absl::StrCat("v", i),
                       i % 2 == 0 ? v1::DURABILITY_NONE : v1::DURABILITY_FSYNC,
                       absl::StrCat("c", i % 3)));
  }
  server_.Open();
  Join();
}

TEST_F(SharedChangesTest, WhatOneWantsInVainDoesNotFailTheOthers) {
  Occupy();
  for (int i = 0; i < 10; ++i) {
    MakeInThread(AddTo(absl::StrCat("v", i)));
    MakeInThread(AddTo("none"), absl::StatusCode::kNotFound);
  }
  server_.Open();
  Join();
}

TEST_F(SharedChangesTest, WithoutAServerNobodyTriesAgain) {
  Occupy(absl::StatusCode::kUnavailable);
  for (int i = 0; i < 10; ++i) {
    MakeInThread(AddTo(absl::StrCat("v", i)), absl::StatusCode::kUnavailable);
  }
  server_.Open(absl::UnavailableError("no server"));
  Join();
  size_t tried = 0;
  for (const Names& call : server_.calls()) tried += call.size();
  EXPECT_EQ(tried, 12u);
}

TEST_F(SharedChangesTest, NobodyTriesAgainWhatMayHaveBeenApplied) {
  Occupy(absl::StatusCode::kFailedPrecondition);
  for (int i = 0; i < 10; ++i) {
    MakeInThread(AddTo(absl::StrCat("v", i)),
                 absl::StatusCode::kFailedPrecondition);
  }
  server_.Open(absl::FailedPreconditionError(
      "request id (client 7, sequence 1) is older than the last 1024 requests "
      "of its client: whether it was applied is not known any more"));
  Join();
  size_t tried = 0;
  for (const Names& call : server_.calls()) tried += call.size();
  EXPECT_EQ(tried, 12u);
}

}  // namespace
}  // namespace varkeep::client
