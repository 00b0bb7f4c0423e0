// SPDX-License-Identifier: Apache-2.0
#include "server/durability/checkpoint_codec.h"

#include <memory>
#include <set>

#include "storage/directory_checkpoint_store.h"
#include "storage/memory_checkpoint_store.h"
#include "storage/memory_file_system.h"
#include "tests/server/variables/store_testing.h"
#include "tests/testing/checkpoints.h"
#include "tests/testing/fake_clock.h"

namespace varkeep {
namespace {

using absl::StatusCode;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class CheckpointCodecTest : public StoreTest {
 protected:
  absl::StatusOr<StoreSnapshot> Decode(storage::CheckpointContents contents) {
    storage::MemoryCheckpointStore checkpoints(&clock_);
    return Decode(std::move(contents), &checkpoints);
  }
  absl::StatusOr<StoreSnapshot> Decode(storage::CheckpointContents contents,
                                       storage::CheckpointStore* checkpoints) {
    absl::StatusOr<storage::CheckpointInfo> info =
        checkpoints->Write(std::move(contents), nullptr);
    if (!info.ok()) return info.status();
    absl::StatusOr<std::unique_ptr<storage::CheckpointReader>> reader =
        checkpoints->Open(info->id);
    if (!reader.ok()) return reader.status();
    return DecodeSnapshot(reader->get());
  }

  // What the store holds comes back from memory and from a file.
  void ExpectRoundTrip() {
    const StoreSnapshot snapshot = store_.Snapshot();
    storage::MemoryFileSystem disk;
    ASSERT_OK_AND_ASSIGN(
        auto directory,
        storage::DirectoryCheckpointStore::Open(&disk, "/data", &clock_));
    storage::MemoryCheckpointStore memory(&clock_);
    for (storage::CheckpointStore* checkpoints :
         std::initializer_list<storage::CheckpointStore*>{&memory,
                                                          directory.get()}) {
      ASSERT_OK_AND_ASSIGN(
          StoreSnapshot decoded,
          Decode(EncodeSnapshot(snapshot).value(), checkpoints));
      VariableStore other({}, &pool_);
      ASSERT_OK(other.Load(std::move(decoded)));
      ExpectSameSnapshot(other.Snapshot(), snapshot);
    }
  }

  FakeClock clock_;
};

TEST_F(CheckpointCodecTest, NamesThatHdf5WouldMisreadAreEscaped) {
  EXPECT_EQ(VariablePath("", "foo/v"), "variables/foo/v:0");
  EXPECT_EQ(VariablePath("c", "foo/v"), "containers/c/variables/foo/v:0");
  EXPECT_EQ(VariablePath("c/d", "v"), "containers/c%2Fd/variables/v:0");
  EXPECT_EQ(VariablePath("..", "v"), "containers/%2E%2E/variables/v:0");
  EXPECT_EQ(VariablePath("", "a//b"), "variables/a/%/b:0");
  EXPECT_EQ(VariablePath("", "./x"), "variables/%2E/x:0");
  EXPECT_EQ(VariablePath("", "a/../b"), "variables/a/%2E%2E/b:0");
  EXPECT_EQ(VariablePath("", ".."), "variables/..:0");
  EXPECT_EQ(VariablePath("", "a/"), "variables/a/:0");
}

TEST_F(CheckpointCodecTest, EveryDTypeComesBackBitByBit) {
  uint32_t seed = 0;
  for (DType dtype : kAllDTypes) {
    const std::string name(DTypeName(dtype));
    Put(store_, name, RandomTensor(dtype, {3, 5}, ++seed));
    Put(store_, name + "/scalar", RandomTensor(dtype, {}, ++seed));
    ASSERT_OK(Declare(store_, SpecOf(name + "/empty", {0, 2}, dtype)));
    ASSERT_OK(Declare(store_, SpecOf(name + "/raw", {4}, dtype)));
  }
  ExpectRoundTrip();
}

TEST_F(CheckpointCodecTest, EveryFactOfAVariableComesBack) {
  VariableSpec spec = RandomSpecOf("v", {2});
  spec.seeds = {~uint64_t{0}, uint64_t{1} << 63};
  spec.trainable = false;
  spec.collections = {"z", "a", "\xC3\xA9t\xC3\xA9 1"};
  spec.regularizer = "l2";
  spec.caching_device = "/cpu:0";
  spec.constraint = "norm";
  spec.creator = "worker 3";
  ASSERT_OK(Declare(store_, spec));
  ASSERT_OK(Initialize(store_, {"v"}));
  ASSERT_OK(Initialize(store_, {"v"}, true));
  ExpectRoundTrip();
}

TEST_F(CheckpointCodecTest, InitializersComeBackWithTheirTensors) {
  const TensorRef value = Of<float>({2}, {1, 2});
  const TensorRef scalar = Of<double>({}, {0.1});
  RandomUniformInitializer uniform;
  uniform.minval = -1.5;
  uniform.maxval = int64_t{7};
  uniform.seed = -3;
  const std::vector<InitializerSpec> initializers = {
      OnesInitializer(),
      ConstantInitializer{scalar},
      ValueInitializer{value},
      uniform,
      RandomNormalInitializer(),
      TruncatedNormalInitializer(),
      OrthogonalInitializer(),
      IdentityInitializer(),
      VarianceScalingInitializer(),
      UniformUnitScalingInitializer()};
  int next = 0;
  for (const InitializerSpec& initializer : initializers) {
    const std::string name = "v" + std::to_string(next++);
    const VariableSpec spec = SpecOf(name, {2}, DType::kFloat32, initializer);
    ASSERT_OK(Declare(store_, spec));
    ASSERT_OK(Declare(store_, spec, "c"));
  }
  ExpectRoundTrip();
}

TEST_F(CheckpointCodecTest, OddNamesComeBack) {
  std::string deep = "a";
  while (deep.size() < 1023) deep += "/a";
  const std::string slashes = "a" + std::string(1023, '/');
  std::string dots = ".";
  while (dots.size() < 1020) dots += "/..";
  for (const char* container : {"", "c", "c/d", ".", "..", "a//b"}) {
    for (const std::string& name :
         {std::string("a//b"), std::string("./x"), std::string("a/../b"),
          std::string("a"), std::string("a/"), std::string("a/b"),
          std::string("."), std::string(".."), std::string("variables/x"),
          std::string("requests"), std::string("containers/c/variables/v"),
          deep, slashes, dots}) {
      ASSERT_OK(Declare(store_,
                        SpecOf(name, {1}, DType::kFloat32,
                               ValueInitializer{Of<float>({1}, {3})}),
                        container));
    }
  }
  std::set<std::string> paths;
  for (const auto& variable : store_.Snapshot().variables) {
    paths.insert(
        VariablePath(variable.info.container, variable.info.spec.name));
  }
  EXPECT_THAT(paths, SizeIs(static_cast<size_t>(store_.usage().variables)));
  ExpectRoundTrip();
}

TEST_F(CheckpointCodecTest, TheRequestWindowComesBack) {
  ASSERT_OK(Declare(store_, SpecOf("v")));
  for (uint64_t i = 1; i <= 2000; ++i) {
    ASSERT_OK(store_.Apply(AddToCollectionMutation{"", "v", {"k"}},
                           RequestId{i % 2 == 0 ? ~uint64_t{0} : 1, i}));
  }
  ExpectRoundTrip();
}

TEST_F(CheckpointCodecTest, AnEmptyStoreComesBack) { ExpectRoundTrip(); }

TEST_F(CheckpointCodecTest, AMissingOrMistypedAttributeIsNamed) {
  Put(store_, "foo/v", Of<float>({1}, {1}));
  const storage::CheckpointContents good =
      EncodeSnapshot(store_.Snapshot()).value();
  ASSERT_THAT(good.entries, SizeIs(1));
  ASSERT_OK(Decode(good));
  for (size_t i = 0; i < good.entries[0].attributes.size(); ++i) {
    const std::string name = good.entries[0].attributes[i].name;
    const auto says = [&](const std::string& what) {
      return StatusIs(
          StatusCode::kDataLoss,
          "entry 'variables/foo/v:0': attribute '" + name + "' " + what);
    };
    storage::CheckpointContents missing = good;
    missing.entries[0].attributes.erase(missing.entries[0].attributes.begin() +
                                        static_cast<ptrdiff_t>(i));
    EXPECT_THAT(Decode(missing), says("is missing"));
    storage::CheckpointContents mistyped = good;
    mistyped.entries[0].attributes[i].value = int64_t{5};
    EXPECT_THAT(Decode(mistyped), says("has another type"));
  }
}

TEST_F(CheckpointCodecTest, ADamagedInitializerIsNamedByItsEntry) {
  ASSERT_OK(Declare(store_, SpecOf("v", {2}, DType::kFloat32,
                                   ValueInitializer{Of<float>({2}, {1, 2})})));
  const storage::CheckpointContents good =
      EncodeSnapshot(store_.Snapshot()).value();
  storage::CheckpointContents bad = good;
  for (storage::CheckpointEntry& entry : bad.entries) {
    for (storage::Attribute& attribute : entry.attributes) {
      if (attribute.name == "initializer") attribute.value = std::string("{");
    }
  }
  EXPECT_THAT(Decode(bad), StatusIs(StatusCode::kDataLoss,
                                    AllOf(HasSubstr("'variables/v:0'"),
                                          HasSubstr("not a JSON object"))));
  bad = good;
  std::erase_if(bad.entries, [](const storage::CheckpointEntry& entry) {
    return entry.path.starts_with("initial_values/");
  });
  EXPECT_THAT(Decode(bad), StatusIs(StatusCode::kDataLoss,
                                    AllOf(HasSubstr("'variables/v:0'"),
                                          HasSubstr("without its tensor"))));
}

TEST_F(CheckpointCodecTest, AnEntryThatNamesAnotherVariableIsRefused) {
  Put(store_, "a", Of<float>({1}, {1}));
  Put(store_, "b", Of<float>({1}, {1}));
  storage::CheckpointContents bad = EncodeSnapshot(store_.Snapshot()).value();
  bad.entries[1].attributes[0].value = std::string("a");

  EXPECT_THAT(Decode(bad),
              StatusIs(StatusCode::kDataLoss, HasSubstr("'variables/b:0'")));
}

TEST_F(CheckpointCodecTest, AMistypedTableOfRequestsIsNamed) {
  storage::CheckpointContents bad;
  bad.entries.push_back(EntryOf("requests", Of<float>({1, 3}, {1, 2, 3})));
  EXPECT_THAT(Decode(bad),
              StatusIs(StatusCode::kDataLoss, HasSubstr("'requests'")));
  bad.entries[0] = EntryOf("requests", Of<uint64_t>({2}, {1, 2}));
  EXPECT_THAT(Decode(bad),
              StatusIs(StatusCode::kDataLoss, HasSubstr("'requests'")));
}

TEST_F(CheckpointCodecTest, WhatLaterVersionsAddIsPassedOver) {
  Put(store_, "v", Of<float>({1}, {1}));
  const StoreSnapshot snapshot = store_.Snapshot();
  storage::CheckpointContents contents = EncodeSnapshot(snapshot).value();
  contents.entries.push_back(EntryOf("other/x", Of<float>({1}, {1})));
  contents.entries[0].attributes.push_back({"new", true});

  ASSERT_OK_AND_ASSIGN(StoreSnapshot decoded, Decode(contents));

  ExpectSameSnapshot(decoded, snapshot);
}

}  // namespace
}  // namespace varkeep
