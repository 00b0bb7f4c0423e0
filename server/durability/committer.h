// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_DURABILITY_COMMITTER_H_
#define VARKEEP_SERVER_DURABILITY_COMMITTER_H_

#include <atomic>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/scopes/declarer.h"
#include "server/variables/variable_store.h"
#include "storage/log/log.h"

namespace varkeep {

// The one way in for changes: everything that wants to change a variable hands
// its Mutation to Apply, which writes it to the log before it takes effect.
// Thread-safe.
class Committer : public Declarer {
 public:
  // `store` must live longer. Without a log a change lives until the next
  // checkpoint.
  explicit Committer(VariableStore* store,
                     Durability durability = Durability::kNone)
      : store_(store), durability_(durability) {}

  // Before the first Apply. `log` must live longer.
  void SetLog(storage::Log* log) { log_ = log; }

  // VariableStore::Apply, as durable as the request asks for, or as the server
  // is set; says what was reached. UNAVAILABLE while draining, or after a write
  // to the log failed; RESOURCE_EXHAUSTED when the disk is full: then nothing
  // changed.
  absl::StatusOr<Applied> Apply(const Mutation& mutation,
                                const Request& request = {}) {
    return Apply(mutation, request, nullptr);
  }
  // The same from a draft of this very mutation and request.
  absl::StatusOr<Applied> Apply(const Mutation& mutation,
                                const Request& request,
                                storage::LogDraft* draft);

  // Begins to write a mutation to the log whose tensor has no values yet; null
  // when it is small. The Committer must live longer.
  std::unique_ptr<storage::LogDraft> Draft(const Mutation& mutation,
                                           const Request& request);

  absl::StatusOr<Applied> Declare(const Mutation& mutation,
                                  const Request& request) override {
    return Apply(mutation, request);
  }
  absl::StatusOr<VariableInfo> Find(absl::string_view container,
                                    absl::string_view name) override {
    return store_->Find(container, name);
  }

  // Makes what the store shows now as durable as the request asks for: for a
  // call that found done what it would have done. Says what was reached.
  absl::StatusOr<Durability> Reach(const Request& request);

  // Whether Apply may wait for the disk so long that a thread that serves
  // others should not call it.
  bool MayWait(const Request& request) const;

  // While draining every change is refused; those that began before may still
  // finish.
  void SetDraining(bool draining) { draining_ = draining; }
  bool draining() const { return draining_; }

  // What a request gets that asks for nothing.
  Durability durability() const { return durability_; }

  // Changes that the log did not take, since the start.
  struct Refused {
    int64_t disk_full = 0;
    int64_t log_broken = 0;
  };
  Refused refused() const { return {refused_full_, refused_broken_}; }

 private:
  class LoggedCommit;

  Durability Wanted(const Request& request) const;
  void CountRefusal(const absl::Status& error);

  VariableStore* const store_;
  const Durability durability_;
  storage::Log* log_ = nullptr;
  std::atomic<bool> draining_ = false;
  std::atomic<int> large_commits_ = 0;  // under way
  std::atomic<int64_t> refused_full_ = 0;
  std::atomic<int64_t> refused_broken_ = 0;
};

}  // namespace varkeep

#endif  // VARKEEP_SERVER_DURABILITY_COMMITTER_H_
