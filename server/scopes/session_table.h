// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_SCOPES_SESSION_TABLE_H_
#define VARKEEP_SERVER_SCOPES_SESSION_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "server/scopes/session.h"

namespace varkeep {

// The open sessions of a server. A session that nobody used for longer than a
// lease is lost; a call that holds one keeps it alive, but a wait that may last
// longer than a lease calls Find again to stay in the table. Thread-safe.
class SessionTable {
 public:
  // `declarer` and `clock` must live longer.
  SessionTable(Declarer* declarer, Clock* clock, absl::Duration lease);

  absl::Duration lease() const { return lease_; }

  // INVALID_ARGUMENT for a bad container name or creator; RESOURCE_EXHAUSTED
  // when kMaxSessions are open.
  static constexpr size_t kMaxSessions = 100000;
  absl::StatusOr<std::shared_ptr<Session>> Open(SessionOptions options);
  // Renews the lease. ABORTED "Session <id> is not found." when the id is
  // unknown, closed or its lease ran out.
  absl::StatusOr<std::shared_ptr<Session>> Find(const std::string& id);
  // ABORTED as Find.
  absl::Status Close(const std::string& id);
  // Returns how many were open.
  int64_t CloseAll();

  struct Entry {
    std::shared_ptr<Session> session;
    absl::Time opened;
    absl::Time last_used;
  };
  // Oldest first; without those whose lease ran out.
  std::vector<Entry> List();

 private:
  using Entries = std::list<Entry>;

  // Takes out those whose lease ran out. The caller destroys them after the
  // mutex is released: a session may be large.
  Entries TakeExpired(absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Declarer* const declarer_;
  Clock* const clock_;
  const absl::Duration lease_;

  Mutex mutex_;
  Entries entries_ ABSL_GUARDED_BY(mutex_);  // used longest ago first
  absl::flat_hash_map<std::string, Entries::iterator> by_id_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace varkeep

#endif  // VARKEEP_SERVER_SCOPES_SESSION_TABLE_H_
