// SPDX-License-Identifier: Apache-2.0
//
// Power is lost at one I/O call, for every call there is, with unsynced bytes
// and names lost or kept in several ways; and is lost again while the directory
// is put in order.
#include "absl/strings/str_cat.h"
#include "storage/memory_file_system.h"
#include "tests/storage/store_checks.h"
#include "tests/testing/fault_injecting_file_system.h"

namespace varkeep {
namespace {

using storage::MemoryFileSystem;
using Revisions = std::set<uint64_t>;

// Every call from the n-th on fails, the power gone.
Fault PowerCut(MemoryFileSystem& disk, int64_t n, uint32_t seed) {
  Fault fault;
  fault.at = n;
  fault.reason = "power was lost";
  fault.sticky = true;
  fault.short_write = false;
  fault.action = [&disk, seed] { disk.LosePower(seed); };
  return fault;
}

// After a power cut: old checkpoints are there, the new one whole or absent,
// and the next can be written.
void ExpectRecovers(MemoryFileSystem& disk, const Revisions& surely,
                    uint64_t perhaps) {
  {
    ASSERT_OK_AND_ASSIGN(auto store, OpenStore(disk));
    Revisions found = WholeRevisions(*store);
    found.erase(perhaps);
    EXPECT_EQ(found, surely);
    ASSERT_OK(store->Write(SampleContents(99), nullptr));
  }
  disk.LosePower();
  ASSERT_OK_AND_ASSIGN(auto store, OpenStore(disk));
  EXPECT_TRUE(WholeRevisions(*store).contains(99));
}

bool CutDuringWrite(int64_t n, uint32_t seed) {
  SCOPED_TRACE(absl::StrCat("cut at call ", n, ", seed ", seed));
  MemoryFileSystem disk;
  WriteRevisions(disk, {1, 2});
  FaultInjectingFileSystem fs(&disk);
  bool written = false;
  {
    auto store = OpenStore(fs);
    EXPECT_OK(store);
    fs.Inject(PowerCut(disk, n, seed));
    written = (*store)->Write(SampleContents(3), nullptr).ok();
    if (!fs.happened()) disk.LosePower(seed);
  }
  if (written) {
    ExpectRecovers(disk, {1, 2, 3}, 0);
  } else {
    ExpectRecovers(disk, {1, 2}, 3);
  }
  return fs.happened();
}

TEST(CheckpointCrashTest, AnyCallOfWriteMayBeTheLast) {
  for (uint32_t seed = 0; seed < 4; ++seed) {
    int64_t n = 1;
    while (CutDuringWrite(n, seed) && !::testing::Test::HasFailure()) ++n;
    EXPECT_GT(n, 20);
  }
}

bool CutDuringRemove(int64_t n, uint32_t seed) {
  SCOPED_TRACE(absl::StrCat("cut at call ", n, ", seed ", seed));
  MemoryFileSystem disk;
  WriteRevisions(disk, {1, 2, 3});  // 3 refers to 1
  FaultInjectingFileSystem fs(&disk);
  bool removed = false;
  {
    auto store = OpenStore(fs);
    EXPECT_OK(store);
    fs.Inject(PowerCut(disk, n, seed));
    removed = (*store)->Remove(1).ok();
    if (!fs.happened()) disk.LosePower(seed);
  }
  ExpectRecovers(disk, {2, 3}, removed ? 0 : 1);
  return fs.happened();
}

TEST(CheckpointCrashTest, AnyCallOfRemoveMayBeTheLast) {
  for (uint32_t seed = 0; seed < 4; ++seed) {
    int64_t n = 1;
    while (CutDuringRemove(n, seed) && !::testing::Test::HasFailure()) ++n;
    EXPECT_GT(n, 10);
  }
}

// The last checkpoint that needs the file of one removed before.
bool CutDuringRemoveOfTheLastUser(int64_t n, uint32_t seed) {
  SCOPED_TRACE(absl::StrCat("cut at call ", n, ", seed ", seed));
  MemoryFileSystem disk;
  WriteRevisions(disk, {1, 2, 3});
  FaultInjectingFileSystem fs(&disk);
  bool removed = false;
  {
    auto store = OpenStore(fs);
    EXPECT_OK(store);
    EXPECT_OK((*store)->Remove(1));
    fs.Inject(PowerCut(disk, n, seed));
    removed = (*store)->Remove(3).ok();
    if (!fs.happened()) disk.LosePower(seed);
  }
  ExpectRecovers(disk, {2}, removed ? 0 : 3);
  return fs.happened();
}

TEST(CheckpointCrashTest, AnyCallMayBeTheLastWhenAHolderGoes) {
  for (uint32_t seed = 0; seed < 4; ++seed) {
    int64_t n = 1;
    while (CutDuringRemoveOfTheLastUser(n, seed) &&
           !::testing::Test::HasFailure()) {
      ++n;
    }
    EXPECT_GT(n, 10);
  }
}

// True while the first cut is at a call of Write that happens. The second
// checkpoint refers to the first.
bool CutAgainDuringRecovery(int64_t n, uint32_t seed) {
  bool first_happened = true;
  bool second_happened = true;
  for (int64_t m = 1; second_happened; ++m) {
    SCOPED_TRACE(absl::StrCat("cut at calls ", n, " and ", m));
    MemoryFileSystem disk;
    WriteRevisions(disk, {1});
    FaultInjectingFileSystem fs(&disk);
    {
      auto store = storage::DirectoryCheckpointStore::Open(
          &fs, kDataDir, Clock::Real(), storage::Sharing::kWithNewest);
      EXPECT_OK(store);
      fs.Inject(PowerCut(disk, n, seed));
      first_happened = !(*store)->Write(SampleContents(2), nullptr).ok();
    }
    if (!first_happened) return false;
    fs.Inject(PowerCut(disk, m, seed + 1));
    OpenStore(fs).status().IgnoreError();
    second_happened = fs.happened();
    ExpectRecovers(disk, {1}, 2);
    if (::testing::Test::HasFailure()) return false;
  }
  return true;
}

TEST(CheckpointCrashTest, RecoveryMayBeCutShortAnywhere) {
  int64_t n = 1;
  while (CutAgainDuringRecovery(n, 0)) ++n;
  EXPECT_GT(n, 20);
}

TEST(CheckpointCrashTest, TheFirstCheckpointMayBeCutShortAnywhere) {
  bool happened = true;
  for (int64_t n = 1; happened; ++n) {
    SCOPED_TRACE(absl::StrCat("cut at call ", n));
    MemoryFileSystem disk;
    FaultInjectingFileSystem fs(&disk);
    fs.Inject(PowerCut(disk, n, 0));
    if (auto store = OpenStore(fs); store.ok()) {
      (*store)->Write(SampleContents(1), nullptr).status().IgnoreError();
    }
    happened = fs.happened();
    ExpectRecovers(disk, {}, 1);
    ASSERT_FALSE(HasFailure());
  }
}

}  // namespace
}  // namespace varkeep
