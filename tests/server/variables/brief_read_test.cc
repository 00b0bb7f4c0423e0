// SPDX-License-Identifier: Apache-2.0
//
// Brief reads and updates in place take turns.
#include <algorithm>
#include <atomic>
#include <functional>
#include <numeric>
#include <thread>

#include "tests/server/variables/store_testing.h"
#include "tests/testing/blocked_thread.h"

namespace varkeep {
namespace {

using ::absl::StatusCode;

constexpr int64_t kRows = 50'000;

// A journal that calls something first.
class Commits final : public Journal {
 public:
  explicit Commits(std::function<void()> before) : before_(std::move(before)) {}
  absl::Status Commit(uint64_t revisions,
                      absl::FunctionRef<void(Revision)> publish) override {
    before_();
    revision_ += revisions;
    publish(revision_);
    return absl::OkStatus();
  }

 private:
  const std::function<void()> before_;
  Revision revision_ = 1000;
};

class BriefReadTest : public StoreTest {
 protected:
  BriefReadTest() {
    for (const char* name : {"v", "w"}) {
      Put(store_, name, Of<float>({kRows, 2}, std::vector<float>(2 * kRows)));
    }
  }

  const std::byte* BytesOf(const std::string& name) {
    return ValueOf(store_, name)->bytes().data();
  }

  // What a brief read finds in the first row.
  float First() {
    float first = -1;
    EXPECT_OK(store_.ReadBriefly("", "v", [&](VersionedValue read) {
      read.view().CopyTo(0, sizeof(first),
                         reinterpret_cast<std::byte*>(&first));
      return absl::OkStatus();
    }));
    return first;
  }
};

TEST_F(BriefReadTest, AnUpdateWaitsForItAndIsDoneInPlace) {
  const std::byte* bytes = BytesOf("v");
  std::optional<BlockedThread> update;

  ASSERT_OK(store_.ReadBriefly("", "v", [&](VersionedValue read) {
    update.emplace([&] { ASSERT_OK(store_.Apply(AddToRow("v", 0, 1))); });
    EXPECT_TRUE(update->IsBlocked());
    EXPECT_EQ(read.value->values<float>()[0], 0);
    return absl::OkStatus();
  }));
  update.reset();

  EXPECT_EQ(BytesOf("v"), bytes);
  EXPECT_EQ(First(), 1);
}

TEST_F(BriefReadTest, WhoComesWhileAnUpdateWaitsComesAfterIt) {
  std::optional<BlockedThread> update;
  std::optional<BlockedThread> brief;
  std::optional<BlockedThread> snapshot;
  float first = -1;

  ASSERT_OK(store_.ReadBriefly("", "v", [&](VersionedValue) {
    update.emplace([&] { ASSERT_OK(store_.Apply(AddToRow("v", 0, 1))); });
    EXPECT_TRUE(update->IsBlocked());
    brief.emplace([&] { first = First(); });
    EXPECT_TRUE(brief->IsBlocked());
    snapshot.emplace([&] {
      EXPECT_EQ(store_.Snapshot().variables[0].value->values<float>()[0], 1);
    });
    EXPECT_TRUE(snapshot->IsBlocked());
    return absl::OkStatus();
  }));
  brief.reset();

  EXPECT_EQ(first, 1);
}

TEST_F(BriefReadTest, WhoWaitedForAnUpdateComesBeforeTheNext) {
  const std::byte* bytes = BytesOf("v");
  std::optional<BlockedThread> brief;
  std::optional<BlockedThread> next;
  float first = -1;
  Commits journal([&] {
    brief.emplace([&] { first = First(); });
    EXPECT_TRUE(brief->IsBlocked());
    next.emplace([&] { ASSERT_OK(store_.Apply(AddToRow("v", 0, 1))); });
    EXPECT_TRUE(next->IsBlocked());
  });

  ASSERT_OK(store_.Apply(AddToRow("v", 0, 1), {}, &journal));
  brief.reset();
  next.reset();

  EXPECT_EQ(first, 1);
  EXPECT_EQ(First(), 2);
  EXPECT_EQ(BytesOf("v"), bytes);
}

TEST_F(BriefReadTest, ATransactionWaitsForThoseOfAllItsVariables) {
  const std::byte* v = BytesOf("v");
  const std::byte* w = BytesOf("w");
  std::optional<BlockedThread> update;

  ASSERT_OK(store_.ReadBriefly("", "v", [&](VersionedValue) {
    return store_.ReadBriefly("", "w", [&](VersionedValue) {
      update.emplace([&] {
        ASSERT_OK(store_.Apply(TransactionMutation{
            "", {AddToRow("w", 0, 2), AddToRow("v", 0, 1)}, {}}));
      });
      EXPECT_TRUE(update->IsBlocked());
      return absl::OkStatus();
    });
  }));
  update.reset();

  EXPECT_EQ(BytesOf("v"), v);
  EXPECT_EQ(BytesOf("w"), w);
  EXPECT_EQ(First(), 1);
}

TEST_F(BriefReadTest, WhatItKeepsNeverChanges) {
  TensorRef kept;
  std::optional<BlockedThread> update;

  ASSERT_OK(store_.ReadBriefly("", "v", [&](VersionedValue read) {
    update.emplace([&] { ASSERT_OK(store_.Apply(AddToRow("v", 0, 1))); });
    EXPECT_TRUE(update->IsBlocked());
    kept = std::move(read.value);
    return absl::OkStatus();
  }));
  update.reset();

  EXPECT_EQ(kept->values<float>()[0], 0);
  EXPECT_EQ(First(), 1);
}

TEST_F(BriefReadTest, AnUpdateDoesNotWaitWhenItHasToCopyAnyway) {
  const TensorRef held = ValueOf(store_, "v");

  ASSERT_OK(store_.ReadBriefly("", "v", [&](VersionedValue) {
    return Add(store_, "v",
               Of<float>({kRows, 2}, std::vector<float>(2 * kRows, 1)))
        .status();
  }));

  EXPECT_EQ(held->values<float>()[0], 0);
  EXPECT_EQ(First(), 1);
}

TEST_F(BriefReadTest, AnAssignAndADeletionDoNotWait) {
  ASSERT_OK(store_.ReadBriefly("", "v", [&](VersionedValue read) {
    EXPECT_OK(Assign(store_, "v",
                     Of<float>({kRows, 2}, std::vector<float>(2 * kRows, 7))));
    EXPECT_EQ(read.value->values<float>()[0], 0);
    EXPECT_OK(Delete(store_, "v"));
    EXPECT_EQ(read.value->values<float>()[0], 0);
    return absl::OkStatus();
  }));

  EXPECT_EQ(store_.usage().replaced_value_bytes, 0);
}

TEST_F(BriefReadTest, ErrorsAreThoseOfReadAndItsOwn) {
  const auto read = [&](const std::string& name, absl::Status own) {
    return store_.ReadBriefly("", name, [&](VersionedValue) { return own; });
  };
  ASSERT_OK(Declare(store_, SpecOf("empty", {2})));

  EXPECT_EQ(read("missing", {}), store_.Read("", "missing").status());
  EXPECT_EQ(read("empty", {}), store_.Read("", "empty").status());
  EXPECT_THAT(read("v", absl::DataLossError("own")),
              StatusIs(StatusCode::kDataLoss, "own"));
  const std::byte* bytes = BytesOf("v");
  ASSERT_OK(store_.Apply(AddToRow("v", 0, 1)));
  EXPECT_EQ(BytesOf("v"), bytes);
}

// Scatters add 1 to every element of some rows of both variables at once.
TEST_F(BriefReadTest, ManyOfThemAndManyUpdatesSeeWholeValues) {
  constexpr int kUpdates = 1000;
  const std::byte* v = BytesOf("v");
  std::atomic<int> writers = 2;
  std::atomic<int> reads = 0;
  std::vector<std::thread> threads;
  for (int writer = 0; writer < 2; ++writer) {
    threads.emplace_back([&, writer] {
      std::vector<int64_t> rows(64);
      std::iota(rows.begin(), rows.end(), 0);
      const ScatterMutation scatter{
          "",
          writer == 0 ? "v" : "w",
          ScatterOp::kAdd,
          false,
          Of<int64_t>({64}, rows),
          Of<float>({64, 2}, std::vector<float>(128, 1)),
          {}};
      ScatterMutation other = scatter;
      other.name = writer == 0 ? "w" : "v";
      for (int i = 0; i < kUpdates || reads < 1000; ++i) {
        if (i < kUpdates) {
          ASSERT_OK(
              store_.Apply(TransactionMutation{"", {scatter, other}, {}}));
        } else {
          std::this_thread::yield();
        }
      }
      --writers;
    });
  }
  for (int reader = 0; reader < 3; ++reader) {
    threads.emplace_back([&, reader] {
      float last = 0;
      while (writers > 0) {
        ASSERT_OK(store_.ReadBriefly(
            "", reader == 2 ? "w" : "v", [&](VersionedValue read) {
              const auto rows = read.value->values<float>().first(128);
              EXPECT_EQ(std::ranges::count(rows, rows[0]), 128);
              EXPECT_GE(rows[0], last);
              last = rows[0];
              return absl::OkStatus();
            }));
        ++reads;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(First(), 2 * kUpdates);
  EXPECT_EQ(BytesOf("v"), v);
}

TEST_F(BriefReadTest, AVariableMayBeDeletedMeanwhile) {
  std::atomic<bool> done = false;
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] {
      while (!done) {
        const absl::Status read =
            store_.ReadBriefly("", "v", [&](VersionedValue value) {
              const auto row = value.value->values<float>().first(2);
              EXPECT_EQ(row[0], row[1]);
              return absl::OkStatus();
            });
        ASSERT_TRUE(read.ok() || absl::IsNotFound(read) ||
                    absl::IsFailedPrecondition(read))
            << read;
        const absl::Status update = store_.Apply(AddToRow("v", 0, 1)).status();
        ASSERT_TRUE(update.ok() || absl::IsNotFound(update) ||
                    absl::IsFailedPrecondition(update))
            << update;
      }
    });
  }
  for (int round = 0; round < 100; ++round) {
    ASSERT_OK(Delete(store_, "v"));
    Put(store_, "v", Of<float>({kRows, 2}, std::vector<float>(2 * kRows)));
  }
  done = true;
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(store_.usage().variables, 2);
  EXPECT_EQ(store_.usage().replaced_value_bytes, 0);
}

}  // namespace
}  // namespace varkeep
