// SPDX-License-Identifier: Apache-2.0
//
// One I/O call fails, for every call there is and in every way: whatever was
// acknowledged stays, whatever failed is whole or absent, and the next attempt
// works.
#include <hdf5.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "storage/memory_file_system.h"
#include "tests/storage/store_checks.h"
#include "tests/testing/fault_injecting_file_system.h"

namespace varkeep {
namespace {

using storage::MemoryFileSystem;
using ::testing::HasSubstr;
using Revisions = std::set<uint64_t>;

class CheckpointFaultTest : public ::testing::TestWithParam<Fault> {
 protected:
  Fault FaultAt(int64_t n) {
    Fault fault = GetParam();
    fault.at = n;
    return fault;
  }

  void ExpectNothingOpenInHdf5() {
    EXPECT_EQ(H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ALL), 0);
  }

  // True while n is a call that happens.
  bool FaultInWrite(int64_t n) {
    SCOPED_TRACE(absl::StrCat("fault at call ", n));
    MemoryFileSystem disk;
    WriteRevisions(disk, {1, 2});
    FaultInjectingFileSystem fs(&disk);
    bool written = false;
    bool happened = false;
    {
      auto store = OpenStore(fs);
      EXPECT_OK(store);
      fs.Inject(FaultAt(n));
      auto info = (*store)->Write(SampleContents(3), nullptr);
      happened = fs.happened();
      written = info.ok();
      EXPECT_TRUE(written || happened) << info.status();
      if (!written) {
        EXPECT_THAT(info, StatusIs(GetParam().code, HasSubstr(kDataDir)));
      } else {
        // What cannot be read is not referred to: everything is written.
        EXPECT_EQ(info->holders.empty(), happened);
      }
      ExpectNothingOpenInHdf5();
      fs.Heal();
      EXPECT_EQ(WholeRevisions(**store),
                (written ? Revisions{1, 2, 3} : Revisions{1, 2}));
      EXPECT_OK((*store)->Write(SampleContents(4), nullptr));
    }
    auto store = OpenStore(disk);
    EXPECT_OK(store);
    Revisions found = WholeRevisions(**store);
    if (!written) found.erase(3);
    EXPECT_EQ(found, written ? (Revisions{1, 2, 3, 4}) : (Revisions{1, 2, 4}));
    EXPECT_THAT(disk.List(absl::StrCat(kDataDir, "/quarantine")),
                StatusIs(absl::StatusCode::kNotFound, HasSubstr("")));
    return happened;
  }

  bool FaultInRemove(int64_t n) {
    SCOPED_TRACE(absl::StrCat("fault at call ", n));
    MemoryFileSystem disk;
    WriteRevisions(disk, {1, 2, 3});  // 3 refers to 1
    FaultInjectingFileSystem fs(&disk);
    {
      auto store = OpenStore(fs);
      EXPECT_OK(store);
      fs.Inject(FaultAt(n));
      absl::Status status = (*store)->Remove(1);
      EXPECT_TRUE(fs.happened() || status.ok()) << status;
      fs.Heal();
      Revisions found = WholeRevisions(**store);
      EXPECT_TRUE(!status.ok() || found == (Revisions{2, 3}));
      if (found.contains(1)) {
        EXPECT_OK((*store)->Remove(1));
      }
    }
    auto store = OpenStore(disk);
    EXPECT_OK(store);
    EXPECT_EQ(WholeRevisions(**store), (Revisions{2, 3}));
    return fs.happened();
  }

  // A directory after a crash between the two renames of a Write, with a
  // temporary file and a damaged checkpoint.
  void MakeDisorder(MemoryFileSystem& disk) {
    WriteRevisions(disk, {1});
    const std::string manifest =
        ReadFile(disk, absl::StrCat(kDataDir, "/MANIFEST.json"));
    WriteRevisions(disk, {2});
    ReplaceFile(disk, absl::StrCat(kDataDir, "/MANIFEST.json"), manifest);
    ReplaceFile(disk, absl::StrCat(kDataDir, "/ckpt-000003.h5.tmp"), "x");
    ReplaceFile(disk, absl::StrCat(kDataDir, "/ckpt-000004.h5"), "x");
  }

  bool FaultInOpen(int64_t n) {
    SCOPED_TRACE(absl::StrCat("fault at call ", n));
    MemoryFileSystem disk;
    MakeDisorder(disk);
    FaultInjectingFileSystem fs(&disk);
    fs.Inject(FaultAt(n));
    {
      auto store = OpenStore(fs);
      EXPECT_TRUE(store.ok() || fs.happened());
      // A manifest for which there is no room is written by the next Write.
      if (GetParam().code != absl::StatusCode::kResourceExhausted) {
        EXPECT_EQ(store.ok(), !fs.happened());
      }
      if (!store.ok()) {
        EXPECT_THAT(store, StatusIs(GetParam().code, HasSubstr(kDataDir)));
      }
    }
    auto store = OpenStore(disk);
    EXPECT_OK(store);
    EXPECT_EQ(WholeRevisions(**store), (Revisions{1, 2}));
    EXPECT_EQ(disk.List(absl::StrCat(kDataDir, "/quarantine"))->size(), 1);
    return fs.happened();
  }
};

TEST_P(CheckpointFaultTest, AnyCallOfWriteMayFail) {
  int64_t n = 1;
  while (FaultInWrite(n) && !HasFailure()) ++n;
  EXPECT_GT(n, 20);
}

TEST_P(CheckpointFaultTest, AnyCallOfRemoveMayFail) {
  int64_t n = 1;
  while (FaultInRemove(n) && !HasFailure()) ++n;
  EXPECT_GT(n, 10);
}

TEST_P(CheckpointFaultTest, AnyCallOfOpenMayFail) {
  int64_t n = 1;
  while (FaultInOpen(n) && !HasFailure()) ++n;
  EXPECT_GT(n, 20);
}

// Enough groups that HDF5 does not keep all of them in its cache.
TEST_P(CheckpointFaultTest, ALargeIndexMayFailAnywhere) {
  storage::CheckpointContents contents;
  for (uint32_t i = 0; i < 700; ++i) {
    contents.entries.push_back(EntryOf(absl::StrCat("g", i % 200, "/v", i),
                                       RandomTensor(DType::kInt8, {i % 5}, i),
                                       {{"name", std::string(500, 'x')}}));
  }
  MemoryFileSystem disk;
  FaultInjectingFileSystem fs(&disk);
  ASSERT_OK_AND_ASSIGN(auto store, OpenStore(fs));
  fs.Inject({});
  ASSERT_OK(store->Write(contents, nullptr));
  const auto calls = static_cast<int64_t>(fs.calls().size());
  for (int64_t n = 1; n <= calls; n += 1 + calls / 9) {
    SCOPED_TRACE(absl::StrCat("fault at call ", n, " of ", calls));
    fs.Inject(FaultAt(n));
    EXPECT_THAT(store->Write(contents, nullptr),
                StatusIs(GetParam().code, HasSubstr(kDataDir)));
    ExpectNothingOpenInHdf5();
    fs.Heal();
  }
  ASSERT_OK(store->Write(SampleContents(9), nullptr));
}

// Enough that another thread writes them, gathered and from where they are.
TEST_P(CheckpointFaultTest, LargeValuesMayFailAnywhere) {
  storage::CheckpointContents contents;
  const TensorRef small = RandomTensor(DType::kUint8, {400'000}, 1);
  const TensorRef large = RandomTensor(DType::kUint8, {2 << 20}, 2);
  for (int i = 0; i < 14; ++i) {
    contents.entries.push_back(
        EntryOf(absl::StrCat("v", i), i == 11 ? large : small));
  }
  MemoryFileSystem disk;
  FaultInjectingFileSystem fs(&disk);
  ASSERT_OK_AND_ASSIGN(auto store, OpenStore(fs));
  fs.Inject({});
  ASSERT_OK_AND_ASSIGN(auto info, store->Write(contents, nullptr));
  const std::vector<std::string> calls = fs.calls();
  EXPECT_GT(
      std::count(calls.begin(), calls.end(), "write /data/ckpt-000001.h5.tmp"),
      4);
  for (size_t n = 1; n <= calls.size(); ++n) {
    SCOPED_TRACE(absl::StrCat("fault at call ", n, ": ", calls[n - 1]));
    fs.Inject(FaultAt(static_cast<int64_t>(n)));
    EXPECT_THAT(store->Write(contents, nullptr),
                StatusIs(GetParam().code, HasSubstr(kDataDir)));
    ExpectNothingOpenInHdf5();
    fs.Heal();
  }
  EXPECT_THAT(store->Verify(info.id, nullptr)->damage, ::testing::IsEmpty());
}

Fault Kind(absl::StatusCode code, std::string reason, bool sticky,
           bool short_write) {
  Fault fault;
  fault.code = code;
  fault.reason = std::move(reason);
  fault.sticky = sticky;
  fault.short_write = short_write;
  return fault;
}

constexpr char kFull[] = "No space left on device";
constexpr char kError[] = "Input/output error";
constexpr auto kExhausted = absl::StatusCode::kResourceExhausted;
constexpr auto kInternal = absl::StatusCode::kInternal;

INSTANTIATE_TEST_SUITE_P(
    Kinds, CheckpointFaultTest,
    ::testing::Values(Kind(kExhausted, kFull, false, false),
                      Kind(kExhausted, kFull, true, false),
                      Kind(kExhausted, kFull, false, true),
                      Kind(kExhausted, kFull, true, true),
                      Kind(kInternal, kError, false, false),
                      Kind(kInternal, kError, true, true)));

}  // namespace
}  // namespace varkeep
