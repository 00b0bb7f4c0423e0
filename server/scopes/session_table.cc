// SPDX-License-Identifier: Apache-2.0
#include "server/scopes/session_table.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "server/scopes/entropy.h"
#include "server/variables/names.h"

namespace varkeep {
namespace {

// 128 bits in hexadecimal: who does not know a session's id cannot guess it.
std::string NewId() {
  return absl::StrFormat("%016x%016x", SystemEntropy(), SystemEntropy());
}

absl::Status NotFound(absl::string_view id) {
  return absl::AbortedError(
      absl::StrCat("Session ", Shorten(id), " is not found."));
}

}  // namespace

SessionTable::SessionTable(Declarer* declarer, Clock* clock,
                           absl::Duration lease)
    : declarer_(declarer), clock_(clock), lease_(lease) {}

SessionTable::Entries SessionTable::TakeExpired(absl::Time now) {
  auto end = entries_.begin();
  while (end != entries_.end() && end->last_used + lease_ < now) {
    by_id_.erase(end->session->id());
    ++end;
  }
  Entries expired;
  expired.splice(expired.begin(), entries_, entries_.begin(), end);
  return expired;
}

absl::StatusOr<std::shared_ptr<Session>> SessionTable::Open(
    SessionOptions options) {
  RETURN_IF_ERROR(CheckContainerName(options.container));
  RETURN_IF_ERROR(CheckNote("creator", options.creator));
  auto session = std::make_shared<Session>(NewId(), std::move(options),
                                           declarer_, SystemEntropy);
  Entries expired;
  MutexLock lock(&mutex_);
  const absl::Time now = clock_->Now();
  expired = TakeExpired(now);
  if (entries_.size() >= kMaxSessions) {
    return absl::ResourceExhaustedError(
        absl::StrCat(kMaxSessions, " sessions are open"));
  }
  entries_.push_back({session, now, now});
  by_id_[session->id()] = std::prev(entries_.end());
  return session;
}

absl::StatusOr<std::shared_ptr<Session>> SessionTable::Find(
    const std::string& id) {
  Entries expired;
  MutexLock lock(&mutex_);
  const absl::Time now = clock_->Now();
  expired = TakeExpired(now);
  const auto it = by_id_.find(id);
  if (it == by_id_.end()) return NotFound(id);
  it->second->last_used = now;
  entries_.splice(entries_.end(), entries_, it->second);
  return it->second->session;
}

absl::Status SessionTable::Close(const std::string& id) {
  Entries closed;
  MutexLock lock(&mutex_);
  closed = TakeExpired(clock_->Now());
  const auto it = by_id_.find(id);
  if (it == by_id_.end()) return NotFound(id);
  closed.splice(closed.end(), entries_, it->second);
  by_id_.erase(it);
  return absl::OkStatus();
}

int64_t SessionTable::CloseAll() {
  Entries expired;
  Entries closed;
  MutexLock lock(&mutex_);
  expired = TakeExpired(clock_->Now());
  closed.swap(entries_);
  by_id_.clear();
  return static_cast<int64_t>(closed.size());
}

std::vector<SessionTable::Entry> SessionTable::List() {
  Entries expired;
  std::vector<Entry> list;
  {
    MutexLock lock(&mutex_);
    expired = TakeExpired(clock_->Now());
    list.assign(entries_.begin(), entries_.end());
  }
  std::stable_sort(
      list.begin(), list.end(),
      [](const Entry& a, const Entry& b) { return a.opened < b.opened; });
  return list;
}

}  // namespace varkeep
