// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "tests/server/variables/store_testing.h"

namespace varkeep {
namespace {

using absl::StatusCode;
using ::testing::HasSubstr;

// Variables of at most 64 bytes, 100 bytes together.
class LimitsTest : public StoreTest {
 protected:
  LimitsTest() : StoreTest({64, 100}) {}
};

TensorRef Bytes(int64_t count) {
  return Of<uint8_t>({count},
                     std::vector<uint8_t>(static_cast<size_t>(count), 1));
}

TEST_F(LimitsTest, AVariableMayBeAsLargeAsTheLimit) {
  EXPECT_OK(Declare(store_, SpecOf("fits", {16})));
  EXPECT_THAT(Declare(store_, SpecOf("large", {17})),
              StatusIs(StatusCode::kResourceExhausted,
                       "variable 'large' of shape [17] and dtype float32 has "
                       "68 bytes, the largest variable has 64"));
  EXPECT_EQ(store_.usage().variables, 1);
}

TEST_F(LimitsTest, ASizeThatOverflowsIsRefused) {
  EXPECT_THAT(
      Declare(store_, SpecOf("v", {std::numeric_limits<int64_t>::max() / 2})),
      StatusIs(StatusCode::kInvalidArgument, ::testing::_));
}

TEST_F(LimitsTest, DeclaringTakesNoMemory) {
  for (const char* name : {"a", "b", "c"}) {
    EXPECT_OK(Declare(store_, SpecOf(name, {64}, DType::kUint8)));
  }
  EXPECT_EQ(store_.usage().value_bytes, 0);
}

TEST_F(LimitsTest, ValuesTogetherStayWithinTheMemoryLimit) {
  Put(store_, "a", Bytes(60));
  Put(store_, "b", Bytes(40));
  ASSERT_OK(Declare(store_, SpecOf("c", {1}, DType::kUint8)));

  EXPECT_THAT(Assign(store_, "c", Bytes(1)),
              StatusIs(StatusCode::kResourceExhausted,
                       "memory limit of 100 bytes: the variables hold 100 "
                       "bytes, the request needs 1 more"));
  EXPECT_FALSE(store_.Find("", "c")->initialized);
}

TEST_F(LimitsTest, AValueThatReplacesAnotherNeedsOnlyTheDifference) {
  Put(store_, "a", Bytes(60));
  Put(store_, "b", Bytes(40));

  EXPECT_OK(Assign(store_, "a", Bytes(60)));
  EXPECT_THAT(store_.Apply(AssignMutation{"", "a", Bytes(61), {}, false}),
              StatusIs(StatusCode::kResourceExhausted, HasSubstr("1 more")));
  EXPECT_OK(Add(store_, "a", Bytes(60)));
  EXPECT_EQ(store_.usage().value_bytes, 100);
}

// Two values of 100 KB.
class ReplacedValuesTest : public StoreTest {
 protected:
  ReplacedValuesTest() : StoreTest({100'000, 200'000}) {}
};

TEST_F(ReplacedValuesTest, WhatAReaderHoldsIsCountedUntilItIsDone) {
  Put(store_, "a", Bytes(100'000));
  TensorRef reader = ValueOf(store_, "a");
  EXPECT_EQ(store_.usage().replaced_value_bytes, 0);

  ASSERT_OK(Assign(store_, "a", Bytes(100'000)));
  EXPECT_EQ(store_.usage().value_bytes, 100'000);
  EXPECT_EQ(store_.usage().replaced_value_bytes, 100'000);
  for (int i = 0; i < 200; ++i) {
    ASSERT_OK(Assign(store_, "a", Bytes(100'000)));
  }
  EXPECT_EQ(store_.usage().replaced_value_bytes, 100'000);

  reader.reset();
  EXPECT_EQ(store_.usage().replaced_value_bytes, 0);
}

TEST_F(ReplacedValuesTest, SlowReadersDoNotExceedTheMemoryLimit) {
  Put(store_, "a", Bytes(100'000));
  TensorRef first = ValueOf(store_, "a");
  ASSERT_OK(Add(store_, "a", Bytes(100'000)));
  TensorRef second = ValueOf(store_, "a");

  for (const absl::Status& refused :
       {Assign(store_, "a", Bytes(100'000)).status(),
        Add(store_, "a", Bytes(100'000)).status()}) {
    EXPECT_THAT(
        refused,
        StatusIs(StatusCode::kResourceExhausted,
                 "memory limit of 200000 bytes: the variables hold "
                 "100000 bytes, reads and saves under way hold replaced "
                 "values of 100000 bytes, the request needs 100000 "
                 "more"));
  }
  EXPECT_TRUE(BitwiseEqual(*ValueOf(store_, "a"), *second));

  first.reset();
  EXPECT_OK(Add(store_, "a", Bytes(100'000)));
}

TEST_F(ReplacedValuesTest, RowsOfAValueThatIsHeldNeedOnlyTheirPages) {
  Put(store_, "a", Bytes(100'000));
  Put(store_, "b", Bytes(90'000));
  const TensorRef reader = ValueOf(store_, "a");
  const auto change = [&](int64_t row) {
    return store_.Apply(ScatterMutation{"",
                                        "a",
                                        ScatterOp::kUpdate,
                                        /*nd=*/false,
                                        Of<int64_t>({1}, {row}),
                                        Of<uint8_t>({}, {7}),
                                        {}});
  };
  // A row of one byte may lie in two pages, as far as is reckoned.
  ASSERT_OK(change(10));
  EXPECT_EQ(store_.usage().replaced_value_bytes, 4096);
  EXPECT_THAT(change(50'000),
              StatusIs(StatusCode::kResourceExhausted,
                       "memory limit of 200000 bytes: the variables hold "
                       "190000 bytes, reads and saves under way hold replaced "
                       "values of 4096 bytes, the request needs 8192 more"));
  EXPECT_EQ(ValueOf(store_, "a")->values<uint8_t>()[10], 7);
  EXPECT_EQ(ValueOf(store_, "a")->values<uint8_t>()[50'000],
            reader->values<uint8_t>()[50'000]);
}

TEST_F(ReplacedValuesTest, ADeletedValueThatIsReadIsCounted) {
  Put(store_, "a", Bytes(100'000));
  TensorRef reader = ValueOf(store_, "a");
  ASSERT_OK(Delete(store_, "a"));
  EXPECT_EQ(store_.usage().replaced_value_bytes, 100'000);
}

TEST_F(LimitsTest, AShrunkAndADeletedValueGiveTheirMemoryBack) {
  Put(store_, "a", Bytes(60));
  Put(store_, "b", Bytes(40));

  ASSERT_OK(store_.Apply(AssignMutation{"", "a", Bytes(20), {}, false}));
  EXPECT_EQ(store_.usage().value_bytes, 60);
  Put(store_, "c", Bytes(40));
  ASSERT_OK(Delete(store_, "b"));
  EXPECT_EQ(store_.usage().value_bytes, 60);
  Put(store_, "d", Bytes(40));
  ASSERT_OK(store_.Apply(ResetContainerMutation{""}));
  EXPECT_EQ(store_.usage().value_bytes, 0);
  Put(store_, "e", Bytes(64));
}

TEST_F(LimitsTest, InitializingMoreThanFitsChangesNothing) {
  ASSERT_OK(Declare(store_, SpecOf("a", {60}, DType::kUint8)));
  ASSERT_OK(Declare(store_, SpecOf("b", {60}, DType::kUint8)));
  const StoreSnapshot before = store_.Snapshot();

  EXPECT_THAT(Initialize(store_, {"a", "b"}),
              StatusIs(StatusCode::kResourceExhausted, HasSubstr("120 more")));

  ExpectSameSnapshot(store_.Snapshot(), before);
  EXPECT_OK(Initialize(store_, {"a"}));
}

// A server may be started with smaller limits than before.
TEST_F(LimitsTest, WhatWasAcceptedBeforeIsNotRefused) {
  VariableStore before({}, &pool_);
  Put(before, "a", Bytes(80));
  Put(before, "b", Bytes(80));
  ASSERT_OK(store_.Load(before.Snapshot()));
  const auto replay = [&](const Mutation& mutation) {
    EXPECT_OK(store_.Replay(mutation, {}, nullptr));
  };
  replay(DeclareMutation{"", SpecOf("c", {80}, DType::kUint8), false});
  replay(InitializeMutation{"", {"c"}, false});
  replay(AssignMutation{"", "c", Bytes(90), {}, /*validate_shape=*/false});
  replay(UpdateMutation{"", "c", UpdateOp::kAdd, Bytes(90), {}});
  replay(TransactionMutation{
      "", {AssignMutation{"", "c", Bytes(95), {}, false}}, {}});
  VariableInfo info;
  info.spec = SpecOf("d", {80}, DType::kUint8);
  replay(RestoreMutation{{{info, Bytes(80)}}});
  EXPECT_EQ(store_.usage().value_bytes, 335);

  EXPECT_OK(Assign(store_, "a", Bytes(80)));
  EXPECT_OK(Add(store_, "a", Bytes(80)));
  EXPECT_OK(Initialize(store_, {"a"}, /*force=*/true));
  EXPECT_OK(store_.Apply(AssignMutation{"", "a", Bytes(70), {}, false}));
  EXPECT_OK(store_.Apply(RestoreMutation{{{info, Bytes(80)}}}));
  EXPECT_THAT(store_.Apply(AssignMutation{"", "a", Bytes(71), {}, false}),
              StatusIs(StatusCode::kResourceExhausted,
                       "memory limit of 100 bytes: the variables hold 325 "
                       "bytes, the request needs 1 more"));
  for (const char* name : {"b", "c", "d"}) EXPECT_OK(Delete(store_, name));
  EXPECT_OK(store_.Apply(AssignMutation{"", "a", Bytes(100), {}, false}));
}

TEST_F(LimitsTest, ARepeatedNameIsMeasuredOnce) {
  ASSERT_OK(Declare(store_, SpecOf("a", {60}, DType::kUint8)));

  EXPECT_OK(Initialize(store_, {"a", "a"}));
  EXPECT_OK(Initialize(store_, {"a", "a"}, /*force=*/true));
}

TEST_F(LimitsTest, RestoringMoreThanFitsChangesNothing) {
  Put(store_, "a", Bytes(60));
  const StoreSnapshot before = store_.Snapshot();
  RestoreMutation restore;
  for (const char* name : {"a", "b"}) {
    VariableInfo info;
    info.spec = SpecOf(name, {60}, DType::kUint8);
    restore.items.push_back({info, Bytes(60)});
  }

  EXPECT_THAT(store_.CheckRestorable(restore),
              StatusIs(StatusCode::kResourceExhausted, HasSubstr("60 more")));
  EXPECT_THAT(store_.Apply(restore),
              StatusIs(StatusCode::kResourceExhausted, HasSubstr("60 more")));

  ExpectSameSnapshot(store_.Snapshot(), before);
}

}  // namespace
}  // namespace varkeep
