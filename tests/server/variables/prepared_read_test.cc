// SPDX-License-Identifier: Apache-2.0
//
// What is read again is what a first read finds.
#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "tests/server/variables/store_testing.h"

namespace varkeep {
namespace {

using ::absl::StatusCode;
using ::testing::AnyOf;

class PreparedReadTest : public StoreTest {
 protected:
  absl::StatusOr<std::vector<TensorRef>> Values() {
    std::vector<TensorRef> values;
    absl::StatusOr<Revision> revision =
        store_.ReadCut(&read_, [&](const StoredValue& value, Revision version) {
          values.push_back(value.tensor);
          versions_.push_back(version);
        });
    if (!revision.ok()) return revision.status();
    revision_ = *revision;
    return values;
  }
  // Whether the next read is as the one before, and finds this value of v.
  void ExpectV(const TensorRef& expected, bool same_layout) {
    ASSERT_OK_AND_ASSIGN(auto values, Values());
    ASSERT_EQ(values.size(), 2u);
    EXPECT_THAT(values[1], TensorEq(expected));
    EXPECT_EQ(read_.same_layout(), same_layout);
    EXPECT_EQ(revision_, store_.usage().revision);
    EXPECT_EQ(versions_.back(), store_.Find("", "v")->version);
  }

  PreparedRead read_{"", {"u", "v"}};
  std::vector<Revision> versions_;
  Revision revision_ = 0;
};

TEST_F(PreparedReadTest, ANewValueKeepsTheLayout) {
  Put(store_, "u", Of<float>({}, {0}));
  Put(store_, "v", Of<float>({1}, {1}));
  ExpectV(Of<float>({1}, {1}), /*same_layout=*/false);

  ASSERT_OK(Assign(store_, "v", Of<float>({1}, {2})));
  Put(store_, "other", Of<float>({3}, {1, 2, 3}));

  ExpectV(Of<float>({1}, {2}), /*same_layout=*/true);
}

TEST_F(PreparedReadTest, AnotherShapeIsAnotherLayout) {
  Put(store_, "u", Of<float>({}, {0}));
  Put(store_, "v", Of<float>({1}, {1}));
  ASSERT_OK(Values());

  ASSERT_OK(
      store_.Apply(AssignMutation{"", "v", Of<float>({2}, {3, 4}), {}, false}));
  ExpectV(Of<float>({2}, {3, 4}), /*same_layout=*/false);

  TransactionMutation transaction;
  transaction.operations.push_back(
      AssignMutation{"", "v", Of<float>({}, {5}), {}, false});
  ASSERT_OK(store_.Apply(transaction));
  ExpectV(Of<float>({}, {5}), /*same_layout=*/false);
}

TEST_F(PreparedReadTest, ADeletedVariableIsLookedForAnew) {
  Put(store_, "u", Of<float>({}, {0}));
  Put(store_, "v", Of<float>({1}, {1}));
  ASSERT_OK(Values());

  ASSERT_OK(Delete(store_, "v"));
  EXPECT_THAT(Values(), StatusIs(StatusCode::kNotFound,
                                 "variable 'v' does not exist in container "
                                 "''"));
  ASSERT_OK(Declare(store_, SpecOf("v", {1}, DType::kInt32)));
  EXPECT_THAT(Values(), StatusIs(StatusCode::kFailedPrecondition,
                                 "Attempting to use uninitialized value v"));
  ASSERT_OK(Assign(store_, "v", Of<int32_t>({1}, {7})));
  ExpectV(Of<int32_t>({1}, {7}), /*same_layout=*/false);
  ExpectV(Of<int32_t>({1}, {7}), /*same_layout=*/true);

  ASSERT_OK(store_.Apply(ResetContainerMutation{""}));
  EXPECT_EQ(Values().status().code(), StatusCode::kNotFound);
}

TEST_F(PreparedReadTest, ADeletedVariableIsNotKept) {
  Put(store_, "u", Of<float>({}, {0}));
  auto value = Of<float>({1}, {1});
  const std::weak_ptr<Tensor> watched = value;
  Put(store_, "v", std::move(value));
  ASSERT_OK(Values());

  ASSERT_OK(Delete(store_, "v"));

  EXPECT_TRUE(watched.expired());
}

TEST_F(PreparedReadTest, ReadsWhileVariablesComeAndGoAndChangeInPlace) {
  // So large that updates are made in place.
  const auto filled = [](float value) {
    return Of<float>({20'000}, std::vector<float>(20'000, value));
  };
  Put(store_, "u", Of<float>({}, {0}));
  Put(store_, "v", filled(0));
  std::atomic<bool> done = false;
  std::atomic<int> reads = 0;
  std::thread reader([&] {
    while (!done) {
      absl::StatusOr<std::vector<TensorRef>> values = Values();
      if (!values.ok()) {
        ASSERT_THAT(
            values.status().code(),
            AnyOf(StatusCode::kNotFound, StatusCode::kFailedPrecondition));
        continue;
      }
      const auto elements = (*values)[1]->values<float>();
      ASSERT_EQ(elements.front(), elements.back());
      ++reads;
    }
  });

  for (int i = 0; i < 300 || reads < 100; ++i) {
    ASSERT_OK(Add(store_, "v", filled(1)));
    if (i % 3 != 0) continue;
    ASSERT_OK(Delete(store_, "v"));
    Put(store_, "v", filled(0));
  }
  done = true;
  reader.join();
}

}  // namespace
}  // namespace varkeep
