// SPDX-License-Identifier: Apache-2.0
#include "storage/checkpoint_sharing.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <random>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "storage/memory_file_system.h"
#include "tests/storage/store_checks.h"

namespace varkeep {
namespace {

using storage::CheckpointContents;
using storage::CheckpointId;
using storage::CheckpointInfo;
using storage::DirectoryCheckpointStore;
using storage::MemoryFileSystem;
using storage::Sharing;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr int64_t kBytes = 64 << 10;  // of each value below

std::string Path(const std::string& name) {
  return absl::StrCat(kDataDir, "/", name);
}

// One value for each number, which is its version and decides its bytes.
CheckpointContents Values(std::vector<uint64_t> versions) {
  CheckpointContents contents;
  for (size_t i = 0; i < versions.size(); ++i) {
    contents.revision = std::max(contents.revision, versions[i]);
    contents.entries.push_back(VersionedEntry(
        absl::StrCat("variables/v", i),
        RandomTensor(DType::kInt8, {kBytes},
                     static_cast<uint32_t>(100 * i + versions[i])),
        versions[i]));
  }
  storage::Sort(&contents);
  return contents;
}

// The checkpoints whose files it needs, itself among them.
std::set<CheckpointId> FilesOf(const CheckpointInfo& info) {
  std::set<CheckpointId> files(info.holders.begin(), info.holders.end());
  files.insert(info.id);
  return files;
}

class CheckpointSharingTest : public ::testing::Test {
 protected:
  void SetUp() override { Reopen(); }

  void Reopen(Sharing sharing = Sharing::kWithSpare) {
    store_.reset();
    ASSERT_OK_AND_ASSIGN(store_, DirectoryCheckpointStore::Open(
                                     &disk_, kDataDir, Clock::Real(), sharing));
  }

  CheckpointInfo Write(const CheckpointContents& contents) {
    auto info = store_->Write(contents, nullptr);
    EXPECT_OK(info);
    if (!info.ok()) return {};
    ExpectHas(info->id, contents);
    return *info;
  }

  void ExpectHas(CheckpointId id, const CheckpointContents& contents) {
    ASSERT_OK_AND_ASSIGN(auto reader, store_->Open(id));
    ASSERT_EQ(reader->contents().entries.size(), contents.entries.size());
    for (size_t i = 0; i < contents.entries.size(); ++i) {
      EXPECT_EQ(reader->contents().entries[i].path, contents.entries[i].path);
      EXPECT_THAT(reader->Read(i),
                  IsOkAndHolds(TensorEq(contents.entries[i].value)));
    }
  }

  std::vector<std::string> CheckpointFiles() {
    std::vector<std::string> names = *disk_.List(kDataDir);
    std::erase_if(names, [](const std::string& name) {
      return !absl::StartsWith(name, "ckpt-");
    });
    return names;
  }

  void Damage(const std::string& name) {
    std::string bytes = ReadFile(disk_, Path(name));
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
    ReplaceFile(disk_, Path(name), bytes);
  }

  MemoryFileSystem disk_;
  std::unique_ptr<DirectoryCheckpointStore> store_;
};

TEST_F(CheckpointSharingTest, WritesOnlyWhatChanged) {
  CheckpointInfo one = Write(Values({1, 1, 1, 1}));
  EXPECT_EQ(one.written_bytes, 4 * kBytes);
  CheckpointInfo two = Write(Values({1, 1, 1, 1}));
  EXPECT_EQ(two.written_bytes, 4 * kBytes);
  EXPECT_THAT(two.holders, IsEmpty());
  CheckpointInfo three = Write(Values({1, 2, 1, 1}));
  EXPECT_EQ(three.written_bytes, kBytes);
  EXPECT_EQ(three.shared_bytes, 3 * kBytes);
  EXPECT_THAT(three.holders, ElementsAre(1));
  EXPECT_LT(three.size_bytes, 3 * kBytes);
  CheckpointInfo four = Write(Values({1, 2, 1, 1}));
  EXPECT_EQ(four.written_bytes, kBytes);
  EXPECT_THAT(four.holders, ElementsAre(2));
  // Never by way of 3.
  CheckpointInfo five = Write(Values({1, 2, 1, 1}));
  EXPECT_EQ(five.written_bytes, 0);
  EXPECT_THAT(five.holders, ElementsAre(1, 3));
}

TEST_F(CheckpointSharingTest, WhatDoesNotChangeIsWrittenTwiceAndNeverAgain) {
  const CheckpointContents contents = Values({1, 1, 1});
  for (int i = 1; i <= 10; ++i) {
    if (i % 3 == 0) Reopen();
    EXPECT_EQ(Write(contents).written_bytes, i <= 2 ? 3 * kBytes : 0) << i;
    if (i > 2) {
      ASSERT_OK(store_->Remove(i - 2));
    }
  }
  EXPECT_THAT(CheckpointFiles(),
              ElementsAre("ckpt-000001.h5", "ckpt-000002.h5", "ckpt-000009.h5",
                          "ckpt-000010.h5"));
}

TEST_F(CheckpointSharingTest, GoesOnAfterOpeningAgain) {
  Write(Values({1, 1, 1}));
  Write(Values({1, 1, 1}));
  Write(Values({1, 1, 2}));
  Reopen();
  EXPECT_THAT(Write(Values({1, 1, 2})).holders, ElementsAre(2));
  EXPECT_THAT(Write(Values({1, 1, 2})).holders, ElementsAre(1, 3));
  EXPECT_THAT(store_->notices(), IsEmpty());
}

TEST_F(CheckpointSharingTest, CanBeTurnedOff) {
  Reopen(Sharing::kNone);
  Write(Values({1, 1}));
  Write(Values({1, 1}));
  EXPECT_THAT(Write(Values({1, 1})).holders, IsEmpty());
}

TEST_F(CheckpointSharingTest, WithTheNewestWhereNoOtherIsKept) {
  Reopen(Sharing::kWithNewest);
  Write(Values({1, 1, 1}));
  CheckpointInfo two = Write(Values({1, 1, 2}));
  EXPECT_EQ(two.written_bytes, kBytes);
  EXPECT_THAT(two.holders, ElementsAre(1));
  ASSERT_OK(store_->Remove(1));
  CheckpointInfo three = Write(Values({1, 1, 2}));
  EXPECT_EQ(three.written_bytes, 0);
  EXPECT_THAT(three.holders, ElementsAre(1, 2));
}

// As a version left it that shared with the newest.
TEST_F(CheckpointSharingTest, TheNextSaveEndsWhatTheTwoNewestHaveInCommon) {
  const CheckpointContents contents = Values({1, 1, 1});
  Reopen(Sharing::kWithNewest);
  for (int i = 0; i < 3; ++i) Write(contents);
  Reopen();
  EXPECT_THAT(Write(contents).holders, IsEmpty());
  EXPECT_THAT(Write(contents).holders, ElementsAre(1));
  EXPECT_THAT(Write(contents).holders, ElementsAre(4));
}

TEST_F(CheckpointSharingTest, WithoutTheSpareEverythingIsWritten) {
  const CheckpointContents contents = Values({1, 1, 1});
  for (int i = 0; i < 4; ++i) Write(contents);
  ASSERT_OK(store_->Remove(3));  // 4 and 2 have a file in common
  EXPECT_THAT(Write(contents).holders, IsEmpty());
  EXPECT_THAT(Write(contents).holders, ElementsAre(2));
}

TEST_F(CheckpointSharingTest, ChangesOtherThanOfTheValueAreWritten) {
  CheckpointContents contents = Values({1, 1, 1, 1, 1, 1, 1, 1});
  Write(contents);
  Write(contents);
  contents.entries[0].attributes = {{"trainable", true}};
  contents.entries[1].shape = {kBytes / 2, 2};
  contents.entries[1].value = RandomTensor(DType::kInt8, {kBytes / 2, 2}, 3);
  contents.entries[2].dtype = DType::kUint8;
  contents.entries[2].value = RandomTensor(DType::kUint8, {kBytes}, 3);
  contents.entries[3].value_version = 0;
  EXPECT_EQ(Write(contents).written_bytes, 4 * kBytes);
}

TEST_F(CheckpointSharingTest, SmallValuesAreAlwaysWritten) {
  CheckpointContents contents = Values({1, 1});
  contents.entries.push_back(VersionedEntry(
      "variables/x",
      RandomTensor(DType::kInt8, {storage::kSharedValueBytes - 1}, 1), 1));
  Write(contents);
  Write(contents);
  EXPECT_EQ(Write(contents).written_bytes, storage::kSharedValueBytes - 1);
}

// As when revisions went back: a version says nothing across openings unless
// the value is the same.
TEST_F(CheckpointSharingTest, AVersionOfAnotherHistoryIsNotTakenForTheSame) {
  CheckpointContents contents = Values({5, 5, 5});
  Write(contents);
  Write(contents);
  Reopen();
  contents.entries[0].value = RandomTensor(DType::kInt8, {kBytes}, 77);
  EXPECT_EQ(Write(contents).written_bytes, kBytes);
}

TEST_F(CheckpointSharingTest, AFileStaysWhileItIsNeeded) {
  Write(Values({1, 1, 1}));
  Write(Values({1, 1, 1}));
  const CheckpointContents three = Values({1, 1, 2});
  Write(three);
  ASSERT_OK(store_->Remove(1));
  EXPECT_EQ(store_->List()->size(), 2);
  EXPECT_THAT(store_->Open(1),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("1")));
  EXPECT_THAT(CheckpointFiles(), ElementsAre("ckpt-000001.h5", "ckpt-000002.h5",
                                             "ckpt-000003.h5"));
  Reopen();
  EXPECT_THAT(store_->notices(), IsEmpty());
  EXPECT_EQ(store_->List()->size(), 2);
  ExpectHas(3, three);
  EXPECT_THAT(Write(three).holders, ElementsAre(2));
  EXPECT_THAT(Write(three).holders, ElementsAre(1, 3));
  for (CheckpointId id = 2; id <= 5; ++id) ASSERT_OK(store_->Remove(id));
  EXPECT_THAT(CheckpointFiles(), IsEmpty());
}

// One value changes each time; the disk holds at most about twice what each of
// the two checkpoints has.
TEST_F(CheckpointSharingTest, DiskUseIsBounded) {
  std::vector<uint64_t> versions(10, 1);
  for (uint64_t step = 1; step <= 60; ++step) {
    versions[step * 7 % 10] = step + 1;
    const CheckpointInfo info = Write(Values(versions));
    if (step > 2) {
      ASSERT_OK(store_->Remove(info.id - 2));
    }
    int64_t used = 0;
    for (const std::string& name : CheckpointFiles()) {
      used += static_cast<int64_t>(ReadFile(disk_, Path(name)).size());
    }
    EXPECT_LE(used, 2 * (20 * kBytes + (256 << 10))) << step;
    std::set<CheckpointId> files;
    ASSERT_OK_AND_ASSIGN(auto listed, store_->List());
    for (const CheckpointInfo& each : listed) files.merge(FilesOf(each));
    EXPECT_EQ(CheckpointFiles().size(), files.size());
  }
}

TEST_F(CheckpointSharingTest, HoldersAreLimitedInNumber) {
  Reopen(Sharing::kWithNewest);
  std::vector<uint64_t> versions(60, 1);
  for (uint64_t step = 0; step < 60; ++step) {
    versions[step] = step + 2;
    EXPECT_LE(Write(Values(versions)).holders.size(), storage::kMaxHolders);
  }
}

TEST_F(CheckpointSharingTest, DamageOfAHolderIsNamedAndEndsItsUse) {
  const CheckpointContents contents = Values({1, 1, 1});
  for (int i = 0; i < 3; ++i) Write(contents);
  Damage("ckpt-000001.h5");
  ASSERT_OK_AND_ASSIGN(auto reader, store_->Open(3));
  EXPECT_THAT(reader->Read(1), StatusIs(absl::StatusCode::kDataLoss,
                                        HasSubstr(Path("ckpt-000001.h5"))));
  // 2 is the newest that is good: nothing is shared with it either.
  EXPECT_THAT(Write(contents).holders, IsEmpty());
  EXPECT_THAT(Write(contents).holders, ElementsAre(2));
  EXPECT_THAT(Write(contents).holders, ElementsAre(4));
}

TEST_F(CheckpointSharingTest, DamageOfTheSpareEndsItsUse) {
  const CheckpointContents contents = Values({1, 1, 1});
  for (int i = 0; i < 4; ++i) Write(contents);
  Damage("ckpt-000001.h5");
  ASSERT_OK_AND_ASSIGN(auto report, store_->Verify(3, nullptr));
  EXPECT_THAT(report.damage, Not(IsEmpty()));
  EXPECT_THAT(Write(contents).holders, IsEmpty());
  EXPECT_THAT(Write(contents).holders, ElementsAre(2));
  EXPECT_THAT(Write(contents).holders, ElementsAre(5));
}

TEST_F(CheckpointSharingTest, ADamagedHolderIsNotUsedAfterOpening) {
  const CheckpointContents contents = Values({1, 1, 1});
  for (int i = 0; i < 3; ++i) Write(contents);
  Damage("ckpt-000002.h5");
  Reopen();
  EXPECT_THAT(Write(contents).holders, IsEmpty());
}

TEST_F(CheckpointSharingTest, AMissingHolderIsNamed) {
  for (int i = 0; i < 3; ++i) Write(Values({1, 1}));
  ASSERT_OK(store_->Remove(1));
  ASSERT_OK(disk_.Remove(Path("ckpt-000001.h5")));
  Reopen();
  EXPECT_THAT(store_->notices(), ElementsAre(HasSubstr("ckpt-000001.h5")));
  EXPECT_THAT(store_->Open(3), StatusIs(absl::StatusCode::kDataLoss,
                                        HasSubstr(Path("ckpt-000001.h5"))));
}

// A holder that is no checkpoint itself any more: what it referred to is gone.
TEST_F(CheckpointSharingTest, TheManifestIsRebuiltWithItsHolders) {
  Write(Values({1, 1, 1, 1}));
  Write(Values({9, 9, 9, 9}));
  EXPECT_THAT(Write(Values({1, 1, 2, 2})).holders, ElementsAre(1));
  Write(Values({8, 8, 8, 8}));
  const CheckpointContents five = Values({3, 3, 2, 2});
  EXPECT_THAT(Write(five).holders, ElementsAre(3));
  for (CheckpointId id = 1; id <= 4; ++id) ASSERT_OK(store_->Remove(id));
  ASSERT_THAT(CheckpointFiles(),
              ElementsAre("ckpt-000003.h5", "ckpt-000005.h5"));
  ASSERT_OK(disk_.Remove(Path("MANIFEST.json")));
  Reopen();
  EXPECT_THAT(store_->notices(), Contains(HasSubstr("no checkpoint itself")));
  ASSERT_EQ(store_->List()->size(), 1);
  EXPECT_EQ(store_->List()->front().shared_bytes, 2 * kBytes);
  ExpectHas(5, five);
  Reopen();
  EXPECT_THAT(store_->notices(), IsEmpty());
  ASSERT_OK(store_->Remove(5));
  EXPECT_THAT(CheckpointFiles(), IsEmpty());
}

TEST_F(CheckpointSharingTest, AnUnlistedFileWithoutItsHolderIsNoCheckpoint) {
  for (int i = 0; i < 3; ++i) Write(Values({1, 1}));
  ASSERT_OK(disk_.Remove(Path("MANIFEST.json")));
  ASSERT_OK(disk_.Remove(Path("ckpt-000001.h5")));
  Reopen();
  ASSERT_EQ(store_->List()->size(), 1);
  EXPECT_EQ(store_->List()->front().id, 2);
  EXPECT_THAT(store_->notices(),
              Contains(HasSubstr("'/data/ckpt-000001.h5' is missing; moved to "
                                 "'/data/quarantine/ckpt-000003.h5.1'")));
}

// The name is right, the file another one.
TEST_F(CheckpointSharingTest, AnotherFileInPlaceOfAHolderIsNoticed) {
  for (int i = 0; i < 3; ++i) Write(Values({1, 1}));
  store_.reset();
  MemoryFileSystem other;
  {
    ASSERT_OK_AND_ASSIGN(auto store, OpenStore(other));
    ASSERT_OK(store->Write(Values({7, 7}), nullptr));
  }
  ReplaceFile(disk_, Path("ckpt-000001.h5"),
              ReadFile(other, Path("ckpt-000001.h5")));
  ASSERT_OK(disk_.Remove(Path("MANIFEST.json")));
  Reopen();
  EXPECT_EQ(store_->List()->size(), 2);
  EXPECT_THAT(store_->notices(), Contains(HasSubstr("is another file")));
}

TEST_F(CheckpointSharingTest, ReadersOutliveTheRemovalOfHolders) {
  const CheckpointContents contents = Values({1, 1});
  for (int i = 0; i < 3; ++i) Write(contents);
  ASSERT_OK_AND_ASSIGN(auto reader, store_->Open(3));
  ASSERT_OK(store_->Remove(1));
  ASSERT_OK(store_->Remove(3));
  EXPECT_THAT(CheckpointFiles(), Not(Contains("ckpt-000001.h5")));
  EXPECT_THAT(reader->Read(1),
              IsOkAndHolds(TensorEq(contents.entries[1].value)));
}

// Saves of values that change, appear and go, with checkpoints removed and the
// store opened again in between, at first by a version that shares with the
// newest.
class RandomSharingTest : public CheckpointSharingTest,
                          public ::testing::WithParamInterface<uint32_t> {
 protected:
  void Step() {
    switch (Below(8)) {
      case 0:
        Reopen();
        break;
      case 1:
        ASSERT_OK(disk_.Remove(Path("MANIFEST.json")));
        Reopen();
        break;
      case 2:
        RemoveOne();
        break;
      default:
        Save();
    }
    ExpectTwoCopies();
  }

  void Save() {
    for (uint64_t& version : versions_) {
      if (Below(5) == 0) version = ++version_;
    }
    if (Below(4) == 0) versions_.resize(4 + Below(5), ++version_);
    ASSERT_OK_AND_ASSIGN(auto before, store_->List());
    const CheckpointInfo info = Write(Values(versions_));
    if (!before.empty()) ExpectNothingInCommon(before.back(), info);
    shared_bytes_ += info.shared_bytes;
    has_spare_ = !before.empty();
  }

  // Never the newest, as a server.
  void RemoveOne() {
    ASSERT_OK_AND_ASSIGN(auto listed, store_->List());
    if (listed.size() < 2) return;
    const size_t at = Below(static_cast<uint32_t>(listed.size()) - 1);
    ASSERT_OK(store_->Remove(listed[at].id));
    if (at + 2 == listed.size()) has_spare_ = false;
  }

  void ExpectTwoCopies() {
    ASSERT_OK_AND_ASSIGN(auto listed, store_->List());
    if (!has_spare_) return;
    ExpectNothingInCommon(listed[listed.size() - 2], listed.back());
  }

  static void ExpectNothingInCommon(const CheckpointInfo& a,
                                    const CheckpointInfo& b) {
    std::set<CheckpointId> both = FilesOf(a);
    both.merge(FilesOf(b));
    EXPECT_EQ(both.size(), a.holders.size() + b.holders.size() + 2)
        << a.id << " and " << b.id;
  }

  uint32_t Below(uint32_t limit) {
    return static_cast<uint32_t>(random_()) % limit;
  }

  std::mt19937 random_{GetParam()};
  std::vector<uint64_t> versions_ = std::vector<uint64_t>(8, 1);
  uint64_t version_ = 1;
  int64_t shared_bytes_ = 0;
  bool has_spare_ = false;  // what the last save left it
};

TEST_P(RandomSharingTest, TheTwoNewestNeverHaveAFileInCommon) {
  Reopen(Sharing::kWithNewest);
  for (int i = 0; i < 3; ++i) Write(Values(versions_));
  Reopen();
  for (int i = 0; i < 60 && !HasFailure(); ++i) Step();
  EXPECT_GT(shared_bytes_, 20 * kBytes);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomSharingTest, ::testing::Range(1u, 11u));

}  // namespace
}  // namespace varkeep
