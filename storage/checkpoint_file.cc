// SPDX-License-Identifier: Apache-2.0
#include "storage/checkpoint_file.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/crc32c.h"
#include "base/status_annotate.h"
#include "base/status_macros.h"

namespace varkeep::storage {
namespace {

constexpr size_t kPartBytes = 512 << 10;

// A file that ends too early is damaged.
absl::Status LossIfShort(absl::Status status) {
  if (!absl::IsOutOfRange(status)) return status;
  return absl::DataLossError(status.message());
}

}  // namespace

absl::StatusOr<std::unique_ptr<CheckpointFile>> CheckpointFile::Open(
    std::unique_ptr<File> file, std::string name) {
  absl::StatusOr<Seal> seal = VerifyTrailer(file.get());
  if (!seal.ok()) {
    return Annotate(seal.status(), absl::StrCat("checkpoint '", name, "'"));
  }
  return std::unique_ptr<CheckpointFile>(
      new CheckpointFile(std::move(file), std::move(name), *std::move(seal)));
}

std::optional<size_t> CheckpointFile::Find(const std::string& path) const {
  const std::vector<CheckpointEntry>& entries = seal_.index.contents.entries;
  auto it =
      std::lower_bound(entries.begin(), entries.end(), path,
                       [](const CheckpointEntry& entry, const std::string& p) {
                         return entry.path < p;
                       });
  if (it == entries.end() || it->path != path) return std::nullopt;
  return static_cast<size_t>(it - entries.begin());
}

int64_t CheckpointFile::ValueBytes() const {
  int64_t bytes = 0;
  for (const std::optional<StoredValue>& value : seal_.index.values) {
    if (value.has_value()) bytes += value->size_bytes;
  }
  return bytes;
}

absl::StatusOr<TensorRef> CheckpointFile::Read(size_t index) {
  const CheckpointEntry& entry = seal_.index.contents.entries[index];
  absl::StatusOr<std::shared_ptr<Tensor>> tensor =
      Tensor::Create(entry.dtype, entry.shape);
  if (!tensor.ok()) return Annotate(tensor.status(), Label(index));
  std::span<std::byte> bytes = (*tensor)->mutable_bytes();
  // In parts that are still in the processor's cache for the checksum.
  int64_t offset = seal_.index.values[index]->offset;
  uint32_t crc = 0;
  for (std::span<std::byte> rest = bytes; !rest.empty();) {
    std::span<std::byte> part =
        rest.first(std::min<size_t>(rest.size(), kPartBytes));
    RETURN_IF_ERROR(ReadAt(index, offset, part));
    crc = Crc32c(part, crc);
    offset += static_cast<int64_t>(part.size());
    rest = rest.subspan(part.size());
  }
  RETURN_IF_ERROR(CheckChecksum(index, crc));
  return TensorRef(*std::move(tensor));
}

absl::Status CheckpointFile::Verify(size_t index) {
  ASSIGN_OR_RETURN(uint32_t crc, Checksum(index, nullptr));
  return CheckChecksum(index, crc);
}

absl::StatusOr<uint32_t> CheckpointFile::Checksum(
    size_t index, const std::function<bool(int64_t)>& progress) {
  const StoredValue& value = *seal_.index.values[index];
  absl::StatusOr<uint32_t> crc =
      ReadChecksum(file_.get(), value.offset, value.size_bytes, progress);
  if (crc.ok()) return crc;
  return Annotate(LossIfShort(crc.status()), Label(index));
}

absl::Status CheckpointFile::VerifyAll() {
  for (size_t i = 0; i < seal_.index.values.size(); ++i) {
    if (seal_.index.values[i].has_value()) RETURN_IF_ERROR(Verify(i));
  }
  return absl::OkStatus();
}

std::string CheckpointFile::Label(size_t index) const {
  return absl::StrCat("checkpoint '", name_, "': entry '",
                      seal_.index.contents.entries[index].path, "'");
}

absl::Status CheckpointFile::CheckChecksum(size_t index, uint32_t crc) const {
  const uint32_t expected = seal_.index.values[index]->crc32c;
  if (crc == expected) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(
      Label(index), " has checksum ", absl::Hex(crc, absl::kZeroPad8), ", not ",
      absl::Hex(expected, absl::kZeroPad8)));
}

absl::Status CheckpointFile::ReadAt(size_t index, int64_t offset,
                                    std::span<std::byte> out) {
  return Annotate(LossIfShort(file_->ReadAt(offset, out)), Label(index));
}

absl::StatusOr<std::unique_ptr<CheckpointFilesReader>>
CheckpointFilesReader::Create(
    std::unique_ptr<CheckpointFile> file,
    std::map<std::string, std::unique_ptr<CheckpointFile>> holders) {
  std::unique_ptr<CheckpointFilesReader> reader(
      new CheckpointFilesReader(std::move(file), std::move(holders)));
  RETURN_IF_ERROR(reader->Compose());
  return reader;
}

// Own and shared entries are both in the order of their paths: a merge.
absl::Status CheckpointFilesReader::Compose() {
  const CheckpointIndex& index = file_->index();
  contents_.revision = index.contents.revision;
  contents_.attributes = index.contents.attributes;
  auto shared = index.shared.files.begin();
  size_t own = 0;
  while (own < index.values.size() || shared != index.shared.files.end()) {
    Place place{file_.get(), own};
    if (own == index.values.size() ||
        (shared != index.shared.files.end() &&
         shared->first < index.contents.entries[own].path)) {
      place.file = holders_.at(shared->second).get();
      std::optional<size_t> found = place.file->Find(shared->first);
      if (!found.has_value()) {
        return absl::DataLossError(absl::StrCat(
            "checkpoint '", place.file->name(), "' has no entry '",
            shared->first, "', which '", file_->name(), "' refers to"));
      }
      place.index = *found;
      ++shared;
    } else {
      ++own;
    }
    contents_.entries.push_back(
        place.file->index().contents.entries[place.index]);
    places_.push_back(place);
  }
  return absl::OkStatus();
}

std::optional<std::string> CheckpointFilesReader::HolderOf(size_t index) const {
  const CheckpointFile* file = places_[index].file;
  if (file == file_.get()) return std::nullopt;
  return file_->index().shared.files.at(contents_.entries[index].path);
}

}  // namespace varkeep::storage
