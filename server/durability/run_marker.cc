// SPDX-License-Identifier: Apache-2.0
#include "server/durability/run_marker.h"

#include <algorithm>
#include <fstream>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace varkeep {
namespace {

using storage::File;
using storage::FileSystem;

// A boot id is shorter; what is longer was not written by us.
constexpr int64_t kMaxBytes = 256;

absl::StatusOr<std::string> ReadFile(FileSystem* file_system,
                                     const std::string& path) {
  ASSIGN_OR_RETURN(std::unique_ptr<File> file, file_system->OpenForRead(path));
  ASSIGN_OR_RETURN(int64_t size, file->Size());
  std::string text(static_cast<size_t>(std::min(size, kMaxBytes)), '\0');
  RETURN_IF_ERROR(file->ReadAt(0, std::as_writable_bytes(std::span(text))));
  return text;
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

RunMarker::RunMarker(FileSystem* file_system, std::string directory,
                     std::string boot_id)
    : file_system_(file_system),
      directory_(std::move(directory)),
      boot_id_(std::move(boot_id)) {}

absl::StatusOr<RunMarker::Begun> RunMarker::Find() {
  Begun begun;
  absl::StatusOr<std::string> text = ReadFile(file_system_, Path());
  if (absl::IsNotFound(text.status())) return begun;
  RETURN_IF_ERROR(text.status());
  begun.after_crash = true;
  begun.after_power_cut =
      boot_id_.empty() || absl::StripAsciiWhitespace(*text) != boot_id_;
  return begun;
}

absl::Status RunMarker::Begin() {
  const std::string temporary = Path() + ".tmp";
  RETURN_IF_ERROR(RemoveIfThere(file_system_, temporary));
  RETURN_IF_ERROR(
      WriteFile(file_system_, temporary, absl::StrCat(boot_id_, "\n")));
  RETURN_IF_ERROR(file_system_->Rename(temporary, Path()));
  return file_system_->SyncDirectory(directory_);
}

absl::Status RunMarker::End() {
  RETURN_IF_ERROR(RemoveIfThere(file_system_, Path()));
  return file_system_->SyncDirectory(directory_);
}

std::string SystemBootId() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(file, id);
  return id;
}

}  // namespace varkeep
