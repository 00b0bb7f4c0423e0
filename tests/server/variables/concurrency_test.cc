// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <atomic>
#include <thread>

#include "tests/server/variables/store_testing.h"

namespace varkeep {
namespace {

// Runs each body(i) in a thread of its own, i from 0.
template <typename Body>
std::vector<std::thread> Start(int count, Body body) {
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back(body, i);
  return threads;
}

void Join(std::vector<std::thread> threads) {
  for (std::thread& thread : threads) thread.join();
}

// Large enough to be updated in place.
constexpr int64_t kElements = 16384;

std::shared_ptr<Tensor> Filled(int64_t value) {
  return Of<int64_t>({kElements}, std::vector<int64_t>(kElements, value));
}

// The value of all elements; -1 when they differ.
int64_t CommonValue(const Tensor& tensor) {
  const std::span<const int64_t> values = tensor.values<int64_t>();
  const int64_t first = values[0];
  const bool equal =
      std::ranges::all_of(values, [&](int64_t v) { return v == first; });
  return equal ? first : -1;
}

class ConcurrencyTest : public StoreTest {};

TEST_F(ConcurrencyTest, NoReaderSeesATornTensorAndNoUpdateIsLost) {
  constexpr int kWriters = 3;
  constexpr int kUpdates = 2000;
  Put(store_, "v", Filled(0));
  std::atomic<bool> done = false;
  std::atomic<int> reads = 0;
  std::atomic<int64_t> updates = 0;

  auto readers = Start(2, [&](int) {
    Revision last = 0;
    int64_t last_value = 0;
    std::vector<std::pair<TensorRef, int64_t>> held;
    while (!done) {
      absl::StatusOr<VersionedValue> read = store_.Read("", "v");
      ASSERT_OK(read);
      const int64_t value = CommonValue(*read->value);
      ASSERT_GE(value, last_value);
      ASSERT_GE(read->version, last);
      // One change after the other: the version tells the value.
      ASSERT_EQ(read->version, 2 + static_cast<Revision>(value));
      last = read->version;
      last_value = value;
      if (held.size() < 16) held.emplace_back(read->value, value);
      ++reads;
    }
    for (const auto& [tensor, value] : held) {
      EXPECT_EQ(CommonValue(*tensor), value);
    }
  });
  Join(Start(kWriters, [&](int) {
    const TensorRef one = Filled(1);
    for (int i = 0; i < kUpdates || reads < 200; ++i) {
      ASSERT_OK(Add(store_, "v", one));
      ++updates;
    }
  }));
  done = true;
  Join(std::move(readers));

  EXPECT_EQ(CommonValue(*ValueOf(store_, "v")), updates);
}

TEST_F(ConcurrencyTest, ManyValuesAreReadAtOneRevision) {
  Put(store_, "a", Filled(0));
  Put(store_, "b", Filled(0));
  std::atomic<bool> done = false;
  std::atomic<int> reads = 0;

  auto readers = Start(2, [&](int reader) {
    while (!done) {
      int64_t a = 0;
      int64_t b = 0;
      if (reader == 0) {
        absl::StatusOr<Cut> cut = store_.ReadCut("", {"a", "b"});
        ASSERT_OK(cut);
        a = CommonValue(*cut->values[0].value);
        b = CommonValue(*cut->values[1].value);
        ASSERT_GE(cut->revision, cut->values[0].version);
      } else {
        const StoreSnapshot snapshot = store_.Snapshot();
        a = CommonValue(*snapshot.variables[0].value);
        b = CommonValue(*snapshot.variables[1].value);
      }
      // Restores set both; updates are made to a first, then to b.
      ASSERT_GE(b, 0);
      ASSERT_GE(a, b);
      ASSERT_LE(a, b + 1);
      ++reads;
    }
  });
  const TensorRef one = Filled(1);
  for (int round = 0; round < 1500 || reads < 200; ++round) {
    ASSERT_OK(Add(store_, "a", one));
    ASSERT_OK(Add(store_, "b", one));
    RestoreMutation restore;
    for (const char* name : {"a", "b"}) {
      VariableInfo info;
      info.spec = SpecOf(name, {kElements}, DType::kInt64);
      restore.items.push_back({info, Filled(1000 * (round + 1))});
    }
    ASSERT_OK(store_.Apply(restore));
  }
  done = true;
  Join(std::move(readers));
}

TEST_F(ConcurrencyTest, ATransactionIsSeenAsAWhole) {
  Put(store_, "a", Filled(0));
  Put(store_, "b", Filled(0));
  std::atomic<bool> done = false;
  std::atomic<int> reads = 0;

  auto readers = Start(2, [&](int reader) {
    while (!done) {
      TensorRef a;
      TensorRef b;
      if (reader == 0) {
        absl::StatusOr<Cut> cut = store_.ReadCut("", {"a", "b"});
        ASSERT_OK(cut);
        a = cut->values[0].value;
        b = cut->values[1].value;
      } else {
        const StoreSnapshot snapshot = store_.Snapshot();
        a = snapshot.variables[0].value;
        b = snapshot.variables[1].value;
      }
      ASSERT_EQ(CommonValue(*a), CommonValue(*b));
      ++reads;
    }
  });
  const UpdateMutation add{"", "a", UpdateOp::kAdd, Filled(1), {}};
  UpdateMutation other = add;
  other.name = "b";
  for (int round = 0; round < 1500 || reads < 200; ++round) {
    ASSERT_OK(store_.Apply(TransactionMutation{"", {add, other}, {}}));
  }
  done = true;
  Join(std::move(readers));
}

TEST_F(ConcurrencyTest, AVariableMayBeDeletedWhileItIsUpdated) {
  Put(store_, "v", Filled(0));
  std::atomic<bool> done = false;

  auto threads = Start(2, [&](int) {
    const TensorRef one = Filled(1);
    while (!done) {
      absl::StatusOr<Applied> applied = Add(store_, "v", one);
      ASSERT_TRUE(applied.ok() || absl::IsNotFound(applied.status()) ||
                  absl::IsFailedPrecondition(applied.status()))
          << applied.status();
      absl::StatusOr<VersionedValue> read = store_.Read("", "v");
      if (read.ok()) {
        ASSERT_GE(CommonValue(*read->value), 0);
      }
    }
  });
  for (int round = 0; round < 2000; ++round) {
    ASSERT_OK(Delete(store_, "v"));
    Put(store_, "v", Filled(1000 * round));
  }
  done = true;
  Join(std::move(threads));

  const int64_t value = CommonValue(*ValueOf(store_, "v"));
  EXPECT_GE(value, 1999000);
  EXPECT_EQ(store_.usage().variables, 1);
  EXPECT_EQ(store_.usage().value_bytes, 8 * kElements);
}

TEST_F(ConcurrencyTest, OverlappingChangesOfManyVariablesAllFinish) {
  const std::vector<std::string> names = {"a", "b", "c", "d"};
  for (const std::string& name : names) {
    ASSERT_OK(Declare(store_, RandomSpecOf(name, {100})));
  }

  Join(Start(4, [&](int i) {
    std::vector<std::string> mine = names;
    std::rotate(mine.begin(), mine.begin() + i, mine.end());
    if (i % 2 == 1) std::ranges::reverse(mine);
    mine.insert(mine.end(), names.begin(), names.end());
    for (int round = 0; round < 50; ++round) {
      ASSERT_OK(Initialize(store_, mine, true));
      RestoreMutation restore;
      for (const std::string& name : names) {
        VariableInfo info;
        info.spec = SpecOf(name, {100});
        restore.items.push_back({info, ValueOf(store_, name)});
      }
      ASSERT_OK(store_.Apply(restore));
    }
  }));

  EXPECT_EQ(store_.Find("", "a")->run, 200u);
}

TEST_F(ConcurrencyTest, OnlyOneOfManyWinsAVersion) {
  Put(store_, "v", Of<int64_t>({}, {0}));

  Join(Start(4, [&](int) {
    for (int won = 0; won < 500;) {
      absl::StatusOr<VersionedValue> read = store_.Read("", "v");
      ASSERT_OK(read);
      const int64_t next = read->value->values<int64_t>()[0] + 1;
      absl::StatusOr<Applied> applied =
          Assign(store_, "v", Of<int64_t>({}, {next}), read->version);
      if (applied.ok()) {
        ++won;
      } else {
        ASSERT_TRUE(absl::IsAborted(applied.status())) << applied.status();
      }
    }
  }));

  EXPECT_THAT(ValueOf(store_, "v"), TensorEq(Of<int64_t>({}, {2000})));
}

TEST_F(ConcurrencyTest, AWatchFiresOnceWhoeverInitializesLast) {
  for (int round = 0; round < 100; ++round) {
    const std::string name = "v" + std::to_string(round);
    ASSERT_OK(Declare(store_, SpecOf(name + "/a", {1})));
    ASSERT_OK(Declare(store_, SpecOf(name + "/b", {1})));
    std::atomic<int> calls = 0;

    Join(Start(3, [&](int i) {
      if (i == 2) {
        store_.WatchInitialized("", {name + "/a", name + "/b"},
                                [&](Revision) { ++calls; });
      } else {
        ASSERT_OK(Initialize(store_, {name + (i == 0 ? "/a" : "/b")}));
      }
    }));

    EXPECT_EQ(calls, 1);
  }
}

TEST(MemoryLimitTest, HoldsWhenManyInitializeAtOnce) {
  ThreadPool pool(2);
  VariableStore store({1 << 20, 100'000}, &pool);
  for (int i = 0; i < 8; ++i) {
    ASSERT_OK(Declare(store, RandomSpecOf("v" + std::to_string(i), {10'000})));
  }

  Join(Start(8, [&](int i) {
    absl::StatusOr<Applied> applied =
        Initialize(store, {"v" + std::to_string(i)});
    ASSERT_TRUE(applied.ok() || absl::IsResourceExhausted(applied.status()))
        << applied.status();
  }));

  EXPECT_EQ(store.usage().value_bytes, 80'000);
  EXPECT_EQ(store.usage().uninitialized, 6);
}

}  // namespace
}  // namespace varkeep
