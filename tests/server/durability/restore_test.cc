// SPDX-License-Identifier: Apache-2.0
#include "tests/server/durability/checkpointer_testing.h"

namespace varkeep {
namespace {

using absl::StatusCode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class RestoreTest : public CheckpointerTest {
 protected:
  // Checkpoint 1 has a = 1, b = 2 and, in container c, a = 3; "raw" has no
  // value. Afterwards all three have the value 9.
  RestoreTest() {
    Put(store_, "a", Number(1));
    Put(store_, "b", Number(2));
    Put(store_, "a", Number(3), "c");
    EXPECT_OK(Declare(store_, SpecOf("raw")));
    EXPECT_EQ(SavedId(), 1);
    EXPECT_OK(Assign(store_, "a", Number(9)));
    EXPECT_OK(Assign(store_, "b", Number(9)));
    EXPECT_OK(store_.Apply(AssignMutation{"c", "a", Number(9), {}, true}));
  }

  static TensorRef Number(float value) { return Of<float>({}, {value}); }
  float Value(const std::string& name, const std::string& container = "") {
    TensorRef value = ValueOf(store_, name, container);
    return value == nullptr ? -1 : value->values<float>()[0];
  }
};

class DeleteCheckpointTest : public CheckpointerTest {};
class DescribeTest : public CheckpointerTest {};

TEST_F(RestoreTest, BringsEverythingBackAtOneNewRevision) {
  const Revision before = store_.usage().revision;

  ASSERT_OK_AND_ASSIGN(RestoreReport report, Restore({}));

  EXPECT_EQ(report.checkpoint.id, 1);
  EXPECT_EQ(report.revision, before + 1);
  EXPECT_EQ(report.items.size(), 4u);
  EXPECT_EQ(Value("a"), 1);
  EXPECT_EQ(Value("b"), 2);
  EXPECT_EQ(Value("a", "c"), 3);
  EXPECT_EQ(store_.Find("", "a")->version, report.revision);
  EXPECT_FALSE(store_.Find("", "raw")->initialized);
}

TEST_F(RestoreTest, BringsSomeBackAndLeavesTheRest) {
  RestoreOptions options;
  options.names = {"b:0"};

  ASSERT_OK_AND_ASSIGN(RestoreReport report, Restore(options));

  ASSERT_EQ(report.items.size(), 1u);
  EXPECT_EQ(report.items[0].checkpoint_name, "b");
  EXPECT_FALSE(report.items[0].declared);
  EXPECT_TRUE(report.items[0].has_value);
  EXPECT_EQ(Value("a"), 9);
  EXPECT_EQ(Value("b"), 2);
}

TEST_F(RestoreTest, NamesAreThoseOfOneContainer) {
  RestoreOptions options;
  options.container = "c";
  options.names = {"a"};

  ASSERT_OK(Restore(options));
  EXPECT_EQ(Value("a"), 9);
  EXPECT_EQ(Value("a", "c"), 3);
  options.names = {"b"};
  EXPECT_THAT(Restore(options),
              StatusIs(StatusCode::kNotFound, "Key b not found in checkpoint"));
}

TEST_F(RestoreTest, ANameMapRenames) {
  RestoreOptions options;
  options.name_map = {{"a", "b"}, {"b:0", "new/b:0"}};

  ASSERT_OK_AND_ASSIGN(RestoreReport report, Restore(options));

  EXPECT_EQ(Value("a"), 9);
  EXPECT_EQ(Value("b"), 1);
  EXPECT_EQ(Value("new/b"), 2);
  ASSERT_EQ(report.items.size(), 2u);
  EXPECT_EQ(report.items[1].checkpoint_name, "b");
  EXPECT_EQ(report.items[1].variable.spec.name, "new/b");
  EXPECT_TRUE(report.items[1].declared);
}

TEST_F(RestoreTest, NamesAndANameMapAreTakenTogether) {
  RestoreOptions options;
  options.names = {"a", "b"};
  options.name_map = {{"b", "d"}};

  ASSERT_OK(Restore(options));

  EXPECT_EQ(Value("a"), 1);
  EXPECT_EQ(Value("b"), 9);
  EXPECT_EQ(Value("d"), 2);
}

TEST_F(RestoreTest, TwoVariablesCannotBecomeOne) {
  RestoreOptions options;
  options.names = {"b"};
  options.name_map = {{"a", "b"}};
  const StoreSnapshot before = store_.Snapshot();

  EXPECT_THAT(Restore(options),
              StatusIs(StatusCode::kInvalidArgument,
                       "two variables of the checkpoint would be restored "
                       "into b"));
  options.names = {};
  options.name_map = {{"a", "_x"}};
  EXPECT_THAT(Restore(options), StatusIs(StatusCode::kInvalidArgument,
                                         HasSubstr("not a valid node name")));

  ExpectSameSnapshot(store_.Snapshot(), before);
}

TEST_F(RestoreTest, TheFirstMissingKeyIsNamedAndNothingIsChanged) {
  RestoreOptions options;
  options.names = {"z", "a", "m", "b"};
  const StoreSnapshot before = store_.Snapshot();

  EXPECT_THAT(Restore(options),
              StatusIs(StatusCode::kNotFound, "Key m not found in checkpoint"));

  ExpectSameSnapshot(store_.Snapshot(), before);
}

TEST_F(RestoreTest, ADryRunReportsAndChangesNothing) {
  ASSERT_OK(Delete(store_, "b"));
  RestoreOptions options;
  options.dry_run = true;
  const StoreSnapshot before = store_.Snapshot();

  ASSERT_OK_AND_ASSIGN(RestoreReport report, Restore(options));

  EXPECT_EQ(report.revision, 0u);
  std::vector<std::string> declared;
  std::vector<std::string> without_value;
  for (const RestoreReport::Item& item : report.items) {
    if (item.declared) declared.push_back(item.checkpoint_name);
    if (!item.has_value) without_value.push_back(item.checkpoint_name);
  }
  EXPECT_THAT(declared, ElementsAre("b"));
  EXPECT_THAT(without_value, ElementsAre("raw"));
  ExpectSameSnapshot(store_.Snapshot(), before);
}

TEST_F(RestoreTest, AnotherShapeChangesNothing) {
  ASSERT_OK(Delete(store_, "b"));
  Put(store_, "b", Of<float>({2}, {5, 5}));
  const StoreSnapshot before = store_.Snapshot();
  for (bool dry_run : {true, false}) {
    RestoreOptions options;
    options.dry_run = dry_run;

    EXPECT_THAT(
        Restore(options),
        StatusIs(StatusCode::kInvalidArgument,
                 HasSubstr("Assign requires shapes of both tensors to match. "
                           "lhs shape= [2] rhs shape= []")));

    ExpectSameSnapshot(store_.Snapshot(), before);
  }
}

TEST_F(RestoreTest, AnotherDTypeChangesNothing) {
  ASSERT_OK(Delete(store_, "b"));
  Put(store_, "b", Of<int32_t>({}, {5}));
  const StoreSnapshot before = store_.Snapshot();
  for (bool dry_run : {true, false}) {
    RestoreOptions options;
    options.dry_run = dry_run;

    EXPECT_THAT(Restore(options),
                StatusIs(StatusCode::kInvalidArgument,
                         "tensor_name = b; expected dtype int32 does not equal "
                         "original dtype float32"));

    ExpectSameSnapshot(store_.Snapshot(), before);
  }
}

TEST_F(RestoreTest, DeclaresWhatIsMissingAsItWas) {
  VariableSpec spec = RandomSpecOf("drawn", {4});
  spec.collections = {"x"};
  ASSERT_OK(Declare(store_, spec));
  ASSERT_OK(Initialize(store_, {"drawn"}));
  SavedId();
  const TensorRef value = ValueOf(store_, "drawn");
  ASSERT_OK(store_.Apply(ResetContainerMutation{""}));
  ASSERT_OK(store_.Apply(ResetContainerMutation{"c"}));

  ASSERT_OK(Restore({}));

  EXPECT_THAT(ValueOf(store_, "drawn"), TensorEq(value));
  ASSERT_OK_AND_ASSIGN(VariableInfo info, store_.Find("", "drawn"));
  EXPECT_THAT(info.spec.collections, ElementsAre("x"));
  EXPECT_EQ(info.run, 1u);
  EXPECT_EQ(info.spec.seeds.seed2, 8u);
  EXPECT_EQ(Value("a", "c"), 9);
  EXPECT_FALSE(store_.Find("", "raw")->initialized);
  EXPECT_EQ(store_.usage().variables, 5);
}

TEST_F(RestoreTest, TakesTheNewestOrTheOneThatIsAskedFor) {
  const storage::CheckpointId newest = SavedId();

  ASSERT_OK_AND_ASSIGN(RestoreReport report, Restore({}));
  EXPECT_EQ(report.checkpoint.id, newest);
  EXPECT_EQ(Value("a"), 9);
  RestoreOptions options;
  options.id = 1;
  ASSERT_OK(Restore(options));
  EXPECT_EQ(Value("a"), 1);
  options.id = 77;
  EXPECT_THAT(Restore(options),
              StatusIs(StatusCode::kNotFound, "there is no checkpoint 77"));
}

TEST_F(RestoreTest, IsRefusedWhileDraining) {
  committer_.SetDraining(true);

  EXPECT_THAT(Restore({}),
              StatusIs(StatusCode::kUnavailable, HasSubstr("draining")));
  EXPECT_EQ(Value("a"), 9);
}

TEST_F(RestoreTest, ValuesOfACheckpointAreNotChangedByLaterUpdates) {
  ASSERT_OK(Restore({}));
  ASSERT_OK(Add(store_, "a", Number(5)));
  ASSERT_OK(Restore({}));
  EXPECT_EQ(Value("a"), 1);
}

TEST_F(DescribeTest, WithoutACheckpointThereIsNothing) {
  EXPECT_THAT(Describe(0),
              StatusIs(StatusCode::kNotFound, "there is no checkpoint yet"));
  EXPECT_THAT(Restore({}),
              StatusIs(StatusCode::kNotFound, "there is no checkpoint yet"));
}

TEST_F(DescribeTest, TellsWhatACheckpointHas) {
  ASSERT_OK(Declare(store_, SpecOf("raw", {2}), "c"));
  Put(store_, "v", Of<int8_t>({1}, {1}));
  const StoreSnapshot saved = store_.Snapshot();
  const storage::CheckpointId id = SavedId();
  ASSERT_OK(Delete(store_, "v"));

  ASSERT_OK_AND_ASSIGN(Checkpointer::Description description, Describe(id));

  EXPECT_EQ(description.checkpoint.id, id);
  EXPECT_EQ(description.checkpoint.revision, saved.revision);
  ASSERT_EQ(description.variables.size(), 2u);
  // In the order of their paths.
  ExpectSameVariable(description.variables[0], saved.variables[1].info);
  ExpectSameVariable(description.variables[1], saved.variables[0].info);
}

TEST_F(DeleteCheckpointTest, TheNewestIsNotDeleted) {
  EXPECT_THAT(DeleteCheckpoint(1),
              StatusIs(StatusCode::kNotFound, "there is no checkpoint 1"));
  const storage::CheckpointId first = SavedId();
  const storage::CheckpointId second = SavedId();

  EXPECT_THAT(DeleteCheckpoint(second),
              StatusIs(StatusCode::kFailedPrecondition,
                       "checkpoint 2 is the newest one and is not deleted"));
  EXPECT_OK(DeleteCheckpoint(first));

  EXPECT_THAT(Listed(), ElementsAre(second));
  EXPECT_THAT(DeleteCheckpoint(second),
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr("newest")));
}

}  // namespace
}  // namespace varkeep
