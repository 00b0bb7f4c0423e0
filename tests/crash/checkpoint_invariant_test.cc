// SPDX-License-Identifier: Apache-2.0
//
// Transactions move amounts between variables, whose sum so never changes,
// while checkpoints are saved. Each checkpoint, restored, has that sum.
#include <gmock/gmock.h>

#include <atomic>
#include <random>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/admin_client.h"
#include "client/client.h"
#include "client/transaction.h"
#include "tests/testing/server_process.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/tensors.h"

namespace varkeep {
namespace {

using client::Variable;
using ::testing::Each;

constexpr int kVariables = 16;
constexpr int kMovers = 4;
constexpr int kUnderLoad = 100;
// With one move before each, so that most of it is in the two before.
constexpr int kBetweenMoves = 10;
// Large enough for that.
constexpr int64_t kElements = 8192;
constexpr int64_t kFirstValue = 1000;

class CheckpointInvariantTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(client_, client::Client::Connect(server_.address()));
    ASSERT_OK_AND_ASSIGN(session_, client_->OpenSession());
    for (int i = 0; i < kVariables; ++i) {
      ASSERT_OK_AND_ASSIGN(
          Variable account,
          session_->GetVariable(absl::StrCat("account/", i), {kElements},
                                client::Constant(kFirstValue),
                                {.dtype = DType::kInt64}));
      accounts_.push_back(account);
    }
    ASSERT_OK(session_->Initialize());
  }

  // Moves from one to another, of every element an amount of its own.
  void Move(std::mt19937* random) {
    std::vector<int64_t> amounts(kElements);
    for (int64_t& amount : amounts) amount = (*random)() % 100;
    const size_t from = (*random)() % kVariables;
    const size_t to = (from + 1 + (*random)() % (kVariables - 1)) % kVariables;
    const TensorRef moved = Of<int64_t>({kElements}, amounts);
    client::Transaction transaction;
    transaction.AssignSub(accounts_[from], moved);
    transaction.AssignAdd(accounts_[to], moved);
    EXPECT_OK(transaction.Commit());
  }

  // The elements of all variables, one after the other.
  std::vector<int64_t> ReadAll() {
    std::vector<int64_t> elements;
    absl::StatusOr<client::Snapshot> cut = session_->ReadSnapshot(accounts_);
    EXPECT_OK(cut);
    if (!cut.ok()) return elements;
    for (const TensorRef& value : cut->values) {
      const std::vector<int64_t> of_one = Values<int64_t>(*value);
      elements.insert(elements.end(), of_one.begin(), of_one.end());
    }
    return elements;
  }

  static std::vector<int64_t> SumOf(const std::vector<int64_t>& elements) {
    std::vector<int64_t> sum(kElements);
    for (size_t i = 0; i < elements.size(); ++i) {
      sum[i % kElements] += elements[i];
    }
    return sum;
  }

  ServerProcess server_{{"--checkpoint-interval", "0", "--max-to-keep", "0"}};
  std::shared_ptr<client::Client> client_;
  std::shared_ptr<client::Session> session_;
  std::vector<Variable> accounts_;
  std::atomic<bool> stop_ = false;
};

TEST_F(CheckpointInvariantTest, EveryCheckpointIsOneMomentOfTheLoad) {
  client::AdminClient admin(*client_);
  std::vector<std::thread> movers;
  for (uint32_t i = 0; i < kMovers; ++i) {
    movers.emplace_back([this, i] {
      for (std::mt19937 random(i); !stop_;) Move(&random);
    });
  }
  for (int i = 0; i < kUnderLoad; ++i) EXPECT_OK(admin.Save());
  stop_ = true;
  for (std::thread& mover : movers) mover.join();
  std::mt19937 random(kMovers);
  for (int i = 0; i < kBetweenMoves; ++i) {
    Move(&random);
    EXPECT_OK(admin.Save());
  }

  ASSERT_OK_AND_ASSIGN(auto checkpoints, admin.ListCheckpoints());
  ASSERT_EQ(checkpoints.size(), kUnderLoad + kBetweenMoves);
  std::vector<int64_t> before;
  uint64_t revision_before = 0;
  uint64_t shared_bytes = 0;
  for (const client::CheckpointInfo& checkpoint : checkpoints) {
    client::RestoreOptions options;
    options.id = checkpoint.id;
    ASSERT_OK(admin.Restore(options));
    const std::vector<int64_t> now = ReadAll();
    EXPECT_THAT(SumOf(now), Each(kVariables * kFirstValue))
        << "checkpoint " << checkpoint.id;
    // A stall of the disk may leave no move between two saves.
    EXPECT_EQ(now != before, checkpoint.revision != revision_before)
        << "checkpoint " << checkpoint.id << " of revision "
        << checkpoint.revision << " after one of " << revision_before;
    before = now;
    revision_before = checkpoint.revision;
    shared_bytes += checkpoint.shared_bytes;
  }
  EXPECT_GT(shared_bytes, 0u);

  server_.Kill();
  server_.Start();
  server_.WaitUntilServing();
  EXPECT_EQ(ReadAll(), before);
}

}  // namespace
}  // namespace varkeep
