// SPDX-License-Identifier: Apache-2.0
#include "storage/checkpoint_recovery.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "storage/checkpoint_layout.h"

namespace varkeep::storage {
namespace {

class Recovery {
 public:
  Recovery(const CheckpointDirectory& directory,
           std::vector<std::string>* notices)
      : directory_(directory), notices_(*notices) {}

  absl::StatusOr<Manifest> Run() {
    ASSIGN_OR_RETURN(std::vector<std::string> names,
                     directory_.file_system().List(directory_.path()));
    names_ = std::set<std::string>(names.begin(), names.end());
    RETURN_IF_ERROR(LoadManifest());
    RETURN_IF_ERROR(RemoveTemporaries());
    RETURN_IF_ERROR(FinishRemovals());
    RETURN_IF_ERROR(AdoptOrQuarantine());
    ReportMissing();
    RETURN_IF_ERROR(FindLastId());
    if (changed_) {
      bool replaced = false;
      RETURN_IF_ERROR(directory_.WriteManifest(manifest_, &replaced));
    }
    return std::move(manifest_);
  }

 private:
  template <typename... Parts>
  void Note(const Parts&... parts) {
    notices_.push_back(absl::StrCat(parts...));
  }

  // Before anything is changed: a directory of a later version stays as it is.
  absl::Status LoadManifest() {
    absl::StatusOr<Manifest> manifest = directory_.ReadManifest();
    if (manifest.ok()) {
      manifest_ = *std::move(manifest);
      return absl::OkStatus();
    }
    if (absl::IsNotFound(manifest.status())) {
      const bool any = std::any_of(
          names_.begin(), names_.end(), [](const std::string& name) {
            return ParseCheckpointFileName(name).has_value();
          });
      if (any) {
        Note("'", directory_.PathOf(kManifestFile),
             "' is missing; rebuilding it from the checkpoint files");
      }
      return absl::OkStatus();
    }
    if (!absl::IsDataLoss(manifest.status())) return manifest.status();
    ASSIGN_OR_RETURN(std::string kept, directory_.Quarantine(kManifestFile));
    Note(std::string(manifest.status().message()), "; kept as '", kept,
         "', rebuilding it from the checkpoint files");
    changed_ = true;
    return absl::OkStatus();
  }

  absl::Status RemoveTemporaries() {
    for (const std::string& name : names_) {
      if (!IsTemporaryName(name)) continue;
      RETURN_IF_ERROR(directory_.file_system().Remove(directory_.PathOf(name)));
      Note("removed '", directory_.PathOf(name),
           "', which was not written to its end");
    }
    return absl::OkStatus();
  }

  absl::Status FinishRemovals() {
    if (manifest_.removing.empty()) return absl::OkStatus();
    for (CheckpointId id : manifest_.removing) {
      const std::string name = CheckpointFileName(id);
      if (names_.erase(name) == 0) continue;
      RETURN_IF_ERROR(directory_.file_system().Remove(directory_.PathOf(name)));
      Note("finished the removal of checkpoint '", directory_.PathOf(name),
           "'");
    }
    // On the disk before the manifest forgets that they were to be removed.
    RETURN_IF_ERROR(directory_.file_system().SyncDirectory(directory_.path()));
    manifest_.removing.clear();
    changed_ = true;
    return absl::OkStatus();
  }

  absl::Status AdoptOrQuarantine() {
    std::set<CheckpointId> listed;
    for (const CheckpointInfo& info : manifest_.checkpoints) {
      listed.insert(info.id);
    }
    for (const std::string& name : names_) {
      std::optional<CheckpointId> id = ParseCheckpointFileName(name);
      if (!id.has_value() || listed.contains(*id)) continue;
      absl::StatusOr<CheckpointInfo> info = directory_.Examine(name);
      if (!info.ok() && !absl::IsDataLoss(info.status())) return info.status();
      if (!info.ok()) {
        ASSIGN_OR_RETURN(std::string kept, directory_.Quarantine(name));
        Note(std::string(info.status().message()), "; moved to '", kept, "'");
        continue;
      }
      info->id = *id;
      info->file = name;
      Note("adopted checkpoint '", directory_.PathOf(name), "', revision ",
           info->revision, ", which was complete but not in the manifest");
      manifest_.checkpoints.push_back(*std::move(info));
      changed_ = true;
    }
    std::sort(manifest_.checkpoints.begin(), manifest_.checkpoints.end(),
              [](const CheckpointInfo& a, const CheckpointInfo& b) {
                return a.id < b.id;
              });
    return absl::OkStatus();
  }

  void ReportMissing() {
    for (const CheckpointInfo& info : manifest_.checkpoints) {
      if (names_.contains(info.file)) continue;
      Note("checkpoint '", directory_.PathOf(info.file),
           "' is in the manifest but missing");
    }
  }

  // No id is given twice, also when the manifest was lost.
  absl::Status FindLastId() {
    CheckpointId last = manifest_.last_id;
    for (const CheckpointInfo& info : manifest_.checkpoints) {
      last = std::max(last, info.id);
    }
    absl::StatusOr<std::vector<std::string>> names =
        directory_.file_system().List(directory_.PathOf(kQuarantineDirectory));
    if (names.ok()) {
      for (const std::string& name : *names) {
        last = std::max(last, ParseQuarantineName(name).value_or(0));
      }
    } else if (!absl::IsNotFound(names.status())) {
      return names.status();
    }
    manifest_.last_id = last;
    return absl::OkStatus();
  }

  const CheckpointDirectory& directory_;
  std::vector<std::string>& notices_;
  std::set<std::string> names_;
  Manifest manifest_;
  bool changed_ = false;  // manifest_ is not what is on the disk
};

}  // namespace

absl::StatusOr<Manifest> RecoverDirectory(const CheckpointDirectory& directory,
                                          std::vector<std::string>* notices) {
  return Recovery(directory, notices).Run();
}

}  // namespace varkeep::storage
