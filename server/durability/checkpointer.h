// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_DURABILITY_CHECKPOINTER_H_
#define VARKEEP_SERVER_DURABILITY_CHECKPOINTER_H_

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "server/durability/checkpoint_codec.h"
#include "server/durability/committer.h"
#include "server/durability/retention.h"
#include "server/variables/variable_store.h"
#include "storage/checkpoint_store.h"
#include "storage/log/log.h"

namespace varkeep {

// Which variables of a checkpoint go where.
struct RestoreOptions {
  storage::CheckpointId id = 0;  // 0: the newest
  // Op names in `container`; with neither names nor name_map: everything.
  std::string container;
  std::vector<std::string> names;
  std::map<std::string, std::string>
      name_map;  // name in the checkpoint to name
  bool dry_run = false;
  Request request = {};
};

struct RestoreReport {
  storage::CheckpointInfo checkpoint;
  Revision revision = 0;  // of the commit; 0 for a dry run
  struct Item {
    std::string checkpoint_name;
    VariableInfo variable;  // as it will be on the server
    bool declared = false;  // the server did not have it
    bool has_value = false;
  };
  std::vector<Item> items;
  // The request id was known: nothing was done now, and checkpoint and items
  // are not told.
  bool duplicate = false;
  Durability durability = Durability::kNone;  // that was reached
};

// Saves the variables of one store and brings them back, and looks after the
// log: what the older of the two newest checkpoints has is dropped from it, and
// when it broke, everything is saved before it begins anew. Thread-safe. All of
// it happens on this object's one thread, in order; readers and writers of the
// store go on meanwhile. Callbacks are called on that thread and must not
// block.
class Checkpointer {
 public:
  struct Options {
    absl::Duration interval = absl::ZeroDuration();  // between saves; 0: none
    RetentionPolicy retention;
    // A save begins by itself when replaying what the log has since the last
    // one would take more than either. 0 and InfiniteDuration: no limit.
    int64_t log_limit_bytes = 0;
    int64_t replayed_bytes = 0;  // that the log had when it was opened
    absl::Duration log_limit_time = absl::InfiniteDuration();
    // How often the log is looked at.
    absl::Duration log_check_interval = absl::Seconds(1);
    // Called when the log breaks and when it works again. May be empty.
    std::function<void(bool works)> on_log_change;
  };

  // All must live longer. `log` may be null.
  Checkpointer(VariableStore* store, Committer* committer,
               storage::CheckpointStore* checkpoints, storage::Log* log,
               Clock* clock, const Options& options);
  // Finishes what was asked for.
  ~Checkpointer();
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;

  using SaveDone = std::function<void(absl::StatusOr<storage::CheckpointInfo>)>;
  // Saves everything as it is when the save begins, which is after this call: a
  // call during a save gets the next one, shared with whoever else waits.
  void Save(storage::CheckpointProgress progress, SaveDone done);
  // The same, waiting for it. Not from a callback.
  absl::StatusOr<storage::CheckpointInfo> SaveAndWait();

  void Restore(const RestoreOptions& options,
               std::function<void(absl::StatusOr<RestoreReport>)> done);

  struct Description {
    storage::CheckpointInfo checkpoint;
    std::vector<VariableInfo> variables;
  };
  void Describe(storage::CheckpointId id,
                std::function<void(absl::StatusOr<Description>)> done);

  // FAILED_PRECONDITION for the newest checkpoint.
  void Delete(storage::CheckpointId id, std::function<void(absl::Status)> done);

  absl::StatusOr<std::vector<storage::CheckpointInfo>> List();

  // CheckpointStore::Verify, on the calling thread; 0 is the newest.
  absl::StatusOr<storage::VerifyReport> Verify(
      storage::CheckpointId id, const storage::VerifyProgress& progress);

  struct State {
    bool saving = false;
    std::optional<storage::CheckpointInfo> last;  // newest checkpoint
    std::string last_error;  // of the last save; "": it succeeded
  };
  State state() const;

 private:
  struct Waiter {
    storage::CheckpointProgress progress;
    SaveDone done;
  };

  void Post(std::function<void()> job);
  void Run();
  bool SaveIsDue() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // True when the newest checkpoint has every change.
  bool IsSaved() const;
  bool LogIsLong() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Waits until there is something to do, or the log should be looked at.
  void WaitForWork() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Begins a broken log anew, once everything is saved.
  void MendLog();
  void CutLog();
  void SaveFor(std::vector<Waiter> waiters);
  absl::StatusOr<storage::CheckpointInfo> SaveNow(
      const storage::CheckpointProgress& progress);
  absl::StatusOr<RestoreReport> RestoreNow(const RestoreOptions& options);
  absl::StatusOr<Description> DescribeNow(storage::CheckpointId id);
  absl::Status DeleteNow(storage::CheckpointId id);
  // The info of `id`, or of the newest for 0. NOT_FOUND.
  absl::StatusOr<storage::CheckpointInfo> Resolve(storage::CheckpointId id);

  VariableStore* const store_;
  Committer* const committer_;
  storage::CheckpointStore* const checkpoints_;
  storage::Log* const log_;  // may be null
  Clock* const clock_;
  const Options options_;
  Retention retention_;    // only the thread
  bool log_works_ = true;  // as last reported; only the thread

  mutable Mutex mutex_;
  // Notified when there is something to do; the thread waits.
  CondVar changed_;
  std::vector<Waiter> waiting_ ABSL_GUARDED_BY(mutex_);
  std::deque<std::function<void()>> jobs_ ABSL_GUARDED_BY(mutex_);
  State state_ ABSL_GUARDED_BY(mutex_);
  absl::Time next_save_ ABSL_GUARDED_BY(mutex_);
  absl::Time next_log_save_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  int64_t logged_when_saved_ ABSL_GUARDED_BY(mutex_) = 0;
  // What a start replayed counts as well.
  absl::Duration initializing_when_saved_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace varkeep

#endif  // VARKEEP_SERVER_DURABILITY_CHECKPOINTER_H_
