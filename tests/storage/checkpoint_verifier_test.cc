// SPDX-License-Identifier: Apache-2.0
//
// CheckpointStore::Verify on a directory, and the same without a server.
#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "storage/memory_file_system.h"
#include "storage/verify_directory.h"
#include "tests/storage/store_checks.h"
#include "tests/testing/fault_injecting_file_system.h"

namespace varkeep {
namespace {

using storage::Damage;
using storage::DirectoryReport;
using storage::MemoryFileSystem;
using storage::VerifyDirectory;
using storage::VerifyReport;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

std::string Path(const std::string& name) {
  return absl::StrCat(kDataDir, "/", name);
}

void Flip(MemoryFileSystem& disk, const std::string& name, size_t at) {
  std::string bytes = ReadFile(disk, Path(name));
  bytes[at] = static_cast<char>(bytes[at] ^ 1);
  ReplaceFile(disk, Path(name), bytes);
}

// Where in the file the value of an entry begins.
size_t Find(MemoryFileSystem& disk, const std::string& name,
            const TensorRef& value) {
  const std::string bytes = ReadFile(disk, Path(name));
  return bytes.find(
      std::string(reinterpret_cast<const char*>(value->bytes().data()),
                  value->bytes().size()));
}

class CheckpointVerifierTest : public ::testing::Test {
 protected:
  // 3 refers to 1.
  CheckpointVerifierTest() { WriteRevisions(disk_, {1, 2, 3}); }

  VerifyReport Verify(storage::CheckpointId id) {
    auto store = OpenStore(disk_);
    EXPECT_OK(store);
    auto report = (*store)->Verify(id, nullptr);
    EXPECT_OK(report);
    return report.ok() ? *report : VerifyReport();
  }
  DirectoryReport VerifyOffline() {
    auto report = VerifyDirectory(&disk_, kDataDir);
    EXPECT_OK(report);
    return report.ok() ? *report : DirectoryReport();
  }

  MemoryFileSystem disk_;
};

TEST_F(CheckpointVerifierTest, ReadsEveryByteOfEveryFile) {
  ASSERT_OK_AND_ASSIGN(auto store, OpenStore(disk_));
  int64_t last = 0;
  int64_t all = 0;
  ASSERT_OK_AND_ASSIGN(VerifyReport report,
                       store->Verify(3, [&](int64_t done, int64_t total) {
                         EXPECT_GT(done, last);
                         last = done;
                         all = total;
                         return true;
                       }));
  EXPECT_THAT(report.damage, IsEmpty());
  const auto files = ReadFile(disk_, Path("ckpt-000001.h5")).size() +
                     ReadFile(disk_, Path("ckpt-000003.h5")).size();
  EXPECT_EQ(report.bytes, static_cast<int64_t>(files));
  EXPECT_EQ(last, report.bytes);
  EXPECT_EQ(all, report.bytes);
}

TEST_F(CheckpointVerifierTest, CanBeGivenUp) {
  ASSERT_OK_AND_ASSIGN(auto store, OpenStore(disk_));
  int calls = 0;
  EXPECT_THAT(store->Verify(2,
                            [&](int64_t, int64_t) {
                              ++calls;
                              return false;
                            }),
              StatusIs(absl::StatusCode::kCancelled, HasSubstr("")));
  EXPECT_EQ(calls, 1);
  EXPECT_THAT(store->Verify(9, nullptr),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("9")));
}

TEST_F(CheckpointVerifierTest, NamesFileEntryAndPlace) {
  const size_t at = Find(disk_, "ckpt-000001.h5", FrozenTensor());
  Flip(disk_, "ckpt-000001.h5", at + 5);
  const auto names_it = ElementsAre(
      AllOf(Field(&Damage::file, "ckpt-000001.h5"),
            Field(&Damage::entry, "variables/frozen:0"),
            Field(&Damage::offset, static_cast<int64_t>(at)),
            Field(&Damage::size_bytes, FrozenTensor()->size_bytes()),
            Field(&Damage::message, HasSubstr("has checksum"))));
  EXPECT_THAT(Verify(1).damage, names_it);
  EXPECT_THAT(Verify(2).damage, IsEmpty());
  EXPECT_THAT(Verify(3).damage, names_it);  // the value is shared
}

TEST_F(CheckpointVerifierTest, FindsDamageInWhatIsNoLargeValue) {
  const TensorRef small = SampleContents(2).entries[1].value;
  Flip(disk_, "ckpt-000002.h5", Find(disk_, "ckpt-000002.h5", small));
  EXPECT_THAT(Verify(1).damage, IsEmpty());
  EXPECT_THAT(Verify(2).damage,
              ElementsAre(Field(&Damage::file, "ckpt-000002.h5")));
}

TEST_F(CheckpointVerifierTest, AMissingFileIsDamage) {
  ASSERT_OK(disk_.Remove(Path("ckpt-000001.h5")));
  EXPECT_THAT(Verify(3).damage,
              ElementsAre(AllOf(Field(&Damage::file, "ckpt-000001.h5"),
                                Field(&Damage::message, "it is missing"))));
}

// One bit anywhere.
TEST_F(CheckpointVerifierTest, FindsEveryFlippedBit) {
  const std::string good = ReadFile(disk_, Path("ckpt-000003.h5"));
  for (size_t at = 0; at < good.size(); at += 499) {
    Flip(disk_, "ckpt-000003.h5", at);
    const DirectoryReport report = VerifyOffline();
    EXPECT_THAT(report.checkpoints[2].report.damage, Not(IsEmpty())) << at;
    EXPECT_EQ(report.newest_good, 2);
    ReplaceFile(disk_, Path("ckpt-000003.h5"), good);
  }
}

TEST_F(CheckpointVerifierTest, ADirectoryInOrder) {
  const DirectoryReport report = VerifyOffline();
  EXPECT_THAT(report.checkpoints, SizeIs(3));
  EXPECT_EQ(report.newest_good, 3);
  EXPECT_EQ(report.manifest_problem, "");
  EXPECT_THAT(report.litter, IsEmpty());
  EXPECT_THAT(report.quarantined, IsEmpty());
  EXPECT_THAT(report.others, IsEmpty());
}

TEST_F(CheckpointVerifierTest, NamesLitterAndOtherFiles) {
  ReplaceFile(disk_, Path("ckpt-000004.h5.tmp"), "x");
  ReplaceFile(disk_, Path("ckpt-000005.h5"), "x");
  ReplaceFile(disk_, Path("notes"), "x");
  ReplaceFile(disk_, Path("RUNNING"), "x");
  ReplaceFile(disk_, Path("STOPPED"), "x");
  ASSERT_OK(disk_.MakeDirectory(Path("log")));
  ASSERT_OK(disk_.MakeDirectory(Path("quarantine")));
  ReplaceFile(disk_, Path("quarantine/ckpt-000009.h5.1"), "x");
  const DirectoryReport report = VerifyOffline();
  EXPECT_THAT(report.litter, ElementsAre("ckpt-000004.h5.tmp"));
  EXPECT_THAT(report.others, ElementsAre("notes"));
  EXPECT_THAT(report.quarantined, ElementsAre("quarantine/ckpt-000009.h5.1"));
  ASSERT_THAT(report.checkpoints, SizeIs(4));
  EXPECT_FALSE(report.checkpoints[3].listed);
  EXPECT_THAT(report.checkpoints[3].report.damage,
              ElementsAre(Field(&Damage::file, "ckpt-000005.h5")));
  EXPECT_EQ(report.newest_good, 3);
}

TEST_F(CheckpointVerifierTest, DoesWithoutAManifest) {
  ASSERT_OK(disk_.Remove(Path("MANIFEST.json")));
  DirectoryReport report = VerifyOffline();
  EXPECT_THAT(report.manifest_problem, HasSubstr("MANIFEST.json"));
  ASSERT_THAT(report.checkpoints, SizeIs(3));
  EXPECT_FALSE(report.checkpoints[2].listed);
  EXPECT_EQ(report.newest_good, 3);
  ReplaceFile(disk_, Path("MANIFEST.json"), "{}");
  report = VerifyOffline();
  EXPECT_THAT(report.manifest_problem, HasSubstr("MANIFEST.json"));
  EXPECT_EQ(report.newest_good, 3);
}

// Also beside a server that has the directory open.
TEST_F(CheckpointVerifierTest, ChangesNothing) {
  ReplaceFile(disk_, Path("ckpt-000003.h5.tmp"), "x");
  FaultInjectingFileSystem fs(&disk_);
  fs.Inject({});
  ASSERT_OK_AND_ASSIGN(auto lock, disk_.Lock(Path("LOCK")));
  ASSERT_OK(VerifyDirectory(&fs, kDataDir));
  for (const std::string& call : fs.calls()) {
    const std::string verb = call.substr(0, call.find(' '));
    EXPECT_THAT(verb, ::testing::AnyOf("open", "read", "size", "list")) << call;
  }
}

// With something of everything a directory may have.
TEST_F(CheckpointVerifierTest, AnyCallMayFail) {
  {
    ASSERT_OK_AND_ASSIGN(auto store, OpenStore(disk_));
    ASSERT_OK(store->Remove(1));  // 3 needs what it holds
  }
  ReplaceFile(disk_, Path("ckpt-000004.h5"), "x");
  ASSERT_OK(disk_.MakeDirectory(Path("quarantine")));
  FaultInjectingFileSystem fs(&disk_);
  Fault fault;
  for (fault.at = 1;; ++fault.at) {
    SCOPED_TRACE(fault.at);
    fs.Inject(fault);
    auto report = VerifyDirectory(&fs, kDataDir);
    if (!fs.happened()) {
      ASSERT_OK(report);
      EXPECT_EQ(report->newest_good, 3);
      EXPECT_THAT(report->checkpoints, SizeIs(3));
      break;
    }
    EXPECT_THAT(report,
                StatusIs(absl::StatusCode::kInternal, HasSubstr(kDataDir)));
  }
  EXPECT_GT(fault.at, 30);
}

TEST_F(CheckpointVerifierTest, WhatIsBeingRemovedIsLitter) {
  FaultInjectingFileSystem fs(&disk_);
  ASSERT_OK_AND_ASSIGN(auto store, OpenStore(fs));
  ASSERT_OK_AND_ASSIGN(auto info, store->Write(SampleContents(4), nullptr));
  fs.Inject({});
  ASSERT_OK(store->Remove(3));
  const std::vector<std::string> calls = fs.calls();
  const auto removal =
      std::find(calls.begin(), calls.end(), "remove /data/ckpt-000003.h5");
  ASSERT_NE(removal, calls.end());
  Fault fault;
  fault.at = 1 + (removal - calls.begin());
  fs.Inject(fault);
  ASSERT_FALSE(store->Remove(4).ok());

  EXPECT_THAT(VerifyOffline().litter, ElementsAre(info.file));
}

TEST(VerifyDirectoryTest, ThereMustBeADirectory) {
  MemoryFileSystem disk;
  EXPECT_THAT(VerifyDirectory(&disk, "/none"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("/none")));
}

}  // namespace
}  // namespace varkeep
