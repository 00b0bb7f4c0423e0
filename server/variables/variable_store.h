// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_VARIABLES_VARIABLE_STORE_H_
#define VARKEEP_SERVER_VARIABLES_VARIABLE_STORE_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/mutex.h"
#include "base/thread_pool.h"
#include "server/variables/journal.h"
#include "server/variables/mutation.h"
#include "server/variables/prepared_read.h"
#include "server/variables/replaced_values.h"
#include "server/variables/store_types.h"
#include "server/variables/variable.h"
#include "server/variables/variable_index.h"
#include "server/variables/variable_record.h"
#include "server/variables/variable_traits.h"
#include "server/variables/watch.h"

namespace varkeep {

// Owns every variable of a server. Thread-safe.
//
// One mutex guards names, counters and pointers; nothing of a tensor's size and
// no disk is waited for under it. Every change goes through the same steps:
//
//   lock       the writer mutexes of the variables it changes, and for what
//              declares or deletes the structure mutex
//   check      everything that can fail, and make the new values
//   commit     the Journal keeps it; an error leaves all as it was
//   publish    under the mutex, in the order of the journal: the new values
//              at their revision
//
// So changes of one variable happen one after the other, and readers wait for
// neither arithmetic nor disk, but for an update in place: that of a value that
// nobody else holds, or of its rows, which goes into an overlay when others do.
// Who waits for it comes before the next, or makes that a copy. Lock order:
// structure, writer mutexes by address, then the store's.
class VariableStore {
 public:
  // `pool` runs initializers; it must live longer than the store.
  VariableStore(const StoreLimits& limits, ThreadPool* pool);
  ~VariableStore();
  VariableStore(const VariableStore&) = delete;
  VariableStore& operator=(const VariableStore&) = delete;

  // Applies one change, whole or not at all. A known request id is answered
  // with the revision of its first application; one that changed nothing is
  // not remembered. With a `journal` the change takes effect when that has it;
  // without one, at once. Errors beyond those of mutation and journal:
  // INVALID_ARGUMENT (dtype or shape differ, naming both), FAILED_PRECONDITION
  // "Attempting to use uninitialized value <name>", NOT_FOUND, ABORTED (another
  // version than expected), RESOURCE_EXHAUSTED (a limit, memory).
  absl::StatusOr<Applied> Apply(const Mutation& mutation,
                                const Request& request = {},
                                Journal* journal = nullptr);
  // The same for a mutation that was applied before and comes back from a log:
  // neither the request window is asked nor a limit. One at a time.
  absl::StatusOr<Applied> Replay(const Mutation& mutation,
                                 const Request& request, Journal* journal);

  // NOT_FOUND when the container has no such variable.
  absl::StatusOr<VariableInfo> Find(absl::string_view container,
                                    absl::string_view name) const;
  // At most `limit` variables after `query.after`, by container, then op name.
  std::vector<VariableInfo> List(const ListQuery& query) const;
  // Op names of the members of a collection, in order of declaration.
  std::vector<std::string> Collection(absl::string_view container,
                                      absl::string_view key) const;

  // NOT_FOUND; FAILED_PRECONDITION "Attempting to use uninitialized value".
  absl::StatusOr<VersionedValue> Read(absl::string_view container,
                                      absl::string_view name) const;
  // Calls `use`, which takes a part out of the value. Meanwhile an update waits
  // where Read would make it copy the whole; what `use` keeps of it is held as
  // after Read. `use` must not wait for changes. Errors of Read and of `use`.
  absl::Status ReadBriefly(
      absl::string_view container, absl::string_view name,
      absl::FunctionRef<absl::Status(VersionedValue)> use) const;
  // All of them at one revision.
  absl::StatusOr<Cut> ReadCut(absl::string_view container,
                              std::vector<std::string> names) const;
  // The same: gives each value to `take`, in order, and returns the revision.
  absl::StatusOr<Revision> ReadCut(PreparedRead* read, TakeValue take) const;

  StoreSnapshot Snapshot() const;
  // Gives values that nobody holds any more the rows that changed meanwhile.
  void FoldOverlays();

  // Calls `ready` once, from some thread, as soon as every name exists and is
  // initialized, perhaps before this returns. The id takes the watch back.
  uint64_t WatchInitialized(absl::string_view container,
                            std::vector<std::string> names,
                            std::function<void(Revision)> ready);
  // Afterwards `ready` is not called any more, unless it is running now.
  void CancelWatch(uint64_t id);

  // Every error that Apply would give for it now; values may be missing.
  absl::Status CheckRestorable(const RestoreMutation& restore);

  // Replaces everything by a snapshot: for recovery, before the store is used.
  absl::Status Load(StoreSnapshot snapshot);

  StoreUsage usage() const;
  const StoreLimits& limits() const { return limits_; }

 private:
  using Variable = VariableRecord;
  class Writers;

  // How a change is to be committed.
  struct Call {
    const Request& request;
    Journal* const journal;  // may be null
    const StoreLimits limits;
  };
  class InFlight;
  class Reservation;
  class BriefRead;
  class Draft;
  struct Drawing;

  absl::StatusOr<Applied> Dispatch(const Mutation& mutation, const Call& call);
  absl::StatusOr<Applied> Do(const DeclareMutation&, const Call&);
  absl::StatusOr<Applied> Do(const InitializeMutation&, const Call&);
  absl::StatusOr<Applied> Do(const AssignMutation&, const Call&);
  absl::StatusOr<Applied> Do(const UpdateMutation&, const Call&);
  absl::StatusOr<Applied> Do(const ScatterMutation&, const Call&);
  absl::StatusOr<Applied> Do(const TransactionMutation&, const Call&);
  absl::StatusOr<Applied> Do(const DeleteMutation&, const Call&);
  absl::StatusOr<Applied> Do(const ResetContainerMutation&, const Call&);
  absl::StatusOr<Applied> Do(const AddToCollectionMutation&, const Call&);
  absl::StatusOr<Applied> Do(const RestoreMutation&, const Call&);

  // What Update and Scatter have in common.
  template <typename Change>
  absl::StatusOr<Applied> ChangeValue(const Change& change, const Call& call);
  class Transaction;

  // The last steps of every change: lets the journal keep it, then calls
  // `install` under the mutex with the revision set. Without the mutex.
  absl::Status Commit(const Call& call, uint64_t revisions, Applied* applied,
                      absl::FunctionRef<void()> install);

  // The answer to a request that was applied before.
  absl::StatusOr<std::optional<Applied>> Repeated(const Request& request) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Null when there is none.
  VariablePtr Get(absl::string_view container, absl::string_view name) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<VariablePtr> Require(absl::string_view container,
                                      absl::string_view name) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The same, taking the mutex for it.
  absl::StatusOr<VariablePtr> Lookup(absl::string_view container,
                                     absl::string_view name) const;
  // Finds the variables of a read, all with a value; waits until none of them
  // is being updated in place. `found` keeps them meanwhile.
  absl::Status Find(PreparedRead* read, std::vector<VariablePtr>* found) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Waits until none of them is being updated in place.
  void WaitUntilSettled(const std::vector<VariablePtr>& variables) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // NOT_FOUND for one that was deleted before its writer mutex was taken.
  absl::Status CheckAlive(const Variable& variable) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Waits until no whole value of them is waited for, before rows change.
  void LetReadersGoFirst(const std::vector<VariablePtr>& variables)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Those of the variables that Initialize has to draw, each once.
  std::vector<Drawing> ToDraw(const std::vector<VariablePtr>& variables,
                              bool force) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Bytes that installing them adds.
  int64_t Growth(const std::vector<Drawing>& drawings) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Draw(std::vector<Drawing>* drawings) const;
  // The variables of a restore; null: to be declared.
  std::vector<VariablePtr> Targets(const RestoreMutation& restore) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DeclareMissing(const RestoreMutation& restore, Revision first,
                      std::vector<VariablePtr>* targets)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The bytes that it would add.
  absl::StatusOr<int64_t> CheckRestore(const RestoreMutation& restore,
                                       const std::vector<VariablePtr>& targets,
                                       const StoreLimits& limits) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Insert(VariablePtr variable) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Takes the variable out of the counters; the caller takes it out of the map.
  void Erase(Variable* variable) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Gives the variable a value and returns the old, to be freed without mutex.
  StoredValue SetValue(Variable* variable, StoredValue value, Revision revision)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Moves the watches that came true to ready_.
  void FindReady() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool IsReady(const Watch& watch) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Calls the watches that came true. Without the mutex.
  void CallReady();

  const StoreLimits limits_;
  ThreadPool* const pool_;

  // Held by what declares or deletes, from its checks until it is published.
  Mutex structure_;
  mutable Mutex mutex_;
  // Notified when an update in place ends; readers of that variable wait.
  mutable CondVar settled_;
  // Notified when no brief reader of a variable waits, or is left, and when one
  // of the others has what it waited for; updates wait.
  mutable CondVar readers_gone_;
  std::map<std::string, VariableIndex, std::less<>> containers_
      ABSL_GUARDED_BY(mutex_);
  TraitsTable traits_ ABSL_GUARDED_BY(mutex_);
  RequestWindow requests_ ABSL_GUARDED_BY(mutex_);
  // Requests being applied; notified when one ends, a repetition waits.
  absl::flat_hash_set<RequestId> in_flight_ ABSL_GUARDED_BY(mutex_);
  CondVar landed_;
  StoreUsage usage_ ABSL_GUARDED_BY(mutex_);
  // Counts deletions of variables and changes of their shapes.
  uint64_t layout_ ABSL_GUARDED_BY(mutex_) = 1;
  // Bytes that changes under way will add.
  int64_t reserved_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  ReplacedValues replaced_ ABSL_GUARDED_BY(mutex_);
  std::atomic<int64_t> overlay_bytes_ = 0;
  int updates_in_place_ ABSL_GUARDED_BY(mutex_) = 0;
  // While above zero no update in place begins.
  mutable int waiting_snapshots_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<uint64_t, Watch> watches_ ABSL_GUARDED_BY(mutex_);
  uint64_t last_watch_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<ReadyWatch> ready_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace varkeep

#endif  // VARKEEP_SERVER_VARIABLES_VARIABLE_STORE_H_
