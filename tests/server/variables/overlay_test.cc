// SPDX-License-Identifier: Apache-2.0
//
// Rows that change while somebody holds the value: who holds it finds it as it
// was, everybody else as it is, and nothing of its size is copied.
#include <atomic>
#include <thread>

#include "tests/server/variables/store_testing.h"

namespace varkeep {
namespace {

using ::absl::StatusCode;

constexpr int64_t kRows = 50'000;
constexpr int64_t kBytes = kRows * 2 * 4;

TensorRef Zeros() {
  return Of<float>({kRows, 2}, std::vector<float>(2 * kRows));
}

class OverlayTest : public StoreTest {
 protected:
  OverlayTest() {
    for (const char* name : {"v", "w"}) Put(store_, name, Zeros());
  }

  // The tensor that the variable has, whatever lies over it.
  const Tensor* TensorOf(const std::string& name) {
    return store_.Read("", name)->value.get();
  }
  float At(const std::string& name, int64_t row) {
    return ValueOf(store_, name)->values<float>()[static_cast<size_t>(2 * row)];
  }
  int64_t OverlayBytes() { return store_.usage().replaced_value_bytes; }
};

TEST_F(OverlayTest, TheHolderFindsTheOldValueAndOthersTheNew) {
  const TensorRef held = ValueOf(store_, "v");
  for (int i = 0; i < 3; ++i) ASSERT_OK(store_.Apply(AddToRow("v", 7, 1)));
  ASSERT_OK(store_.Apply(AddToRow("v", kRows - 1, 5)));

  EXPECT_THAT(held, TensorEq(Zeros()));
  EXPECT_EQ(At("v", 7), 3);
  EXPECT_EQ(At("v", 8), 0);
  EXPECT_EQ(At("v", kRows - 1), 5);
  EXPECT_EQ(TensorOf("v"), held.get());
  EXPECT_EQ(OverlayBytes(), 2 * TensorOverlay::kPageBytes);
}

TEST_F(OverlayTest, EachHolderKeepsItsOwn) {
  const VersionedValue zero = *store_.Read("", "v");
  ASSERT_OK(store_.Apply(AddToRow("v", 7, 1)));
  const VersionedValue one = *store_.Read("", "v");
  ASSERT_OK(store_.Apply(AddToRow("v", 7, 1)));
  const StoreSnapshot two = store_.Snapshot();
  ASSERT_OK(store_.Apply(AddToRow("v", 7, 1)));

  const auto at_seven = [](const TensorView& view) {
    return (*view.Copy())->values<float>()[14];
  };
  EXPECT_EQ(at_seven(zero.view()), 0);
  EXPECT_EQ(at_seven(one.view()), 1);
  EXPECT_EQ(at_seven({*two.variables[0].value, two.variables[0].overlay.get()}),
            2);
  EXPECT_EQ(At("v", 7), 3);
}

TEST_F(OverlayTest, TheNextChangeFoldsItWhenNobodyHoldsTheValue) {
  TensorRef held = ValueOf(store_, "v");
  const Tensor* tensor = held.get();
  ASSERT_OK(store_.Apply(AddToRow("v", 7, 1)));
  held.reset();
  ASSERT_OK(store_.Apply(AddToRow("v", 8, 2)));

  EXPECT_EQ(TensorOf("v"), tensor);
  EXPECT_EQ(tensor->values<float>()[14], 1);
  EXPECT_EQ(tensor->values<float>()[16], 2);
  EXPECT_EQ(OverlayBytes(), 0);
}

TEST_F(OverlayTest, FoldingLeavesThoseThatAreHeld) {
  TensorRef held = ValueOf(store_, "v");
  ASSERT_OK(store_.Apply(AddToRow("v", 7, 1)));
  store_.FoldOverlays();
  EXPECT_EQ(held->values<float>()[14], 0);
  EXPECT_EQ(OverlayBytes(), TensorOverlay::kPageBytes);

  held.reset();
  store_.FoldOverlays();
  EXPECT_EQ(OverlayBytes(), 0);
  EXPECT_EQ(TensorOf("v")->values<float>()[14], 1);
}

TEST_F(OverlayTest, OtherChangesStartFromWhatItShows) {
  const TensorRef held = ValueOf(store_, "v");
  ASSERT_OK(store_.Apply(AddToRow("v", 7, 1)));
  ASSERT_OK(Add(store_, "v",
                Of<float>({kRows, 2}, std::vector<float>(2 * kRows, 10))));
  EXPECT_EQ(At("v", 7), 11);
  EXPECT_EQ(At("v", 8), 10);
  EXPECT_EQ(OverlayBytes(), kBytes);  // the value that is held

  const TensorRef again = ValueOf(store_, "v");
  ASSERT_OK(store_.Apply(AddToRow("v", 7, 1)));
  ASSERT_OK(Assign(store_, "v", Zeros()));
  EXPECT_EQ(At("v", 7), 0);
  EXPECT_EQ(OverlayBytes(), 2 * kBytes);
}

TEST_F(OverlayTest, TransactionsUseIt) {
  const TensorRef v = ValueOf(store_, "v");
  ASSERT_OK(store_.Apply(TransactionMutation{
      "",
      {AddToRow("v", 7, 1), AddToRow("w", 7, 2), AddToRow("v", 7, 3)},
      {}}));

  EXPECT_THAT(v, TensorEq(Zeros()));
  EXPECT_EQ(TensorOf("v"), v.get());
  EXPECT_EQ(At("v", 7), 4);
  EXPECT_EQ(At("w", 7), 2);
  EXPECT_EQ(OverlayBytes(), TensorOverlay::kPageBytes);
}

TEST_F(OverlayTest, NothingOfAChangeThatIsNotCommittedIsSeen) {
  class Full final : public Journal {
   public:
    absl::Status Commit(uint64_t, absl::FunctionRef<void(Revision)>) override {
      return absl::ResourceExhaustedError("full");
    }
  } full;
  const TensorRef held = ValueOf(store_, "v");
  ASSERT_OK(store_.Apply(AddToRow("v", 7, 1)));

  EXPECT_THAT(store_.Apply(AddToRow("v", 8, 1), {}, &full),
              StatusIs(StatusCode::kResourceExhausted, "full"));
  EXPECT_THAT(store_.Apply(TransactionMutation{"", {AddToRow("w", 8, 1)}, {}},
                           {}, &full),
              StatusIs(StatusCode::kResourceExhausted, "full"));
  ScatterMutation outside = AddToRow("v", kRows, 1);
  EXPECT_THAT(store_.Apply(outside).status().code(),
              StatusCode::kInvalidArgument);

  EXPECT_EQ(At("v", 7), 1);
  EXPECT_EQ(At("v", 8), 0);
  EXPECT_EQ(At("w", 8), 0);
  ASSERT_OK(store_.Apply(AddToRow("v", 8, 1)));
  EXPECT_EQ(At("v", 8), 1);
}

TEST_F(OverlayTest, WithMostOfTheRowsAllIsCopied) {
  const TensorRef held = ValueOf(store_, "v");
  std::vector<int64_t> all(kRows);
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<int64_t>(i);
  ASSERT_OK(store_.Apply(ScatterMutation{"",
                                         "v",
                                         ScatterOp::kAdd,
                                         false,
                                         Of<int64_t>({kRows}, all),
                                         Of<float>({}, {1}),
                                         {}}));

  EXPECT_NE(TensorOf("v"), held.get());
  EXPECT_EQ(At("v", 7), 1);
  EXPECT_EQ(OverlayBytes(), kBytes);
}

TEST_F(OverlayTest, ADeletedVariableTakesItAlong) {
  const TensorRef held = ValueOf(store_, "v");
  ASSERT_OK(store_.Apply(AddToRow("v", 7, 1)));
  ASSERT_OK(Delete(store_, "v"));
  store_.FoldOverlays();
  EXPECT_EQ(OverlayBytes(), kBytes);
}

// Writers that hardly rest do not keep whoever wants all of the value waiting.
TEST_F(OverlayTest, WholeReadsAndSnapshotsComeBetweenChanges) {
  std::atomic<bool> done = false;
  std::vector<std::thread> writers;
  for (int i = 0; i < 2; ++i) {
    writers.emplace_back([&, i] {
      while (!done) {
        if (i == 0) {
          ASSERT_OK(store_.Apply(AddToRow("v", 7, 1)));
        } else {
          ASSERT_OK(store_.Apply(TransactionMutation{
              "", {AddToRow("w", 7, 1), AddToRow("v", 8, 1)}, {}}));
        }
      }
    });
  }
  float last = 0;
  for (int i = 0; i < 300; ++i) {
    const Cut cut = *store_.ReadCut("", {"v", "w"});
    const TensorRef v = *cut.values[0].view().Copy();
    const TensorRef w = *cut.values[1].view().Copy();
    EXPECT_EQ(v->values<float>()[16], w->values<float>()[14]);
    EXPECT_GE(v->values<float>()[14], last);
    last = v->values<float>()[14];
    const StoreSnapshot snapshot = store_.Snapshot();
    EXPECT_EQ(snapshot.variables.size(), 2u);
    if (i % 10 == 0) store_.FoldOverlays();
  }
  done = true;
  for (std::thread& writer : writers) writer.join();
  store_.FoldOverlays();
  EXPECT_EQ(OverlayBytes(), 0);
}

}  // namespace
}  // namespace varkeep
