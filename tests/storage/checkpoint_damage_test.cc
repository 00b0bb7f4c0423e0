// SPDX-License-Identifier: Apache-2.0
//
// Bits flip and files are cut short: what is read is right, or an error.
#include <random>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "storage/memory_file_system.h"
#include "tests/storage/store_checks.h"

namespace varkeep {
namespace {

using storage::MemoryFileSystem;
using ::testing::HasSubstr;

const std::string kCheckpoint = absl::StrCat(kDataDir, "/ckpt-000002.h5");
const std::string kManifest = absl::StrCat(kDataDir, "/MANIFEST.json");

// Variants of `bytes`, each with one bit flipped or cut short.
std::vector<std::string> Damaged(const std::string& bytes, int flips,
                                 int cuts) {
  std::mt19937_64 random(1);
  std::vector<std::string> variants;
  for (int i = 0; i < flips; ++i) {
    std::string variant = bytes;
    // Half of them in the first part of the file, where the metadata is.
    const size_t range =
        i % 2 == 0 ? bytes.size() : std::min<size_t>(bytes.size(), 16 << 10);
    char& byte = variant[random() % range];
    byte = static_cast<char>(byte ^ (1 << (random() % 8)));
    variants.push_back(std::move(variant));
  }
  for (int i = 0; i < cuts; ++i) {
    variants.push_back(bytes.substr(0, random() % bytes.size()));
  }
  return variants;
}

class CheckpointDamageTest : public ::testing::Test {
 protected:
  CheckpointDamageTest() { WriteRevisions(disk_, {1, 2}); }
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
  for (const std::string& bytes : Damaged(good, 600, 100)) {
    ReplaceFile(disk_, kCheckpoint, bytes);
    ASSERT_THAT(ReadAll(*store, 2),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr(kCheckpoint)));
  }
  ReplaceFile(disk_, kCheckpoint, good + "x");
  EXPECT_THAT(store->Open(2),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("bytes, not")));
  ReplaceFile(disk_, kCheckpoint, good);
  EXPECT_EQ(WholeRevisions(*store), (std::set<uint64_t>{1, 2}));
}

TEST_F(CheckpointDamageTest, AnUnlistedCheckpointGoesToQuarantine) {
  const std::string good = ReadFile(disk_, kCheckpoint);
  size_t n = 0;
  for (const std::string& bytes : Damaged(good, 60, 20)) {
    ReplaceFile(disk_, kCheckpoint, bytes);
    disk_.Remove(kManifest).IgnoreError();
    ASSERT_OK_AND_ASSIGN(auto store, OpenStore(disk_));
    EXPECT_EQ(WholeRevisions(*store), std::set<uint64_t>{1});
    EXPECT_EQ(ReadFile(disk_, absl::StrCat(kDataDir,
                                           "/quarantine/ckpt-000002.h5.", ++n)),
              bytes);
  }
}

TEST_F(CheckpointDamageTest, AManifestIsRebuiltFromTheFiles) {
  const std::string good = ReadFile(disk_, kManifest);
  int rebuilt = 0;
  for (const std::string& bytes : Damaged(good, 150, 30)) {
    ReplaceFile(disk_, kManifest, bytes);
    ASSERT_OK_AND_ASSIGN(auto store, OpenStore(disk_));
    ASSERT_EQ(WholeRevisions(*store), (std::set<uint64_t>{1, 2}));
    if (store->notices().empty()) continue;
    ++rebuilt;
    EXPECT_THAT(store->notices()[0], HasSubstr(kManifest));
    EXPECT_EQ(
        ReadFile(disk_,
                 absl::StrCat(kDataDir, "/quarantine/MANIFEST.json.", rebuilt)),
        bytes);
  }
  EXPECT_GT(rebuilt, 150);
}

}  // namespace
}  // namespace varkeep
