// SPDX-License-Identifier: Apache-2.0
#include "storage/verify_directory.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "storage/checkpoint_directory.h"
#include "storage/checkpoint_file.h"
#include "storage/checkpoint_layout.h"
#include "storage/checkpoint_verifier.h"

namespace varkeep::storage {
namespace {

class DirectoryVerifier {
 public:
  DirectoryVerifier(FileSystem* file_system, const std::string& path,
                    const VerifyProgress& progress)
      : directory_(file_system, path), progress_(progress) {}

  absl::StatusOr<DirectoryReport> Run() {
    ASSIGN_OR_RETURN(std::vector<std::string> names,
                     directory_.file_system().List(directory_.path()));
    RETURN_IF_ERROR(ReadManifest());
    for (const std::string& name : names) RETURN_IF_ERROR(Classify(name));
    RETURN_IF_ERROR(VerifyAll());
    return std::move(report_);
  }

 private:
  absl::Status ReadManifest() {
    absl::StatusOr<Manifest> manifest = directory_.ReadManifest();
    if (manifest.ok()) {
      manifest_ = *std::move(manifest);
    } else if (absl::IsNotFound(manifest.status()) ||
               absl::IsDataLoss(manifest.status())) {
      report_.manifest_problem = std::string(manifest.status().message());
    } else {
      return manifest.status();
    }
    for (const CheckpointInfo& info : manifest_.checkpoints) {
      report_.checkpoints.push_back({info, true, {}});
      named_.insert(info.file);
    }
    for (const CheckpointInfo& info : manifest_.holders) {
      named_.insert(info.file);
    }
    for (CheckpointId id : manifest_.removing) {
      removing_.insert(CheckpointFileName(id));
    }
    return absl::OkStatus();
  }

  absl::Status Classify(const std::string& name) {
    if (named_.contains(name) || name == kLockFile || name == kManifestFile ||
        name == kServersMarker || name == kStoppedMarker ||
        name == kServersLog) {
      return absl::OkStatus();
    }
    if (IsTemporaryName(name) || removing_.contains(name)) {
      report_.litter.push_back(name);
      return absl::OkStatus();
    }
    if (name == kQuarantineDirectory) {
      ASSIGN_OR_RETURN(std::vector<std::string> kept,
                       directory_.file_system().List(directory_.PathOf(name)));
      for (const std::string& file : kept) {
        report_.quarantined.push_back(absl::StrCat(name, "/", file));
      }
      return absl::OkStatus();
    }
    std::optional<CheckpointId> id = ParseCheckpointFileName(name);
    if (id.has_value()) return AddUnlisted(*id, name);
    report_.others.push_back(name);
    return absl::OkStatus();
  }

  absl::Status AddUnlisted(CheckpointId id, const std::string& name) {
    DirectoryReport::Checkpoint found;
    found.listed = false;
    found.info.id = id;
    found.info.file = name;
    ASSIGN_OR_RETURN(
        std::unique_ptr<File> file,
        directory_.file_system().OpenForRead(directory_.PathOf(name)));
    ASSIGN_OR_RETURN(found.info.size_bytes, file->Size());
    absl::Status status = directory_.Examine(name, &found.info).status();
    if (!status.ok() && !absl::IsDataLoss(status)) return status;
    if (!status.ok()) {
      found.report.damage.push_back(
          {name, "", 0, found.info.size_bytes, std::string(status.message())});
    }
    report_.checkpoints.push_back(std::move(found));
    return absl::OkStatus();
  }

  absl::Status VerifyAll() {
    int64_t all_bytes = 0;
    for (const auto& checkpoint : report_.checkpoints) {
      all_bytes += checkpoint.info.size_bytes;
    }
    for (const CheckpointInfo& info : manifest_.holders) {
      all_bytes += info.size_bytes;
    }
    std::sort(
        report_.checkpoints.begin(), report_.checkpoints.end(),
        [](const auto& a, const auto& b) { return a.info.id < b.info.id; });
    CheckpointVerifier verifier(&directory_, all_bytes, progress_);
    for (DirectoryReport::Checkpoint& checkpoint : report_.checkpoints) {
      if (checkpoint.report.damage.empty()) {
        ASSIGN_OR_RETURN(checkpoint.report, verifier.Verify(checkpoint.info));
      }
      if (checkpoint.report.damage.empty()) {
        report_.newest_good = checkpoint.info.id;
      }
    }
    return absl::OkStatus();
  }

  const CheckpointDirectory directory_;
  const VerifyProgress& progress_;
  Manifest manifest_;
  std::set<std::string> named_;     // files that the manifest names
  std::set<std::string> removing_;  // files that it gave up
  DirectoryReport report_;
};

}  // namespace

absl::StatusOr<DirectoryReport> VerifyDirectory(
    FileSystem* file_system, const std::string& path,
    const VerifyProgress& progress) {
  return DirectoryVerifier(file_system, path, progress).Run();
}

}  // namespace varkeep::storage
