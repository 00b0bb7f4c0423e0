// SPDX-License-Identifier: Apache-2.0
#include "client/internal/shared_reads.h"

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
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;
using Names = std::vector<std::string>;

// Its calls wait until they are let go. The version of a value tells its name:
// that of "v7" is 7.
class Server {
 public:
  absl::StatusOr<std::vector<SharedReads::Value>> ReadAll(
      const std::string& container, const Names& names) {
    MutexLock lock(&mutex_);
    calls_.push_back(names);
    containers_.insert(container);
    changed_.NotifyAll();
    while (!open_) changed_.Wait(&mutex_);
    if (!error_.ok()) return error_;
    std::vector<SharedReads::Value> values;
    for (const std::string& name : names) {
      if (name == "none") return absl::NotFoundError("none");
      values.push_back({nullptr, std::stoull(name.substr(1))});
    }
    return values;
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
  std::set<std::string> containers() {
    MutexLock lock(&mutex_);
    return containers_;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool open_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status error_ ABSL_GUARDED_BY(mutex_);
  std::vector<Names> calls_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> containers_ ABSL_GUARDED_BY(mutex_);
};

class SharedReadsTest : public ::testing::Test {
 protected:
  ~SharedReadsTest() override { Join(); }

  void ReadInThread(const std::string& name, const std::string& expected,
                    const std::string& container = "") {
    threads_.emplace_back([=, this] {
      auto value = reads_.Read({container, name});
      const std::string got = value.ok()
                                  ? absl::StrCat("v", value->version)
                                  : std::string(value.status().message());
      EXPECT_EQ(got, expected);
    });
  }
  // Two calls are under way and stay so.
  void Occupy() {
    ReadInThread("v1", "v1");
    server_.AwaitCalls(1);
    ReadInThread("v2", "v2");
    server_.AwaitCalls(2);
  }
  void Join() {
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }
  // All that was asked for after Occupy.
  std::multiset<std::string> LaterNames() {
    std::multiset<std::string> names;
    for (const Names& call : server_.calls()) {
      names.insert(call.begin(), call.end());
    }
    names.erase("v1");
    names.erase("v2");
    return names;
  }

  Server server_;
  SharedReads reads_{[this](const std::string& container, const Names& names) {
    return server_.ReadAll(container, names);
  }};
  std::vector<std::thread> threads_;
};

TEST_F(SharedReadsTest, AThreadAloneAsksForItsValueAtOnce) {
  server_.Open();
  EXPECT_EQ(reads_.Read({"", "v5"})->version, 5u);
  EXPECT_EQ(reads_.Read({"", "v5"})->version, 5u);
  EXPECT_THAT(server_.calls(), ElementsAre(Names{"v5"}, Names{"v5"}));
}

TEST_F(SharedReadsTest, EachGetsItsOwnValue) {
  Occupy();
  for (int i = 10; i < 50; ++i) {
    ReadInThread(absl::StrCat("v", i), absl::StrCat("v", i));
  }
  server_.Open();
  Join();
  EXPECT_THAT(LaterNames(), SizeIs(40));
}

TEST_F(SharedReadsTest, ThreadsThatComeTogetherShareCalls) {
  server_.Open();
  std::atomic<bool> shared = false;
  for (int t = 0; t < 8; ++t) {
    threads_.emplace_back([&, t] {
      while (!shared) {
        const auto value = reads_.Read({"", absl::StrCat("v", t)});
        EXPECT_EQ(value->version, static_cast<uint64_t>(t));
        for (const Names& call : server_.calls()) {
          if (call.size() > 1) shared = true;
        }
      }
    });
  }
  Join();
}

// Whether they come in time for the same call is up to the scheduler.
TEST_F(SharedReadsTest, ACallAsksForANameOnce) {
  Occupy();
  for (int i = 0; i < 40; ++i) ReadInThread("v3", "v3");
  server_.Open();
  Join();
  for (const Names& call : server_.calls()) EXPECT_THAT(call, SizeIs(1));
}

TEST_F(SharedReadsTest, WhatOneAsksInVainDoesNotFailTheOthers) {
  Occupy();
  for (int i = 10; i < 20; ++i) {
    ReadInThread(absl::StrCat("v", i), absl::StrCat("v", i));
    ReadInThread("none", "none");
  }
  server_.Open();
  Join();
}

TEST_F(SharedReadsTest, WithoutAServerNobodyAsksAgain) {
  threads_.emplace_back([this] {
    EXPECT_TRUE(absl::IsUnavailable(reads_.Read({"", "v1"}).status()));
  });
  server_.AwaitCalls(1);
  threads_.emplace_back([this] {
    EXPECT_TRUE(absl::IsUnavailable(reads_.Read({"", "v2"}).status()));
  });
  server_.AwaitCalls(2);
  for (int i = 10; i < 20; ++i) {
    threads_.emplace_back([this, i] {
      const auto value = reads_.Read({"", absl::StrCat("v", i)});
      EXPECT_TRUE(absl::IsUnavailable(value.status()));
    });
  }
  server_.Open(absl::UnavailableError("no server"));
  Join();
  EXPECT_THAT(LaterNames(), SizeIs(10));
}

TEST_F(SharedReadsTest, ContainersAreNotMixed) {
  Occupy();
  for (int i = 10; i < 20; ++i) {
    ReadInThread(absl::StrCat("v", i), absl::StrCat("v", i),
                 absl::StrCat("c", i % 2));
  }
  server_.Open();
  Join();
  EXPECT_THAT(server_.containers(), UnorderedElementsAre("", "c0", "c1"));
  for (const Names& call : server_.calls()) {
    for (const std::string& name : call) {
      EXPECT_EQ(name.back() % 2, call[0].back() % 2);
    }
  }
}

}  // namespace
}  // namespace varkeep::client
