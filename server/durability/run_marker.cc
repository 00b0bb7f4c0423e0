// SPDX-License-Identifier: Apache-2.0
#include "server/durability/run_marker.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"

namespace varkeep {
namespace {

using storage::File;
using storage::FileSystem;

// The revision that the server before began with; nullopt when it left cleanly.
absl::StatusOr<std::optional<Revision>> ReadMarker(FileSystem* file_system,
                                                   const std::string& path) {
  absl::StatusOr<std::unique_ptr<File>> file = file_system->OpenForRead(path);
  if (absl::IsNotFound(file.status())) return std::nullopt;
  RETURN_IF_ERROR(file.status());
  ASSIGN_OR_RETURN(int64_t size, (*file)->Size());
  std::string text(static_cast<size_t>(std::min<int64_t>(size, 64)), '\0');
  RETURN_IF_ERROR((*file)->ReadAt(0, std::as_writable_bytes(std::span(text))));
  Revision revision = 0;
  if (!absl::SimpleAtoi(absl::StripSuffix(text, "\n"), &revision)) {
    return absl::DataLossError(absl::StrCat(
        path, ": '", text,
        "' is not a revision; if no server runs here and "
        "you know that no client holds versions of it, remove the file"));
  }
  return revision;
}

absl::Status WriteFile(FileSystem* file_system, const std::string& path,
                       const std::string& text) {
  ASSIGN_OR_RETURN(std::unique_ptr<File> file, file_system->Create(path));
  RETURN_IF_ERROR(file->WriteAt(0, std::as_bytes(std::span(text))));
  RETURN_IF_ERROR(file->Sync());
  return file->Close();
}

absl::Status RemoveIfThere(FileSystem* file_system, const std::string& path) {
  absl::Status removed = file_system->Remove(path);
  return absl::IsNotFound(removed) ? absl::OkStatus() : removed;
}

}  // namespace

RunMarker::RunMarker(FileSystem* file_system, std::string directory)
    : file_system_(file_system), directory_(std::move(directory)) {}

absl::StatusOr<RunMarker::Begun> RunMarker::Begin(Revision saved) {
  ASSIGN_OR_RETURN(std::optional<Revision> before,
                   ReadMarker(file_system_, Path()));
  Begun begun;
  begun.revision = saved;
  if (before) {
    begun.after_crash = true;
    begun.revision = (std::max(saved, *before) / kStep + 1) * kStep;
  }
  const std::string temporary = Path() + ".tmp";
  RETURN_IF_ERROR(RemoveIfThere(file_system_, temporary));
  RETURN_IF_ERROR(
      WriteFile(file_system_, temporary, absl::StrCat(begun.revision, "\n")));
  RETURN_IF_ERROR(file_system_->Rename(temporary, Path()));
  RETURN_IF_ERROR(file_system_->SyncDirectory(directory_));
  return begun;
}

absl::Status RunMarker::End() {
  RETURN_IF_ERROR(RemoveIfThere(file_system_, Path()));
  return file_system_->SyncDirectory(directory_);
}

}  // namespace varkeep
