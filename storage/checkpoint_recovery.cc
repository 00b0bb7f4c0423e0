// SPDX-License-Identifier: Apache-2.0
#include "storage/checkpoint_recovery.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_annotate.h"
#include "base/status_macros.h"
#include "storage/checkpoint_file.h"
#include "storage/checkpoint_layout.h"
#include "storage/checkpoint_trailer.h"

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
    absl::StatusOr<Manifest> manifest = directory_.ReadManifest();
    if (manifest.ok()) manifest_ = *manifest;
    RETURN_IF_ERROR(CheckVersions());
    RETURN_IF_ERROR(LoadManifest(manifest.status()));
    RETURN_IF_ERROR(RemoveTemporaries());
    RETURN_IF_ERROR(FinishRemovals());
    RETURN_IF_ERROR(AdoptOrQuarantine());
    ReportMissing();
    RETURN_IF_ERROR(FindLastId());
    if (changed_) RETURN_IF_ERROR(ReplaceManifest());
    return std::move(manifest_);
  }

 private:
  template <typename... Parts>
  void Note(const Parts&... parts) {
    notices_.push_back(absl::StrCat(parts...));
  }

  // Before anything is changed: a directory of another version stays as it is.
  absl::Status CheckVersions() {
    for (const std::string& name : names_) {
      std::optional<CheckpointId> id = ParseCheckpointFileName(name);
      if (!id.has_value() || FindListed(*id) != nullptr) continue;
      const std::string path = directory_.PathOf(name);
      ASSIGN_OR_RETURN(std::unique_ptr<File> file,
                       directory_.file_system().OpenForRead(path));
      absl::Status status = CheckTrailerVersion(file.get());
      RETURN_IF_ERROR(
          Annotate(status, absl::StrCat("checkpoint '", path, "'")));
    }
    return absl::OkStatus();
  }

  // `status` is what came of reading it.
  absl::Status LoadManifest(const absl::Status& status) {
    if (status.ok()) return status;
    if (absl::IsNotFound(status)) {
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
    if (!absl::IsDataLoss(status)) return status;
    ASSIGN_OR_RETURN(std::string kept, directory_.Quarantine(kManifestFile));
    Note(std::string(status.message()), "; kept as '", kept,
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

  // A checkpoint file that the manifest does not name, and that verifies.
  struct Sound {
    CheckpointInfo info;
    std::unique_ptr<CheckpointFile> file;
  };

  absl::Status AdoptOrQuarantine() {
    RETURN_IF_ERROR(ExamineUnlisted());
    std::set<CheckpointId> needed;
    std::map<std::string, std::string> incomplete;  // file: why
    for (auto& [name, sound] : sound_) {
      absl::Status whole = CheckHolders(&sound);
      if (!whole.ok() && !absl::IsDataLoss(whole)) return whole;
      if (!whole.ok()) {
        incomplete[name] = std::string(whole.message());
        continue;
      }
      Note("adopted checkpoint '", directory_.PathOf(name), "', revision ",
           sound.info.revision, ", which was complete but not in the manifest");
      needed.insert(sound.info.holders.begin(), sound.info.holders.end());
      manifest_.checkpoints.push_back(sound.info);
      changed_ = true;
    }
    for (const auto& [name, why] : incomplete) {
      const CheckpointInfo& info = sound_.at(name).info;
      if (needed.contains(info.id)) {
        Note("kept '", directory_.PathOf(name),
             "' for the values that others refer to; it is no checkpoint "
             "itself: ",
             why);
        manifest_.holders.push_back(info);
        continue;
      }
      ASSIGN_OR_RETURN(std::string kept, directory_.Quarantine(name));
      Note(why, "; moved to '", kept, "'");
    }
    SortById(&manifest_.checkpoints);
    SortById(&manifest_.holders);
    return absl::OkStatus();
  }

  // Finds the sound files and moves the others into quarantine.
  absl::Status ExamineUnlisted() {
    for (const std::string& name : names_) {
      std::optional<CheckpointId> id = ParseCheckpointFileName(name);
      if (!id.has_value() || FindListed(*id) != nullptr) continue;
      CheckpointInfo info;
      absl::StatusOr<std::unique_ptr<CheckpointFile>> file =
          directory_.Examine(name, &info);
      if (file.ok()) {
        if (absl::Status bad = (*file)->VerifyAll(); !bad.ok()) file = bad;
      }
      if (!file.ok() && !absl::IsDataLoss(file.status())) return file.status();
      if (!file.ok()) {
        ASSIGN_OR_RETURN(std::string kept, directory_.Quarantine(name));
        Note(std::string(file.status().message()), "; moved to '", kept, "'");
        continue;
      }
      info.id = *id;
      info.file = name;
      sound_[name] = {std::move(info), *std::move(file)};
    }
    return absl::OkStatus();
  }

  const CheckpointInfo* FindListed(CheckpointId id) const {
    for (const auto* infos : {&manifest_.checkpoints, &manifest_.holders}) {
      for (const CheckpointInfo& info : *infos) {
        if (info.id == id) return &info;
      }
    }
    return nullptr;
  }

  // DATA_LOSS when a value that the file refers to is not where it should be.
  absl::Status CheckHolders(Sound* sound) {
    const SharedEntries& shared = sound->file->index().shared;
    std::map<std::string, const CheckpointFile*> holders;
    for (const Holder& holder : shared.holders) {
      absl::StatusOr<const CheckpointFile*> file = FindHolder(holder);
      if (!file.ok()) {
        return Annotate(file.status(),
                        absl::StrCat("checkpoint '", sound->file->name(), "'"));
      }
      holders[holder.file] = *file;
    }
    for (const auto& [path, holder] : shared.files) {
      const CheckpointFile* file = holders.at(holder);
      std::optional<size_t> entry = file->Find(path);
      if (!entry.has_value() || !file->index().values[*entry].has_value()) {
        return absl::DataLossError(
            absl::StrCat("checkpoint '", sound->file->name(), "': '",
                         file->name(), "' does not hold entry '", path, "'"));
      }
      sound->info.shared_bytes += file->index().values[*entry]->size_bytes;
    }
    return absl::OkStatus();
  }

  // The file of just that size and checksum, verified; DATA_LOSS.
  absl::StatusOr<const CheckpointFile*> FindHolder(const Holder& holder) {
    if (auto it = sound_.find(holder.file); it != sound_.end()) {
      const CheckpointInfo& info = it->second.info;
      if (info.size_bytes == holder.size_bytes &&
          info.crc32c == holder.crc32c) {
        return it->second.file.get();
      }
      return absl::DataLossError(absl::StrCat(
          "'", directory_.PathOf(holder.file), "' is another file"));
    }
    std::optional<CheckpointId> id = ParseCheckpointFileName(holder.file);
    if (!id.has_value() || FindListed(*id) == nullptr) {
      return absl::DataLossError(
          absl::StrCat("'", directory_.PathOf(holder.file), "' is missing"));
    }
    std::unique_ptr<CheckpointFile>& opened = listed_[holder.file];
    if (opened == nullptr) {
      absl::StatusOr<std::unique_ptr<CheckpointFile>> file =
          directory_.OpenFile(holder);
      if (absl::IsNotFound(file.status())) {
        return absl::DataLossError(file.status().message());
      }
      RETURN_IF_ERROR(file.status());
      opened = *std::move(file);
    }
    return opened.get();
  }

  static void SortById(std::vector<CheckpointInfo>* infos) {
    std::sort(infos->begin(), infos->end(),
              [](const CheckpointInfo& a, const CheckpointInfo& b) {
                return a.id < b.id;
              });
  }

  void ReportMissing() {
    for (const auto* infos : {&manifest_.checkpoints, &manifest_.holders}) {
      for (const CheckpointInfo& info : *infos) {
        if (names_.contains(info.file)) continue;
        Note("checkpoint '", directory_.PathOf(info.file),
             "' is in the manifest but missing");
      }
    }
  }

  // No id is given twice, also when the manifest was lost.
  absl::Status FindLastId() {
    CheckpointId last = manifest_.last_id;
    for (const auto* infos : {&manifest_.checkpoints, &manifest_.holders}) {
      for (const CheckpointInfo& info : *infos) last = std::max(last, info.id);
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

  // A full disk is no reason not to start: the one that is there says what was
  // found here when it is read again, and the next checkpoint replaces it.
  absl::Status ReplaceManifest() {
    bool replaced = false;
    absl::Status status = directory_.WriteManifest(manifest_, &replaced);
    if (!absl::IsResourceExhausted(status)) return status;
    Note(status.message(), "; the next checkpoint brings it up to date");
    return absl::OkStatus();
  }

  const CheckpointDirectory& directory_;
  std::vector<std::string>& notices_;
  std::set<std::string> names_;
  Manifest manifest_;
  std::map<std::string, Sound> sound_;
  // Files that the manifest names, opened as holders.
  std::map<std::string, std::unique_ptr<CheckpointFile>> listed_;
  bool changed_ = false;  // manifest_ is not what is on the disk
};

}  // namespace

absl::StatusOr<Manifest> RecoverDirectory(const CheckpointDirectory& directory,
                                          std::vector<std::string>* notices) {
  return Recovery(directory, notices).Run();
}

}  // namespace varkeep::storage
