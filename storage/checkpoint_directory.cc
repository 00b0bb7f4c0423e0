// SPDX-License-Identifier: Apache-2.0
#include "storage/checkpoint_directory.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/crc32c.h"
#include "base/status_annotate.h"
#include "base/status_macros.h"
#include "storage/checkpoint_file.h"
#include "storage/checkpoint_layout.h"
#include "storage/checkpoint_trailer.h"
#include "storage/hdf5/checkpoint_writer.h"

namespace varkeep::storage {
namespace {

constexpr int64_t kMaxManifestBytes = 64 << 20;

// A new file in place of what an earlier failure may have left.
absl::StatusOr<std::unique_ptr<File>> CreateAfresh(FileSystem& file_system,
                                                   const std::string& path) {
  absl::Status removed = file_system.Remove(path);
  if (!removed.ok() && !absl::IsNotFound(removed)) return removed;
  return file_system.Create(path);
}

absl::Status WriteText(FileSystem& file_system, const std::string& path,
                       const std::string& text) {
  ASSIGN_OR_RETURN(std::unique_ptr<File> file, CreateAfresh(file_system, path));
  RETURN_IF_ERROR(
      file->WriteAt(0, std::as_bytes(std::span(text.data(), text.size()))));
  RETURN_IF_ERROR(file->Sync());
  return file->Close();
}

absl::Status CheckRoom(FileSystem& file_system, const std::string& directory,
                       int64_t needed) {
  ASSIGN_OR_RETURN(int64_t free, file_system.FreeBytes(directory));
  if (needed <= free) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("the checkpoint needs up to ", needed, " bytes, '",
                   directory, "' has ", free, " free"));
}

}  // namespace

std::string CheckpointDirectory::PathOf(absl::string_view name) const {
  return JoinPath(path_, name);
}

absl::StatusOr<Manifest> CheckpointDirectory::ReadManifest() const {
  const std::string path = PathOf(kManifestFile);
  ASSIGN_OR_RETURN(std::unique_ptr<File> file, file_system_->OpenForRead(path));
  ASSIGN_OR_RETURN(int64_t size, file->Size());
  if (size > kMaxManifestBytes) {
    return absl::DataLossError(
        absl::StrCat("manifest '", path, "' has ", size, " bytes"));
  }
  std::string text(static_cast<size_t>(size), '\0');
  RETURN_IF_ERROR(file->ReadAt(
      0, std::as_writable_bytes(std::span(text.data(), text.size()))));
  return ParseManifest(text, path);
}

absl::Status CheckpointDirectory::WriteManifest(const Manifest& manifest,
                                                bool* replaced) const {
  *replaced = false;
  const std::string temporary = PathOf(TemporaryName(kManifestFile));
  absl::Status status =
      WriteText(*file_system_, temporary, FormatManifest(manifest));
  if (status.ok()) {
    *replaced = true;
    status = file_system_->Rename(temporary, PathOf(kManifestFile));
  }
  if (!status.ok()) {
    file_system_->Remove(temporary).IgnoreError();
    return status;
  }
  return file_system_->SyncDirectory(path_);
}

absl::StatusOr<CheckpointInfo> CheckpointDirectory::WriteCheckpointFile(
    CheckpointContents contents, const SharedEntries& shared,
    absl::Time created, const CheckpointProgress& progress,
    const std::string& name) const {
  const int64_t estimate = hdf5::EstimateFileSize(contents, shared);
  RETURN_IF_ERROR(CheckRoom(*file_system_, path_, estimate));
  const uint64_t revision = contents.revision;
  const auto entries = static_cast<int64_t>(contents.entries.size());
  const int64_t value_bytes = ValueBytes(contents);
  const std::string path = PathOf(name);
  ASSIGN_OR_RETURN(std::unique_ptr<File> file,
                   CreateAfresh(*file_system_, path));
  auto write = [&]() -> absl::StatusOr<CheckpointInfo> {
    RETURN_IF_ERROR(file->Reserve(estimate));
    ASSIGN_OR_RETURN(CheckpointIndex index,
                     hdf5::WriteCheckpoint(std::move(contents), shared, created,
                                           progress, file.get()));
    ASSIGN_OR_RETURN(Seal seal, AppendTrailer(file.get(), std::move(index)));
    CheckpointInfo info;
    ASSIGN_OR_RETURN(auto read, Examine(name, &info));
    if (info.crc32c != seal.crc32c || info.size_bytes != seal.size_bytes ||
        info.revision != revision || info.entries != entries ||
        read->index().shared.files != shared.files ||
        read->index().shared.holders != shared.holders) {
      return absl::DataLossError(absl::StrCat(
          "checkpoint '", path, "' is not what was written to it"));
    }
    info.shared_bytes = value_bytes - info.written_bytes;
    RETURN_IF_ERROR(file->Sync());
    RETURN_IF_ERROR(file->Close());
    return info;
  };
  absl::StatusOr<CheckpointInfo> info = write();
  if (!info.ok()) file_system_->Remove(path).IgnoreError();
  return info;
}

absl::StatusOr<std::unique_ptr<CheckpointFile>> CheckpointDirectory::Examine(
    const std::string& name, CheckpointInfo* info) const {
  const std::string path = PathOf(name);
  ASSIGN_OR_RETURN(std::unique_ptr<File> file, file_system_->OpenForRead(path));
  ASSIGN_OR_RETURN(auto read, CheckpointFile::Open(std::move(file), path));
  info->size_bytes = read->seal().size_bytes;
  info->crc32c = read->seal().crc32c;
  const CheckpointIndex& index = read->index();
  info->revision = index.contents.revision;
  info->created = index.created;
  info->entries = static_cast<int64_t>(index.contents.entries.size() +
                                       index.shared.files.size());
  info->written_bytes = read->ValueBytes();
  for (const Holder& holder : index.shared.holders) {
    std::optional<CheckpointId> id = ParseCheckpointFileName(holder.file);
    if (!id.has_value()) {
      return absl::DataLossError(
          absl::StrCat("checkpoint '", path, "': its holder '", holder.file,
                       "' is not named as a checkpoint"));
    }
    info->holders.push_back(*id);
  }
  return read;
}

absl::StatusOr<std::unique_ptr<CheckpointFile>> CheckpointDirectory::OpenFile(
    const Holder& expected) const {
  const std::string path = PathOf(expected.file);
  ASSIGN_OR_RETURN(std::unique_ptr<File> file, file_system_->OpenForRead(path));
  ASSIGN_OR_RETURN(int64_t size, file->Size());
  if (size != expected.size_bytes) {
    return absl::DataLossError(absl::StrCat("checkpoint '", path, "' has ",
                                            size, " bytes, not ",
                                            expected.size_bytes));
  }
  ASSIGN_OR_RETURN(auto opened, CheckpointFile::Open(std::move(file), path));
  const uint32_t crc = opened->seal().crc32c;
  if (crc == expected.crc32c) return opened;
  return absl::DataLossError(absl::StrCat(
      "checkpoint '", path, "' has checksum ", absl::Hex(crc, absl::kZeroPad8),
      ", not ", absl::Hex(expected.crc32c, absl::kZeroPad8)));
}

absl::StatusOr<std::unique_ptr<CheckpointFilesReader>>
CheckpointDirectory::Open(const CheckpointInfo& info) const {
  ASSIGN_OR_RETURN(auto file,
                   OpenFile({info.file, info.size_bytes, info.crc32c}));
  const CheckpointIndex& index = file->index();
  if (index.contents.revision != info.revision) {
    return absl::DataLossError(absl::StrCat(
        "checkpoint '", file->name(), "' has revision ",
        index.contents.revision, ", the manifest says ", info.revision));
  }
  std::map<std::string, std::unique_ptr<CheckpointFile>> holders;
  for (const Holder& holder : index.shared.holders) {
    if (std::find(info.holders.begin(), info.holders.end(),
                  ParseCheckpointFileName(holder.file)) == info.holders.end()) {
      return absl::DataLossError(
          absl::StrCat("checkpoint '", file->name(), "' needs '", holder.file,
                       "', which is not in the manifest"));
    }
    absl::StatusOr<std::unique_ptr<CheckpointFile>> opened = OpenFile(holder);
    if (!opened.ok()) {
      return Annotate(opened.status(),
                      absl::StrCat("checkpoint '", file->name(), "'"));
    }
    holders[holder.file] = *std::move(opened);
  }
  return CheckpointFilesReader::Create(std::move(file), std::move(holders));
}

absl::StatusOr<std::string> CheckpointDirectory::Quarantine(
    const std::string& name) const {
  const std::string quarantine = PathOf(kQuarantineDirectory);
  RETURN_IF_ERROR(file_system_->MakeDirectory(quarantine));
  ASSIGN_OR_RETURN(std::vector<std::string> names,
                   file_system_->List(quarantine));
  const std::set<std::string> taken(names.begin(), names.end());
  int n = 1;
  while (taken.contains(QuarantineName(name, n))) ++n;
  const std::string target = JoinPath(quarantine, QuarantineName(name, n));
  RETURN_IF_ERROR(file_system_->Rename(PathOf(name), target));
  // The new name first: the file is never without one on the disk.
  RETURN_IF_ERROR(file_system_->SyncDirectory(quarantine));
  RETURN_IF_ERROR(file_system_->SyncDirectory(path_));
  return target;
}

}  // namespace varkeep::storage
