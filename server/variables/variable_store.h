// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_VARIABLES_VARIABLE_STORE_H_
#define VARKEEP_SERVER_VARIABLES_VARIABLE_STORE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
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
  // By container, then op name. `scope`: only the variable of that name and those
  // under "<scope>/". nullopt container: all of them.
  std::vector<VariableInfo> List(std::optional<absl::string_view> container,
                                 absl::string_view scope) const;
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
  struct Watch;
  class Writers;

  const StoreLimits limits_;
  ThreadPool* const pool_;

  mutable Mutex mutex_;
};

}  // namespace varkeep

#endif  // VARKEEP_SERVER_VARIABLES_VARIABLE_STORE_H_
