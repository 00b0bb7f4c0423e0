// SPDX-License-Identifier: Apache-2.0
//
// One file of a directory is damaged, whichever it is: the next start has all
// there was. Only the log from the newest checkpoint on is there once.
#include <map>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "storage/memory_file_system.h"
#include "tests/faults/life.h"
#include "tests/server/variables/store_testing.h"

namespace varkeep {
namespace {

using storage::MemoryFileSystem;

constexpr int kStill = 3;  // variables that do not change
constexpr int64_t kElements = (storage::kSharedValueBytes + 1000) / 4;
constexpr int kPlaces = 24;  // in each file

TensorRef Filled(float number) {
  return Of<float>({kElements}, std::vector<float>(kElements, number));
}

// The files of a disk, by path.
using Files = std::map<std::string, std::string>;

Files ReadAll(MemoryFileSystem& disk) {
  Files files;
  for (const char* directory : {"/data", "/data/log"}) {
    absl::StatusOr<std::vector<std::string>> names = disk.List(directory);
    EXPECT_OK(names);
    for (const std::string& name : *names) {
      const std::string path = absl::StrCat(directory, "/", name);
      auto file = disk.OpenForRead(path);
      if (!file.ok()) continue;  // a directory
      std::string bytes(static_cast<size_t>(*(*file)->Size()), '\0');
      EXPECT_OK((*file)->ReadAt(0, std::as_writable_bytes(std::span(bytes))));
      files[path] = std::move(bytes);
    }
  }
  return files;
}

void WriteAll(const Files& files, MemoryFileSystem* disk) {
  ASSERT_OK(disk->MakeDirectory("/data"));
  ASSERT_OK(disk->MakeDirectory("/data/log"));
  for (const auto& [path, bytes] : files) {
    ASSERT_OK_AND_ASSIGN(auto file, disk->Create(path));
    ASSERT_OK(file->WriteAt(0, std::as_bytes(std::span(bytes))));
    ASSERT_OK(file->Sync());
  }
  ASSERT_OK(disk->SyncDirectory("/data"));
  ASSERT_OK(disk->SyncDirectory("/data/log"));
}

class DamagedFileTest : public ::testing::Test {
 protected:
  void Begin(MemoryFileSystem* disk) {
    life_.reset();
    ASSERT_OK_AND_ASSIGN(life_, Life::Begin(disk));
  }
  void Assign(const std::string& name, float number) {
    ASSERT_OK(life_->Apply(AssignMutation{"", name, Filled(number), {}, true}));
  }
  void SaveAfterAChange() {
    Assign("moving", ++number_);
    ASSERT_OK(life_->Save());
  }

  // Several lives with saves, so that the first checkpoints are removed and
  // their files stay, and at the end changes that only the log has.
  void Live(MemoryFileSystem* disk) {
    Begin(disk);
    for (const char* name :
         {"moving", "late", "still/0", "still/1", "still/2"}) {
      ASSERT_OK(
          life_->Apply(DeclareMutation{"", SpecOf(name, {kElements}), false}));
    }
    for (int i = 0; i < kStill; ++i) {
      Assign(absl::StrCat("still/", i), static_cast<float>(-i));
    }
    for (int i = 0; i < 4; ++i) SaveAfterAChange();
    Begin(disk);
    Assign("late", 1);
    for (int i = 0; i < 4; ++i) SaveAfterAChange();
    Assign("moving", ++number_);
    ASSERT_OK(life_->Apply(
        UpdateMutation{"", "late", UpdateOp::kAdd, Filled(0.1f), {}}));
  }

  std::unique_ptr<Life> life_;
  float number_ = 0;
};

TEST_F(DamagedFileTest, WhicheverItIsNothingIsLost) {
  Files files;
  StoreSnapshot before;
  {
    MemoryFileSystem disk;
    Live(&disk);
    before = life_->store().Snapshot();
    life_.reset();
    files = ReadAll(disk);
  }
  int fallbacks = 0;
  // Starts on the files with one of them changed, saves, and starts again.
  auto try_with = [&](const Files& changed) {
    MemoryFileSystem disk;
    WriteAll(changed, &disk);
    Begin(&disk);
    if (HasFailure()) return;
    ExpectSameSnapshot(life_->store().Snapshot(), before);
    if (!life_->recovered().damaged.empty()) ++fallbacks;
    SaveAfterAChange();
    const StoreSnapshot saved = life_->store().Snapshot();
    Begin(&disk);
    ExpectSameSnapshot(life_->store().Snapshot(), saved);
    life_.reset();
  };
  int checkpoint_files = 0;
  for (const auto& [path, bytes] : files) {
    if (absl::StartsWith(path, "/data/log/")) continue;
    if (absl::EndsWith(path, ".h5")) ++checkpoint_files;
    SCOPED_TRACE(path);
    Files changed = files;
    changed.erase(path);
    try_with(changed);
    for (size_t i = 0; i < kPlaces && !bytes.empty(); ++i) {
      const size_t at = i * (bytes.size() - 1) / (kPlaces - 1);
      SCOPED_TRACE(at);
      changed[path] = bytes;
      changed[path][at] = static_cast<char>(bytes[at] ^ (1 << i % 8));
      try_with(changed);
      if (HasFailure()) return;
    }
  }
  EXPECT_GT(checkpoint_files, 5);  // those of removed checkpoints among them
  EXPECT_GT(fallbacks, 2 * kPlaces);
}

}  // namespace
}  // namespace varkeep
