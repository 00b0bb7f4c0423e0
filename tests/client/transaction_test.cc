// SPDX-License-Identifier: Apache-2.0
#include "client/transaction.h"

#include <gmock/gmock.h>

#include <thread>

#include "absl/strings/str_cat.h"
#include "client/client.h"
#include "tests/testing/in_process_server.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/tensors.h"

namespace varkeep::client {
namespace {

using absl::StatusCode;
using ::testing::AllOf;
using ::testing::HasSubstr;

class TransactionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(client_, Client::Connect(server_.address()));
    ASSERT_OK_AND_ASSIGN(session_, client_->OpenSession());
    ASSERT_OK_AND_ASSIGN(a_, session_->GetVariable("a", {3}, Zeros()));
    ASSERT_OK_AND_ASSIGN(b_, session_->GetVariable("b", {3, 2}, Zeros()));
    ASSERT_OK(session_->Initialize());
  }

  static TensorRef Vector(float x, float y, float z) {
    return Of<float>({3}, {x, y, z});
  }
  static TensorRef ValueOf(const Variable& variable) {
    absl::StatusOr<TensorRef> value = variable.Read();
    EXPECT_OK(value);
    return value.ok() ? *value : nullptr;
  }
  static uint64_t VersionOf(const Variable& variable) {
    absl::StatusOr<VersionedTensor> read = variable.ReadVersioned();
    EXPECT_OK(read);
    return read.ok() ? read->version : 0;
  }

  InProcessServer server_;
  std::shared_ptr<Client> client_;
  std::shared_ptr<Session> session_;
  Variable a_, b_;
};

TEST_F(TransactionTest, AllChangesHappenAtOneRevision) {
  Transaction transaction;
  transaction.Assign(a_, Vector(1, 2, 3));
  transaction.AssignAdd(a_, Vector(1, 1, 1));
  transaction.Scatter(b_, ScatterOp::kAdd, Of<int32_t>({2}, {2, 2}),
                      Of<float>({2, 2}, {1, 2, 3, 4}));

  ASSERT_OK_AND_ASSIGN(uint64_t revision, transaction.Commit());

  EXPECT_THAT(ValueOf(a_), TensorEq(Vector(2, 3, 4)));
  EXPECT_THAT(ValueOf(b_), TensorEq(Of<float>({3, 2}, {0, 0, 0, 0, 4, 6})));
  EXPECT_EQ(VersionOf(a_), revision);
  EXPECT_EQ(VersionOf(b_), revision);
}

TEST_F(TransactionTest, OneErrorUndoesAll) {
  const uint64_t before = VersionOf(a_);
  Transaction transaction;
  transaction.AssignAdd(a_, Vector(1, 1, 1));
  transaction.Scatter(b_, ScatterOp::kUpdate, Of<int32_t>({1}, {3}),
                      Of<float>({1, 2}, {1, 2}));

  EXPECT_THAT(transaction.Commit(),
              StatusIs(StatusCode::kInvalidArgument,
                       HasSubstr("indices[0] = 3 is not in [0, 3)")));

  EXPECT_EQ(VersionOf(a_), before);
  EXPECT_THAT(ValueOf(a_), TensorEq(Vector(0, 0, 0)));
}

TEST_F(TransactionTest, AConditionThatFailsNamesBothVersions) {
  const uint64_t version = VersionOf(a_);
  ASSERT_OK(a_.AssignAdd(Vector(1, 1, 1)));
  const uint64_t newer = VersionOf(a_);
  Transaction transaction;
  transaction.Require(a_, version);
  transaction.Assign(b_, Of<float>({3, 2}, {1, 1, 1, 1, 1, 1}));

  EXPECT_THAT(
      transaction.Commit(),
      StatusIs(StatusCode::kAborted,
               AllOf(HasSubstr("'a'"), HasSubstr(std::to_string(version)),
                     HasSubstr(std::to_string(newer)))));
  EXPECT_THAT(ValueOf(b_), TensorEq(Of<float>({3, 2}, {0, 0, 0, 0, 0, 0})));
}

TEST_F(TransactionTest, AConditionThatHoldsLetsItHappen) {
  Transaction transaction;
  transaction.Require(a_, VersionOf(a_));
  transaction.AssignSub(a_, Vector(1, 0, 0));

  ASSERT_OK(transaction.Commit());

  EXPECT_THAT(ValueOf(a_), TensorEq(Vector(-1, 0, 0)));
}

TEST_F(TransactionTest, LargeTensorsTravelInPieces) {
  constexpr int64_t kElements = 3 << 20;
  ASSERT_OK_AND_ASSIGN(Variable big,
                       session_->GetVariable("big", {kElements}, Zeros()));
  ASSERT_OK(big.Initialize());
  const TensorRef twos =
      Of<float>({kElements}, std::vector<float>(kElements, 2));
  Transaction transaction;
  transaction.AssignAdd(big, twos);
  transaction.Assign(a_, Vector(7, 8, 9));

  ASSERT_OK(transaction.Commit(Durability::kFsync));

  EXPECT_THAT(ValueOf(big), TensorEq(twos));
  EXPECT_THAT(ValueOf(a_), TensorEq(Vector(7, 8, 9)));
}

TEST_F(TransactionTest, AnEmptyOneIsAMistake) {
  EXPECT_THAT(Transaction().Commit(),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("is empty")));
}

TEST_F(TransactionTest, VariablesOfAnotherClientDoNotBelong) {
  ASSERT_OK_AND_ASSIGN(auto other, Client::Connect(server_.address()));
  ASSERT_OK_AND_ASSIGN(Variable foreign, other->FindVariable("b"));
  Transaction transaction;
  transaction.AssignAdd(a_, Vector(1, 1, 1));
  transaction.Require(foreign, 1);

  EXPECT_THAT(transaction.Commit(),
              StatusIs(StatusCode::kInvalidArgument,
                       HasSubstr("another client or container")));
}

TEST_F(TransactionTest, RowsAreScatteredAndGathered) {
  ASSERT_OK(b_.Scatter(ScatterOp::kUpdate, Of<int64_t>({2}, {0, 2}),
                       Of<float>({2, 2}, {1, 2, 5, 6})));
  ASSERT_OK(b_.ScatterNd(ScatterOp::kAdd, Of<int32_t>({1, 2}, {1, 1}),
                         Of<float>({1}, {9})));

  ASSERT_OK_AND_ASSIGN(TensorRef rows, b_.Gather(*Of<int32_t>({3}, {2, 0, 2})));
  EXPECT_THAT(rows, TensorEq(Of<float>({3, 2}, {5, 6, 1, 2, 5, 6})));
  ASSERT_OK_AND_ASSIGN(TensorRef element,
                       b_.GatherNd(*Of<int32_t>({1, 2}, {1, 1})));
  EXPECT_THAT(element, TensorEq(Of<float>({1}, {9})));
  for (int64_t axis : {1, -1}) {
    ASSERT_OK_AND_ASSIGN(TensorRef columns,
                         b_.Gather(*Of<int32_t>({1}, {1}), axis));
    ASSERT_OK_AND_ASSIGN(TensorRef column, b_.Read({{0, 1}, {-1, 1}}));
    EXPECT_THAT(columns, TensorEq(column));
  }
  EXPECT_THAT(b_.Gather(*Of<int32_t>({1}, {0}), 2),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "Expected axis in the range [-2, 2), but got 2"));
  EXPECT_THAT(b_.Gather(*Of<int32_t>({1}, {7})),
              StatusIs(StatusCode::kInvalidArgument,
                       HasSubstr("indices[0] = 7 is not in [0, 3)")));
}

TEST_F(TransactionTest, ScatteringIntoWhatHasNoValueIsRefused) {
  ASSERT_OK_AND_ASSIGN(Variable empty,
                       session_->GetVariable("empty", {3}, Zeros()));

  EXPECT_THAT(empty.Scatter(ScatterOp::kAdd, Of<int32_t>({1}, {0}),
                            Of<float>({1}, {1})),
              StatusIs(StatusCode::kFailedPrecondition,
                       HasSubstr("Attempting to use uninitialized value")));
}

TEST_F(TransactionTest, ADurabilityCanBeAskedFor) {
  AssignOptions options;
  options.durability = Durability::kFsync;

  EXPECT_OK(a_.Assign(Vector(1, 1, 1), options));
}

// Small changes of threads of one client share calls; nobody notices.
TEST_F(TransactionTest, ChangesOfManyThreadsArriveOnceEach) {
  constexpr int kThreads = 12;
  constexpr int kTimes = 60;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    ASSERT_OK_AND_ASSIGN(
        Variable own,
        session_->GetVariable(absl::StrCat("own", t), {3}, Zeros()));
    ASSERT_OK(own.Initialize());
    threads.emplace_back([this, own, t] {
      uint64_t last = 0;
      for (int i = 1; i <= kTimes; ++i) {
        ASSERT_OK_AND_ASSIGN(uint64_t version, own.AssignAdd(Vector(1, 2, 3)));
        EXPECT_GT(version, last);
        last = version;
        ASSERT_OK(t % 2 == 0 ? a_.AssignAdd(Vector(1, 0, 0))
                             : a_.AssignSub(Vector(0, 1, 0)));
        const auto count = static_cast<float>(i);
        EXPECT_THAT(ValueOf(own),
                    TensorEq(Vector(count, 2 * count, 3 * count)));
        EXPECT_THAT(own.Assign(Of<float>({2}, {1, 2})),
                    StatusIs(StatusCode::kInvalidArgument,
                             ::testing::StartsWith("Assign requires shapes")));
      }
      EXPECT_EQ(VersionOf(own), last);
    });
  }
  for (std::thread& thread : threads) thread.join();
  const float half = kThreads / 2 * kTimes;
  EXPECT_THAT(ValueOf(a_), TensorEq(Vector(half, -half, 0)));
}

}  // namespace
}  // namespace varkeep::client
