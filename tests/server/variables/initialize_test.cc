// SPDX-License-Identifier: Apache-2.0
#include "tests/server/variables/store_testing.h"

namespace varkeep {
namespace {

using absl::StatusCode;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

class InitializeTest : public StoreTest {};

TEST_F(InitializeTest, GivesTheInitialValueAtANewRevision) {
  ASSERT_OK(
      Declare(store_, SpecOf("v", {2}, DType::kInt32, OnesInitializer())));

  ASSERT_OK_AND_ASSIGN(Applied applied, Initialize(store_, {"v"}));

  EXPECT_EQ(applied.revision, 2u);
  EXPECT_THAT(applied.names, ElementsAre("v"));
  ASSERT_OK_AND_ASSIGN(VersionedValue read, store_.Read("", "v"));
  EXPECT_EQ(read.version, 2u);
  EXPECT_EQ(read.name, "v");
  EXPECT_THAT(read.value, TensorEq(Of<int32_t>({2}, {1, 1})));
  EXPECT_EQ(store_.Find("", "v")->run, 1u);
}

TEST_F(InitializeTest, ManyVariablesShareOneRevision) {
  for (const char* name : {"a", "b", "c"}) {
    ASSERT_OK(Declare(store_, SpecOf(name, {2})));
  }

  ASSERT_OK_AND_ASSIGN(Applied applied, Initialize(store_, {"c", "a", "b"}));

  EXPECT_THAT(applied.names, ElementsAre("c", "a", "b"));
  EXPECT_EQ(store_.usage().revision, applied.revision);
  for (const char* name : {"a", "b", "c"}) {
    EXPECT_EQ(store_.Find("", name)->version, applied.revision);
  }
}

TEST_F(InitializeTest, LeavesVariablesThatHaveAValueAlone) {
  Put(store_, "old", Of<float>({1}, {5}));
  ASSERT_OK(Declare(store_, SpecOf("new", {1})));

  ASSERT_OK_AND_ASSIGN(Applied applied, Initialize(store_, {"old", "new"}));

  EXPECT_THAT(applied.names, ElementsAre("new"));
  EXPECT_THAT(ValueOf(store_, "old"), TensorEq(Of<float>({1}, {5})));
  EXPECT_EQ(store_.Find("", "old")->run, 0u);
}

TEST_F(InitializeTest, NothingToDoIsNoChange) {
  Put(store_, "v", Of<float>({1}, {5}));
  const Revision before = store_.usage().revision;

  ASSERT_OK_AND_ASSIGN(Applied applied, Initialize(store_, {"v"}));
  EXPECT_EQ(applied.revision, 0u);
  EXPECT_THAT(applied.names, IsEmpty());
  ASSERT_OK_AND_ASSIGN(applied, Initialize(store_, {}));
  EXPECT_EQ(applied.revision, 0u);

  EXPECT_EQ(store_.usage().revision, before);
}

TEST_F(InitializeTest, ForceOverwritesAndConstantsComeBack) {
  Put(store_, "v", Of<float>({1}, {5}));

  ASSERT_OK_AND_ASSIGN(Applied applied, Initialize(store_, {"v"}, true));

  EXPECT_THAT(applied.names, ElementsAre("v"));
  EXPECT_THAT(ValueOf(store_, "v"), TensorEq(Of<float>({1}, {0})));
}

TEST_F(InitializeTest, EachRunDrawsAnew) {
  const VariableSpec spec = RandomSpecOf("v", {16});
  ASSERT_OK(Declare(store_, spec));
  for (uint64_t run = 0; run < 3; ++run) {
    ASSERT_OK(Initialize(store_, {"v"}, true));

    ASSERT_OK_AND_ASSIGN(TensorRef expected,
                         RunInitializer(spec.initializer, spec.dtype,
                                        spec.shape, spec.seeds, run, nullptr));
    EXPECT_THAT(ValueOf(store_, "v"), TensorEq(expected)) << run;
    EXPECT_EQ(store_.Find("", "v")->run, run + 1);
  }
}

TEST_F(InitializeTest, ARepeatedNameIsDrawnOnce) {
  ASSERT_OK(Declare(store_, RandomSpecOf("v", {4})));

  ASSERT_OK_AND_ASSIGN(Applied applied,
                       Initialize(store_, {"v", "v", "v"}, true));

  EXPECT_THAT(applied.names, ElementsAre("v"));
  EXPECT_EQ(store_.Find("", "v")->run, 1u);
}

TEST_F(InitializeTest, AMissingVariableLeavesTheOthersAsTheyWere) {
  ASSERT_OK(Declare(store_, SpecOf("a", {2})));
  const StoreSnapshot before = store_.Snapshot();

  EXPECT_THAT(Initialize(store_, {"a", "missing"}),
              StatusIs(StatusCode::kNotFound,
                       "variable 'missing' does not exist in container ''"));

  ExpectSameSnapshot(store_.Snapshot(), before);
}

TEST_F(InitializeTest, AnInitializerThatFailsLeavesTheOthersAsTheyWere) {
  ASSERT_OK(Declare(store_, SpecOf("a", {2})));
  ASSERT_OK(Declare(store_, SpecOf("bad", {2, 2, 2}, DType::kFloat32,
                                   IdentityInitializer())));
  const StoreSnapshot before = store_.Snapshot();

  EXPECT_THAT(Initialize(store_, {"a", "bad"}), Not(IsOk()));

  ExpectSameSnapshot(store_.Snapshot(), before);
}

TEST_F(InitializeTest, AnUpdateNeverChangesTheTensorOfTheInitializer) {
  ASSERT_OK(Declare(store_, SpecOf("v", {2}, DType::kFloat32,
                                   ValueInitializer{Of<float>({2}, {1, 2})})));
  ASSERT_OK(Initialize(store_, {"v"}));
  ASSERT_OK(Add(store_, "v", Of<float>({2}, {10, 10})));

  ASSERT_OK(Initialize(store_, {"v"}, true));

  EXPECT_THAT(ValueOf(store_, "v"), TensorEq(Of<float>({2}, {1, 2})));
}

TEST_F(InitializeTest, ManyNamesAreOneCommit) {
  // The thread sanitizer follows at most 64 mutexes held by one thread.
#ifdef __SANITIZE_THREAD__
  constexpr int kNames = 50;
#else
  constexpr int kNames = 10'000;
#endif
  std::vector<std::string> names;
  for (int i = 0; i < kNames; ++i) {
    names.push_back("v" + std::to_string(i));
    ASSERT_OK(Declare(store_, SpecOf(names.back())));
  }

  ASSERT_OK_AND_ASSIGN(Applied applied, Initialize(store_, names));

  EXPECT_EQ(applied.names, names);
  EXPECT_EQ(store_.usage().uninitialized, 0);
}

}  // namespace
}  // namespace varkeep
