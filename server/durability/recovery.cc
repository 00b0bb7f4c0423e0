// SPDX-License-Identifier: Apache-2.0
#include "server/durability/recovery.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_annotate.h"
#include "base/status_macros.h"
#include "server/durability/checkpoint_codec.h"
#include "server/durability/mutation_codec.h"
#include "storage/log/log_recovery.h"

namespace varkeep {
namespace {

using storage::CheckpointInfo;
using storage::CheckpointProgress;
using storage::CheckpointReader;
using storage::CheckpointStore;
using storage::LogRecord;

absl::StatusOr<StoreSnapshot> Load(CheckpointStore* checkpoints,
                                   const CheckpointInfo& info,
                                   const CheckpointProgress& progress) {
  ASSIGN_OR_RETURN(std::unique_ptr<CheckpointReader> reader,
                   checkpoints->Open(info.id));
  return DecodeSnapshot(reader.get(), progress);
}

// Only damage lets an older checkpoint step in: short memory or a full table of
// files would hit the next one as well, and says nothing about this one.
bool IsDamage(const absl::Status& status) {
  return absl::IsDataLoss(status) || absl::IsNotFound(status);
}

struct Loaded {
  StoreSnapshot snapshot;
  std::optional<CheckpointInfo> from;
  std::vector<std::string> damaged;
  Revision newest = 0;  // revision of the newest checkpoint, readable or not
};

absl::StatusOr<Loaded> LoadNewestReadable(CheckpointStore* checkpoints,
                                          const CheckpointProgress& progress) {
  ASSIGN_OR_RETURN(std::vector<CheckpointInfo> listed, checkpoints->List());
  Loaded loaded;
  if (!listed.empty()) loaded.newest = listed.back().revision;
  for (auto at = listed.rbegin(); at != listed.rend(); ++at) {
    absl::StatusOr<StoreSnapshot> snapshot = Load(checkpoints, *at, progress);
    if (snapshot.ok()) {
      loaded.snapshot = *std::move(snapshot);
      loaded.from = *at;
      return loaded;
    }
    if (!IsDamage(snapshot.status())) {
      return Annotate(snapshot.status(), at->file);
    }
    loaded.damaged.push_back(
        absl::StrCat(at->file, " (", snapshot.status().message(), ")"));
  }
  return loaded;
}

// True when nothing is lost by starting from the older checkpoint. Reads the
// whole log, which is seldom done.
absl::StatusOr<bool> LogLeads(storage::FileSystem* file_system,
                              const std::string& directory, Revision from,
                              Revision to) {
  storage::LogRecovered recovered;
  absl::StatusOr<storage::Recovery> recovery = storage::RecoverLog(
      file_system, directory, from, /*skip=*/0,
      [](const LogRecord&) { return absl::OkStatus(); },
      /*progress=*/nullptr, &recovered);
  if (absl::IsDataLoss(recovery.status())) return false;
  RETURN_IF_ERROR(recovery.status());
  return recovery->next.from >= to;
}

// Whether `loaded`, which without any checkpoint is the empty state at revision
// 0, may stand in for the newest checkpoint.
absl::Status CheckFallback(const Loaded& loaded,
                           storage::FileSystem* file_system,
                           const RecoveryOptions& options) {
  if (loaded.damaged.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(bool leads,
                   LogLeads(file_system, options.log.directory,
                            loaded.snapshot.revision, loaded.newest));
  if (leads) return absl::OkStatus();
  const std::string damaged = absl::StrJoin(loaded.damaged, "; ");
  if (!loaded.from) {
    return absl::DataLossError(
        absl::StrCat("no checkpoint can be read: ", damaged,
                     ", and the log does not begin at revision 0"));
  }
  if (options.allow_fallback) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(
      "the newest checkpoint is damaged: ", damaged,
      ", and the log does not lead to its revision ", loaded.newest,
      " from the older ", loaded.from->file, " (revision ",
      loaded.from->revision,
      "). To start from that and give up what came after it, start with "
      "--allow-fallback"));
}

// Says that a record which is applied again is kept already.
class ReplayedCommit final : public Journal {
 public:
  explicit ReplayedCommit(const LogRecord& record) : record_(record) {}

  absl::Status Commit(uint64_t revisions,
                      absl::FunctionRef<void(Revision)> publish) override {
    if (revisions != record_.entry.revisions) {
      return absl::DataLossError(absl::StrCat(
          "it took ", record_.entry.revisions,
          " revisions when it was written and takes ", revisions, " now"));
    }
    publish(record_.revision);
    published_ = true;
    return absl::OkStatus();
  }
  bool published() const { return published_; }

 private:
  const LogRecord& record_;
  bool published_ = false;
};

absl::Status Replay(const LogRecord& record, VariableStore* store) {
  const std::string where = absl::StrCat("the log's change of revision ",
                                         record.revision, " cannot be applied");
  absl::StatusOr<LoggedMutation> logged = DecodeMutation(record.entry);
  if (!logged.ok()) return Annotate(logged.status(), where);
  ReplayedCommit commit(record);
  absl::Status applied =
      store->Replay(logged->mutation, logged->request, &commit).status();
  if (!applied.ok()) return Annotate(applied, where);
  if (!commit.published()) {
    return absl::DataLossError(absl::StrCat(where, ": it changes nothing"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Recovered> Recover(CheckpointStore* checkpoints,
                                  storage::FileSystem* file_system,
                                  const RecoveryOptions& options,
                                  VariableStore* store) {
  ASSIGN_OR_RETURN(Loaded loaded,
                   LoadNewestReadable(checkpoints, options.load_progress));
  RETURN_IF_ERROR(CheckFallback(loaded, file_system, options));
  const Revision after = loaded.snapshot.revision;
  RETURN_IF_ERROR(store->Load(std::move(loaded.snapshot)));

  Recovered recovered;
  recovered.from = loaded.from;
  recovered.damaged = std::move(loaded.damaged);
  const bool lost = options.after_power_cut || !recovered.damaged.empty();
  ASSIGN_OR_RETURN(
      recovered.log,
      storage::Log::Open(
          file_system, options.log, after, lost ? kLostRevisions : 0,
          [store](const LogRecord& record) { return Replay(record, store); },
          options.progress, &recovered.replayed));
  return recovered;
}

}  // namespace varkeep
