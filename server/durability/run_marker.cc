// SPDX-License-Identifier: Apache-2.0
#include "server/durability/run_marker.h"

#include <algorithm>
#include <fstream>
#include <memory>
#include <optional>
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

// What the marker says, without white space; nothing when it is not there.
absl::StatusOr<std::optional<std::string>> Read(FileSystem* file_system,
                                                const std::string& path) {
  absl::StatusOr<std::unique_ptr<File>> file = file_system->OpenForRead(path);
  if (absl::IsNotFound(file.status())) return std::nullopt;
  RETURN_IF_ERROR(file.status());
  ASSIGN_OR_RETURN(int64_t size, (*file)->Size());
  std::string text(static_cast<size_t>(std::min(size, kMaxBytes)), '\0');
  RETURN_IF_ERROR((*file)->ReadAt(0, std::as_writable_bytes(std::span(text))));
  return std::string(absl::StripAsciiWhitespace(text));
}

absl::Status WriteFile(FileSystem* file_system, const std::string& path,
                       const std::string& text) {
  ASSIGN_OR_RETURN(std::unique_ptr<File> file, file_system->Create(path));
  RETURN_IF_ERROR(file->WriteAt(0, std::as_bytes(std::span(text))));
  RETURN_IF_ERROR(file->Sync());
  return file->Close();
}

absl::Status OkIfNotThere(const absl::Status& status) {
  return absl::IsNotFound(status) ? absl::OkStatus() : status;
}

}  // namespace

RunMarker::RunMarker(FileSystem* file_system, std::string directory,
                     std::string boot_id)
    : file_system_(file_system),
      directory_(std::move(directory)),
      boot_id_(std::move(boot_id)) {}

absl::StatusOr<RunMarker::Begun> RunMarker::Find() {
  Begun begun;
  ASSIGN_OR_RETURN(auto text, Read(file_system_, Running()));
  begun.after_crash = text.has_value();
  begun.after_power_cut =
      text.has_value() && (boot_id_.empty() || *text != boot_id_);
  return begun;
}

absl::Status RunMarker::Begin(bool log_begun) {
  ASSIGN_OR_RETURN(Begun before, Find());
  keeps_power_cut_ = before.after_power_cut && !log_begun;
  if (!before.after_crash) {
    RETURN_IF_ERROR(OkIfNotThere(file_system_->Rename(Stopped(), Running())));
  }
  if (!keeps_power_cut_) RETURN_IF_ERROR(Update());
  return file_system_->SyncDirectory(directory_);
}

absl::Status RunMarker::Update() {
  ASSIGN_OR_RETURN(auto text, Read(file_system_, Running()));
  if (text == boot_id_) return absl::OkStatus();
  const std::string temporary = Running() + ".tmp";
  RETURN_IF_ERROR(OkIfNotThere(file_system_->Remove(temporary)));
  absl::Status written =
      WriteFile(file_system_, temporary, absl::StrCat(boot_id_, "\n"));
  if (written.ok()) return file_system_->Rename(temporary, Running());
  file_system_->Remove(temporary).IgnoreError();
  // An older one does as well: with it any crash counts as a power cut.
  const bool enough = absl::IsResourceExhausted(written) && text.has_value();
  return enough ? absl::OkStatus() : written;
}

absl::Status RunMarker::End() {
  if (keeps_power_cut_) return absl::OkStatus();
  RETURN_IF_ERROR(OkIfNotThere(file_system_->Rename(Running(), Stopped())));
  return file_system_->SyncDirectory(directory_);
}

std::string SystemBootId() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(file, id);
  return id;
}

}  // namespace varkeep
