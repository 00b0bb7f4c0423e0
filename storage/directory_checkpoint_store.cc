// SPDX-License-Identifier: Apache-2.0
//
// How a directory of checkpoints survives everything.
//
// A file under its final name is complete, verified and synced; only temporary
// names (*.tmp) may hold less. The manifest names the checkpoints there are and
// is only ever replaced as a whole. Nothing else is trusted.
//
// Write
//   1. Ask for free space and reserve it: a full disk is found out here.
//   2. Write ckpt-N.h5.tmp, put a trailer with the checksum of the whole behind
//      it, read the index again and verify it, sync, close. Values are not read
//      again: their checksums are those of the memory they came from.
//   3. Rename to ckpt-N.h5, sync the directory.
//   4. Write MANIFEST.json.tmp with N in it, sync, close, rename to
//      MANIFEST.json, sync the directory. Now N exists.
// A crash before the rename of 3 leaves a temporary file, which the next
// opening removes. A crash between the renames of 3 and 4 leaves a complete
// checkpoint that the manifest does not name: the next opening verifies it and
// adopts it. An error is a crash that can clean up: whatever 2 made is removed;
// if the manifest may have been replaced, the old one is written again before
// the file goes, and if even that fails the file stays, so that no manifest
// that may be on the disk names a file that is gone. A sync that failed is
// never tried again on the same file, for the second may claim success for data
// that is lost: the next Write makes new files, under a new id once the final
// name was used.
//
// Sharing: a large value that the checkpoint before the newest has already is
// not written again. The new file refers to the one that holds it, never to one
// that refers to it in turn, and says which size and checksum that holder has.
// Nothing refers to a file that the manifest does not name, nor to one that the
// newest checkpoint needs: of the two newest, one is whole whatever single file
// is damaged. When a checkpoint was found damaged nothing new refers to its
// files, and it counts as neither of the two: the next one is whole again.
//
// Remove
//   1. Replace the manifest by one that lists N as a holder, when a listed
//      checkpoint refers to it, or as being removed. Holders that only N
//      referred to are being removed as well.
//   2. Remove the files, sync the directory.
//   3. Replace the manifest by one that has forgotten them.
// Without the note in 1 a crash before 2 would leave a complete file outside
// the manifest, which is what opening adopts. Forgetting in 3 is so that a
// person may put the file back later.
//
// Opening (checkpoint_recovery.cc) holds LOCK first, so all this has one actor.
// It never deletes what it does not understand: damaged files are moved into
// quarantine/. A lost or damaged manifest is rebuilt from the files, which
// verify themselves: by their trailer, and each value by its own checksum.
#include "storage/directory_checkpoint_store.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_annotate.h"
#include "base/status_macros.h"
#include "storage/checkpoint_file.h"
#include "storage/checkpoint_layout.h"
#include "storage/checkpoint_recovery.h"
#include "storage/checkpoint_verifier.h"

namespace varkeep::storage {
namespace {

auto FindById(std::vector<CheckpointInfo>& checkpoints, CheckpointId id) {
  return std::find_if(
      checkpoints.begin(), checkpoints.end(),
      [id](const CheckpointInfo& info) { return info.id == id; });
}

SharedEntries SharedEntriesOf(const std::map<std::string, CheckpointId>& plan,
                              const Manifest& manifest) {
  std::set<CheckpointId> used;
  SharedEntries shared;
  for (const auto& [path, id] : plan) {
    shared.files[path] = CheckpointFileName(id);
    used.insert(id);
  }
  for (const auto* infos : {&manifest.holders, &manifest.checkpoints}) {
    for (const CheckpointInfo& info : *infos) {
      if (!used.contains(info.id)) continue;
      shared.holders.push_back({info.file, info.size_bytes, info.crc32c});
    }
  }
  return shared;
}

}  // namespace

// Checkpoints with a file that was found damaged: nothing new refers to them.
// Thread-safe.
class DirectoryCheckpointStore::Suspects {
 public:
  // Passes on what came of using the checkpoint.
  absl::Status Note(absl::Status status, const CheckpointInfo& info) {
    if (!absl::IsDataLoss(status)) return status;
    MutexLock lock(&mutex_);
    ids_.insert(info.id);
    ids_.insert(info.holders.begin(), info.holders.end());
    return status;
  }
  bool Has(CheckpointId id) const {
    MutexLock lock(&mutex_);
    return ids_.contains(id);
  }

 private:
  mutable Mutex mutex_;
  std::set<CheckpointId> ids_ ABSL_GUARDED_BY(mutex_);
};

// May outlive the store.
class DirectoryCheckpointStore::Reader final : public CheckpointReader {
 public:
  Reader(std::unique_ptr<CheckpointReader> base, CheckpointInfo info,
         std::shared_ptr<Suspects> suspects)
      : base_(std::move(base)),
        info_(std::move(info)),
        suspects_(std::move(suspects)) {}

  const CheckpointContents& contents() const override {
    return base_->contents();
  }
  bool HasValue(size_t index) const override { return base_->HasValue(index); }
  absl::StatusOr<TensorRef> Read(size_t index) override {
    absl::StatusOr<TensorRef> value = base_->Read(index);
    suspects_->Note(value.status(), info_).IgnoreError();
    return value;
  }
  absl::Status Verify(size_t index) override {
    return suspects_->Note(base_->Verify(index), info_);
  }

 private:
  const std::unique_ptr<CheckpointReader> base_;
  const CheckpointInfo info_;
  const std::shared_ptr<Suspects> suspects_;
};

DirectoryCheckpointStore::DirectoryCheckpointStore(
    CheckpointDirectory directory, Clock* clock, Sharing sharing,
    std::unique_ptr<FileLock> lock, Manifest manifest,
    std::vector<std::string> notices)
    : directory_(std::move(directory)),
      clock_(clock),
      sharing_(sharing),
      lock_(std::move(lock)),
      notices_(std::move(notices)),
      suspects_(std::make_shared<Suspects>()),
      last_id_(manifest.last_id),
      manifest_(std::move(manifest)) {}

absl::StatusOr<std::unique_ptr<DirectoryCheckpointStore>>
DirectoryCheckpointStore::Open(FileSystem* file_system,
                               const std::string& directory, Clock* clock,
                               Sharing sharing) {
  RETURN_IF_ERROR(file_system->MakeDirectory(directory));
  CheckpointDirectory opened(file_system, directory);
  absl::StatusOr<std::unique_ptr<FileLock>> lock =
      file_system->Lock(opened.PathOf(kLockFile));
  if (absl::IsFailedPrecondition(lock.status())) {
    return absl::FailedPreconditionError(absl::StrCat(
        "data directory '", directory, "' is in use by another server"));
  }
  RETURN_IF_ERROR(lock.status());
  std::vector<std::string> notices;
  absl::StatusOr<Manifest> manifest = RecoverDirectory(opened, &notices);
  if (!manifest.ok()) {
    return Annotate(manifest.status(),
                    absl::StrCat("data directory '", directory, "'"));
  }
  return std::unique_ptr<DirectoryCheckpointStore>(new DirectoryCheckpointStore(
      std::move(opened), clock, sharing, *std::move(lock), *std::move(manifest),
      std::move(notices)));
}

absl::StatusOr<CheckpointInfo> DirectoryCheckpointStore::Write(
    CheckpointContents contents, const CheckpointProgress& progress) {
  RETURN_IF_ERROR(Validate(contents));
  Sort(&contents);
  const CheckpointId id = last_id_ + 1;
  const std::map<std::string, CheckpointId> plan = PlanFor(contents);
  KnownValues known;
  if (sharing_ != Sharing::kNone) known = KnownAfter(contents, plan, id);
  const std::string file = CheckpointFileName(id);
  const std::string temporary = TemporaryName(file);
  ASSIGN_OR_RETURN(CheckpointInfo info,
                   directory_.WriteCheckpointFile(
                       std::move(contents), SharedEntriesOf(plan, manifest()),
                       clock_->Now(), progress, temporary));
  info.id = id;
  info.file = file;
  RETURN_IF_ERROR(Publish(temporary, info));
  known_[id] = std::move(known);
  while (known_.size() > 2) known_.erase(known_.begin());
  return info;
}

std::map<std::string, CheckpointId> DirectoryCheckpointStore::PlanFor(
    const CheckpointContents& contents) {
  if (sharing_ == Sharing::kNone) return {};
  Manifest sound = manifest();
  HolderBytes holders;
  for (auto* infos : {&sound.checkpoints, &sound.holders}) {
    std::erase_if(*infos, [&](const CheckpointInfo& info) {
      return suspects_->Has(info.id);
    });
    for (const CheckpointInfo& info : *infos) {
      holders[info.id] = info.written_bytes;
    }
  }
  std::vector<CheckpointInfo>& sources = sound.checkpoints;
  if (sharing_ == Sharing::kWithSpare && !sources.empty()) {
    const CheckpointInfo& newest = sources.back();
    holders.erase(newest.id);
    for (CheckpointId id : newest.holders) holders.erase(id);
    sources.pop_back();
  }
  if (sources.empty()) return {};
  return PlanSharing(contents, KnownOf(sources.back(), holders), holders);
}

const KnownValues& DirectoryCheckpointStore::KnownOf(
    const CheckpointInfo& info, const HolderBytes& holders) {
  auto [known, absent] = known_.try_emplace(info.id);
  if (absent) known->second = ReadKnown(info, holders);
  return known->second;
}

// Whatever stops it from being read, the next checkpoint is then written as a
// whole: the values in memory are good.
KnownValues DirectoryCheckpointStore::ReadKnown(
    const CheckpointInfo& info, const HolderBytes& holders) const {
  absl::StatusOr<std::unique_ptr<CheckpointFilesReader>> reader =
      directory_.Open(info);
  if (!reader.ok()) return {};
  KnownValues known;
  const std::vector<CheckpointEntry>& entries = (*reader)->contents().entries;
  for (size_t i = 0; i < entries.size(); ++i) {
    const CheckpointId holder =
        *ParseCheckpointFileName((*reader)->HolderOf(i).value_or(info.file));
    if (entries[i].value_version == 0 || !holders.contains(holder)) continue;
    if (!(*reader)->Verify(i).ok()) return {};
    known[entries[i].path] = {holder,
                              entries[i].dtype,
                              entries[i].shape,
                              entries[i].attributes,
                              entries[i].value_version,
                              (*reader)->Checksum(i)};
  }
  return known;
}

absl::Status DirectoryCheckpointStore::Publish(const std::string& temporary,
                                               const CheckpointInfo& info) {
  FileSystem& file_system = directory_.file_system();
  const std::string path = directory_.PathOf(info.file);
  last_id_ = info.id;
  absl::Status status = file_system.Rename(directory_.PathOf(temporary), path);
  if (status.ok()) status = file_system.SyncDirectory(directory_.path());
  bool removable = true;
  if (status.ok()) {
    Manifest next = manifest();
    next.last_id = info.id;
    next.checkpoints.push_back(info);
    status = Replace(std::move(next), &removable);
  }
  if (!status.ok() && removable) {
    file_system.Remove(directory_.PathOf(temporary)).IgnoreError();
    file_system.Remove(path).IgnoreError();
  }
  return status;
}

absl::StatusOr<std::vector<CheckpointInfo>> DirectoryCheckpointStore::List() {
  return manifest().checkpoints;
}

absl::StatusOr<std::unique_ptr<CheckpointReader>>
DirectoryCheckpointStore::Open(CheckpointId id) {
  ASSIGN_OR_RETURN(CheckpointInfo info, Find(id));
  absl::StatusOr<std::unique_ptr<CheckpointReader>> reader =
      directory_.Open(info);
  if (reader.ok()) {
    return std::make_unique<Reader>(*std::move(reader), std::move(info),
                                    suspects_);
  }
  absl::Status status = reader.status();
  if (absl::IsNotFound(status)) {
    // Unless it was removed just now.
    RETURN_IF_ERROR(Find(id).status());
    status = absl::DataLossError(
        absl::StrCat("a file of checkpoint '", directory_.PathOf(info.file),
                     "' is missing: ", status.message()));
  }
  return suspects_->Note(status, info);
}

absl::StatusOr<VerifyReport> DirectoryCheckpointStore::Verify(
    CheckpointId id, const VerifyProgress& progress) {
  ASSIGN_OR_RETURN(CheckpointInfo info, Find(id));
  const int64_t all_bytes = BytesToVerify(info, manifest());
  CheckpointVerifier verifier(&directory_, all_bytes, progress);
  ASSIGN_OR_RETURN(VerifyReport report, verifier.Verify(info));
  if (report.damage.empty()) return report;
  // Unless it was removed meanwhile.
  RETURN_IF_ERROR(Find(id).status());
  suspects_->Note(absl::DataLossError(""), info).IgnoreError();
  return report;
}

absl::Status DirectoryCheckpointStore::Remove(CheckpointId id) {
  ASSIGN_OR_RETURN(CheckpointInfo info, Find(id));
  Manifest next = manifest();
  Unlist(id, &next);
  bool restored = false;
  RETURN_IF_ERROR(Replace(next, &restored));
  FileSystem& file_system = directory_.file_system();
  for (CheckpointId removing : next.removing) {
    const std::string path = directory_.PathOf(CheckpointFileName(removing));
    absl::Status status = file_system.Remove(path);
    if (!status.ok() && !absl::IsNotFound(status)) return status;
  }
  RETURN_IF_ERROR(file_system.SyncDirectory(directory_.path()));
  next.removing.clear();
  // The removal itself is done and durable. Where this fails, the note stays
  // for the next manifest or opening to clear.
  Replace(std::move(next), &restored).IgnoreError();
  return absl::OkStatus();
}

Manifest DirectoryCheckpointStore::manifest() const {
  MutexLock lock(&mutex_);
  return manifest_;
}

absl::StatusOr<CheckpointInfo> DirectoryCheckpointStore::Find(
    CheckpointId id) const {
  Manifest copy = manifest();
  auto it = FindById(copy.checkpoints, id);
  if (it != copy.checkpoints.end()) return *it;
  return absl::NotFoundError(absl::StrCat("there is no checkpoint ", id,
                                          " in '", directory_.path(), "'"));
}

absl::Status DirectoryCheckpointStore::Replace(Manifest next, bool* restored) {
  bool replaced = false;
  absl::Status status = directory_.WriteManifest(next, &replaced);
  *restored = true;
  if (status.ok()) {
    MutexLock lock(&mutex_);
    manifest_ = std::move(next);
    return status;
  }
  if (replaced) {
    *restored = directory_.WriteManifest(manifest(), &replaced).ok();
  }
  return status;
}

}  // namespace varkeep::storage
