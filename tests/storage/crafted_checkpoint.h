// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TESTS_STORAGE_CRAFTED_CHECKPOINT_H_
#define VARKEEP_TESTS_STORAGE_CRAFTED_CHECKPOINT_H_

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/crc32c.h"
#include "storage/checkpoint_layout.h"
#include "storage/checkpoint_trailer.h"
#include "storage/manifest.h"
#include "tests/storage/store_checks.h"

namespace varkeep {

// A checkpoint file made by hand, without an HDF5 part: it proves itself,
// whatever it says. Paths are added in their order.
class CraftedCheckpoint {
 public:
  explicit CraftedCheckpoint(storage::CheckpointId id) {
    info_.id = id;
    info_.file = storage::CheckpointFileName(id);
    info_.revision = index_.contents.revision = id;
    info_.created = index_.created = absl::FromUnixSeconds(1);
  }

  // An entry with a value in the file; null: with none.
  CraftedCheckpoint& Add(const std::string& path, const TensorRef& value) {
    std::optional<storage::StoredValue> stored;
    if (value != nullptr) {
      stored = {static_cast<int64_t>(values_.size()), value->size_bytes(),
                Crc32c(value->bytes())};
      values_.insert(values_.end(), value->bytes().begin(),
                     value->bytes().end());
    }
    index_.contents.entries.push_back(
        {path,
         DType::kInt8,
         value == nullptr ? Shape({1}) : value->shape(),
         nullptr,
         {}});
    index_.values.push_back(stored);
    return *this;
  }
  // An entry whose value another file holds.
  CraftedCheckpoint& Refer(const std::string& path,
                           const storage::Holder& holder) {
    index_.shared.files[path] = holder.file;
    index_.shared.holders.push_back(holder);
    if (auto id = storage::ParseCheckpointFileName(holder.file)) {
      info_.holders.push_back(*id);
    }
    return *this;
  }

  // Into kDataDir. Gives what the manifest has to say of it.
  storage::CheckpointInfo Write(storage::FileSystem& fs) {
    EXPECT_OK(fs.MakeDirectory(kDataDir));
    auto file = fs.Create(absl::StrCat(kDataDir, "/", info_.file));
    EXPECT_OK(file);
    EXPECT_OK((*file)->WriteAt(0, values_));
    auto seal = storage::AppendTrailer(file->get(), index_);
    EXPECT_OK(seal);
    info_.size_bytes = seal->size_bytes;
    info_.crc32c = seal->crc32c;
    info_.entries = static_cast<int64_t>(index_.contents.entries.size() +
                                         index_.shared.files.size());
    return info_;
  }

 private:
  std::vector<std::byte> values_;
  storage::CheckpointIndex index_;
  storage::CheckpointInfo info_;
};

inline storage::Holder HolderOf(const storage::CheckpointInfo& info) {
  return {info.file, info.size_bytes, info.crc32c};
}

inline void WriteManifest(storage::FileSystem& fs,
                          std::vector<storage::CheckpointInfo> checkpoints) {
  storage::Manifest manifest;
  manifest.last_id = 9;
  manifest.checkpoints = std::move(checkpoints);
  ReplaceFile(fs, absl::StrCat(kDataDir, "/MANIFEST.json"),
              storage::FormatManifest(manifest));
}

}  // namespace varkeep

#endif  // VARKEEP_TESTS_STORAGE_CRAFTED_CHECKPOINT_H_
