// SPDX-License-Identifier: Apache-2.0
//
// Bits flip and files are cut short: what is read is right, or an error.
#include <random>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "storage/memory_file_system.h"
#include "tests/storage/store_checks.h"

namespace varkeep {
namespace {

using storage::MemoryFileSystem;
using ::testing::HasSubstr;

const std::string kCheckpoint = absl::StrCat(kDataDir, "/ckpt-000003.h5");
const std::string kManifest = absl::StrCat(kDataDir, "/MANIFEST.json");

// Calls `look` with variants of `bytes`: with one bit flipped, `flips` of them,
// and cut short, behind every `step`-th byte.
void ForEachDamaged(const std::string& bytes, int flips, size_t step,
                    absl::FunctionRef<void(const std::string&)> look) {
  std::mt19937_64 random(1);
  for (int i = 0; i < flips; ++i) {
    std::string variant = bytes;
    // Half of them in the first part of the file, where the metadata is.
    const size_t range =
        i % 2 == 0 ? bytes.size() : std::min<size_t>(bytes.size(), 16 << 10);
    char& byte = variant[random() % range];
    byte = static_cast<char>(byte ^ (1 << (random() % 8)));
    look(variant);
    if (::testing::Test::HasFailure()) return;
  }
  for (size_t size = 0; size < bytes.size(); size += step) {
    look(bytes.substr(0, size));
    if (::testing::Test::HasFailure()) return;
  }
}

class CheckpointDamageTest : public ::testing::Test {
 protected:
  // 3 refers to 1.
  CheckpointDamageTest() { WriteRevisions(disk_, {1, 2, 3}); }
  MemoryFileSystem disk_;
};

// Opens it and reads everything.
absl::Status ReadAll(storage::CheckpointStore& store,
                     storage::CheckpointId id) {
  ASSIGN_OR_RETURN(auto reader, store.Open(id));
  for (size_t i = 0; i < reader->contents().entries.size(); ++i) {
    if (reader->HasValue(i)) RETURN_IF_ERROR(reader->Read(i).status());
  }
  return absl::OkStatus();
}

TEST_F(CheckpointDamageTest, AListedCheckpointIsNotReadToItsEnd) {
  const std::string good = ReadFile(disk_, kCheckpoint);
  ASSERT_OK_AND_ASSIGN(auto store, OpenStore(disk_));
  ForEachDamaged(good, 2000, 1, [&](const std::string& bytes) {
    ReplaceFile(disk_, kCheckpoint, bytes);
    EXPECT_THAT(ReadAll(*store, 3),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr(kCheckpoint)));
  });
  ReplaceFile(disk_, kCheckpoint, good + "x");
  EXPECT_THAT(store->Open(3),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("bytes, not")));
  ReplaceFile(disk_, kCheckpoint, good);
  EXPECT_EQ(WholeRevisions(*store), (std::set<uint64_t>{1, 2, 3}));
}

TEST_F(CheckpointDamageTest, AnUnlistedCheckpointGoesToQuarantine) {
  const std::string good = ReadFile(disk_, kCheckpoint);
  size_t n = 0;
  ForEachDamaged(good, 60, good.size() / 20, [&](const std::string& bytes) {
    ReplaceFile(disk_, kCheckpoint, bytes);
    disk_.Remove(kManifest).IgnoreError();
    ASSERT_OK_AND_ASSIGN(auto store, OpenStore(disk_));
    EXPECT_EQ(WholeRevisions(*store), (std::set<uint64_t>{1, 2}));
    EXPECT_EQ(ReadFile(disk_, absl::StrCat(kDataDir,
                                           "/quarantine/ckpt-000003.h5.", ++n)),
              bytes);
  });
}

TEST_F(CheckpointDamageTest, AManifestIsRebuiltFromTheFiles) {
  const std::string good = ReadFile(disk_, kManifest);
  int rebuilt = 0;
  ForEachDamaged(good, 400, 1, [&](const std::string& bytes) {
    ReplaceFile(disk_, kManifest, bytes);
    ASSERT_OK_AND_ASSIGN(auto store, OpenStore(disk_));
    ASSERT_EQ(WholeRevisions(*store), (std::set<uint64_t>{1, 2, 3}));
    if (store->notices().empty()) return;
    ++rebuilt;
    EXPECT_THAT(store->notices()[0], HasSubstr(kManifest));
    EXPECT_EQ(
        ReadFile(disk_,
                 absl::StrCat(kDataDir, "/quarantine/MANIFEST.json.", rebuilt)),
        bytes);
  });
  EXPECT_GT(static_cast<size_t>(rebuilt), good.size());
}

}  // namespace
}  // namespace varkeep
