// SPDX-License-Identifier: Apache-2.0
#include "storage/memory_file_system.h"

#include <gmock/gmock.h>

#include <span>
#include <string>

#include "tests/testing/status_matchers.h"

namespace varkeep {
namespace {

using storage::MemoryFileSystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class MemoryFileSystemTest : public ::testing::Test {
 protected:
  MemoryFileSystemTest() { EXPECT_OK(fs_.MakeDirectory("/d")); }

  void Create(const std::string& path, bool sync) {
    ASSERT_OK_AND_ASSIGN(auto file, fs_.Create(path));
    ASSERT_OK(file->WriteAt(0, std::as_bytes(std::span("abc", 3))));
    if (!sync) return;
    ASSERT_OK(file->Sync());
  }
  int64_t Size(const std::string& path) {
    return *(*fs_.OpenForRead(path))->Size();
  }

  MemoryFileSystem fs_{1000};
};

TEST_F(MemoryFileSystemTest, APowerCutLosesUnsyncedBytes) {
  Create("/d/synced", true);
  Create("/d/unsynced", false);
  ASSERT_OK(fs_.SyncDirectory("/d"));
  fs_.LosePower();
  EXPECT_EQ(Size("/d/synced"), 3);
  EXPECT_EQ(Size("/d/unsynced"), 0);
}

TEST_F(MemoryFileSystemTest, APowerCutLosesUnsyncedNames) {
  Create("/d/a", true);
  Create("/d/b", true);
  ASSERT_OK(fs_.SyncDirectory("/d"));
  Create("/d/new", true);
  ASSERT_OK(fs_.Rename("/d/a", "/d/renamed"));
  ASSERT_OK(fs_.Remove("/d/b"));
  fs_.LosePower();
  EXPECT_THAT(fs_.List("/d"), IsOkAndHolds(ElementsAre("a", "b")));
}

TEST_F(MemoryFileSystemTest, APowerCutEndsOpenFilesAndLocks) {
  ASSERT_OK_AND_ASSIGN(auto file, fs_.Create("/d/a"));
  ASSERT_OK_AND_ASSIGN(auto old_lock, fs_.Lock("/d/LOCK"));
  fs_.LosePower();
  EXPECT_THAT(file->Sync(), StatusIs(absl::StatusCode::kInternal,
                                     HasSubstr("power was lost")));
  ASSERT_OK_AND_ASSIGN(auto lock, fs_.Lock("/d/LOCK"));
  old_lock.reset();
  EXPECT_FALSE(fs_.Lock("/d/LOCK").ok());
}

TEST_F(MemoryFileSystemTest, WithASeedSomeUnsyncedNamesAreKept) {
  int kept = 0;
  for (uint32_t seed = 1; seed <= 40; ++seed) {
    Create("/d/a", true);
    fs_.LosePower(seed);
    if (!fs_.List("/d")->empty()) {
      ++kept;
      ASSERT_OK(fs_.Remove("/d/a"));
      ASSERT_OK(fs_.SyncDirectory("/d"));
    }
    EXPECT_THAT(fs_.List("/d"), IsOkAndHolds(IsEmpty()));
  }
  EXPECT_GT(kept, 5);
  EXPECT_LT(kept, 35);
}

TEST_F(MemoryFileSystemTest, IsFullAtItsCapacity) {
  ASSERT_OK_AND_ASSIGN(auto file, fs_.Create("/d/a"));
  const auto full =
      StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("/d/a"));
  EXPECT_OK(file->Reserve(1000));
  EXPECT_THAT(file->Reserve(1001), full);
  EXPECT_OK(file->WriteAt(997, std::as_bytes(std::span("abc", 3))));
  EXPECT_THAT(file->WriteAt(1000, std::as_bytes(std::span("a", 1))), full);
  EXPECT_THAT(fs_.FreeBytes("/d"), IsOkAndHolds(0));
}

}  // namespace
}  // namespace varkeep
