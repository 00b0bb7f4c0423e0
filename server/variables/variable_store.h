// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_VARIABLES_VARIABLE_STORE_H_
#define VARKEEP_SERVER_VARIABLES_VARIABLE_STORE_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/mutex.h"
#include "base/thread_pool.h"
#include "server/variables/mutation.h"
#include "server/variables/request_window.h"
#include "server/variables/variable.h"

namespace varkeep {

struct StoreLimits {
  int64_t max_variable_bytes = int64_t{64} << 30;
  int64_t memory_limit_bytes = 0;  // of all values together; 0: none
};

// One value and its version. The tensor never changes; it lives as long as
// anyone holds it.
struct VersionedValue {
  TensorRef value;
  Revision version = 0;
  std::string name;
};

// Many values as they were at one revision.
struct Cut {
  Revision revision = 0;
  std::vector<VersionedValue> values;
};

// Which variables to list, page by page.
struct ListQuery {
  std::optional<std::string> container;  // nullopt: all of them
  // Only the variable of this name and those under "<scope>/"; "": all.
  std::string scope;
  // The last variable of the page before.
  std::optional<VariableInfo> after;
  size_t limit = 1000;
};

// Everything durable, as it was at one revision. Values are shared, not copied.
struct StoreSnapshot {
  struct Variable {
    VariableInfo info;
    TensorRef value;  // null: not initialized
  };
  Revision revision = 0;
  std::vector<Variable> variables;  // by container, then op name
  std::vector<RequestWindow::Entry> requests;
};

// Owns every variable of a server. Thread-safe.
//
// One mutex guards names, counters and pointers; nothing of a tensor's size
// happens under it. A change of a value also holds that variable's writer mutex
// from beginning to end, so changes of one variable happen one after the other
// and readers never wait for the arithmetic. The exception is an update in
// place, done only when nobody else holds the value: a reader of that variable
// waits until it is done, and while one waits the next update makes a copy.
// Lock order: writer mutexes by container and name, then the store's.
class VariableStore {
 public:
  // `pool` runs initializers; it must live longer than the store.
  VariableStore(const StoreLimits& limits, ThreadPool* pool);
  ~VariableStore();
  VariableStore(const VariableStore&) = delete;
  VariableStore& operator=(const VariableStore&) = delete;

  // Applies one change, whole or not at all. A known `request` is answered with
  // the revision of its first application. Errors beyond those of the mutation:
  // INVALID_ARGUMENT (dtype or shape differ, naming both), FAILED_PRECONDITION
  // "Attempting to use uninitialized value <name>", NOT_FOUND, ABORTED (another
  // version than expected), RESOURCE_EXHAUSTED (a limit, memory).
  absl::StatusOr<Applied> Apply(const Mutation& mutation,
                                const std::optional<RequestId>& request = {});

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
  // All of them at one revision.
  absl::StatusOr<Cut> ReadCut(absl::string_view container,
                              const std::vector<std::string>& names) const;

  StoreSnapshot Snapshot() const;

  // Calls `ready` once, from some thread, as soon as every name exists and is
  // initialized, perhaps before this returns. The id takes the watch back.
  uint64_t WatchInitialized(absl::string_view container,
                            std::vector<std::string> names,
                            std::function<void(Revision)> ready);
  // Afterwards `ready` is not called any more, unless it is running now.
  void CancelWatch(uint64_t id);

  // Every error that Apply would give for it now; values may be missing.
  absl::Status CheckRestorable(const RestoreMutation& restore) const;

  // Replaces everything by a snapshot: for recovery, before the store is used.
  absl::Status Load(StoreSnapshot snapshot);

  struct Usage {
    Revision revision = 0;
    int64_t variables = 0;
    int64_t uninitialized = 0;
    int64_t value_bytes = 0;
  };
  Usage usage() const;
  const StoreLimits& limits() const { return limits_; }

 private:
  struct Variable;
  using VariablePtr = std::shared_ptr<Variable>;
  // Ordered, so that a scope is a range.
  using Variables = std::map<std::string, VariablePtr, std::less<>>;
  class Writers;

  struct Watch {
    std::string container;
    std::vector<std::string> names;
    std::function<void(Revision)> ready;
  };

  // A watch that came true and was not called yet.
  struct Ready {
    uint64_t id = 0;
    std::function<void(Revision)> call;
    Revision revision = 0;
  };

  // A first value on its way.
  struct Drawing {
    VariablePtr variable;
    VariableInfo info;  // as it was when the drawing began
    TensorRef value;    // null: not drawn yet
  };

  using Request = std::optional<RequestId>;
  absl::StatusOr<Applied> Do(const DeclareMutation&, const Request&);
  absl::StatusOr<Applied> Do(const InitializeMutation&, const Request&);
  absl::StatusOr<Applied> Do(const AssignMutation&, const Request&);
  absl::StatusOr<Applied> Do(const UpdateMutation&, const Request&);
  absl::StatusOr<Applied> Do(const DeleteMutation&, const Request&);
  absl::StatusOr<Applied> Do(const ResetContainerMutation&, const Request&);
  absl::StatusOr<Applied> Do(const AddToCollectionMutation&, const Request&);
  absl::StatusOr<Applied> Do(const RestoreMutation&, const Request&);

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
  // Waits until none of them is being updated in place.
  void WaitUntilSettled(const std::vector<VariablePtr>& variables) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status CheckGrowth(int64_t bytes) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Those of the variables that Initialize has to draw, each once.
  std::vector<Drawing> ToDraw(const std::vector<VariablePtr>& variables,
                              bool force) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Bytes that installing them adds.
  int64_t Growth(const std::vector<Drawing>& drawings) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Draw(std::vector<Drawing>* drawings) const;
  void DeclareMissing(const RestoreMutation& restore,
                      std::vector<VariablePtr>* targets)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status CheckRestore(const RestoreMutation& restore,
                            const std::vector<VariablePtr>& targets) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Insert(VariablePtr variable) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Takes the variable out of the counters; the caller takes it out of the map.
  void Erase(Variable* variable) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Gives the variable a value; the old one is returned, to be freed outside
  // the mutex.
  std::shared_ptr<Tensor> SetValue(Variable* variable,
                                   std::shared_ptr<Tensor> value,
                                   Revision revision)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Ends a mutation: remembers the request and moves the watches that came true
  // to `ready`.
  void Finish(const Request& request, const Applied& applied)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool IsReady(const Watch& watch) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Calls the watches that came true. Without the mutex.
  void CallReady();

  const StoreLimits limits_;
  ThreadPool* const pool_;

  mutable Mutex mutex_;
  // Notified when an update in place ends; readers of that variable wait.
  mutable CondVar settled_;
  std::map<std::string, Variables, std::less<>> containers_
      ABSL_GUARDED_BY(mutex_);
  RequestWindow requests_ ABSL_GUARDED_BY(mutex_);
  Usage usage_ ABSL_GUARDED_BY(mutex_);
  int updates_in_place_ ABSL_GUARDED_BY(mutex_) = 0;
  // While above zero no update in place begins.
  mutable int waiting_readers_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<uint64_t, Watch> watches_ ABSL_GUARDED_BY(mutex_);
  uint64_t last_watch_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<Ready> ready_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace varkeep

#endif  // VARKEEP_SERVER_VARIABLES_VARIABLE_STORE_H_
