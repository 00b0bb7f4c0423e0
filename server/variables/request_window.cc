// SPDX-License-Identifier: Apache-2.0
#include "server/variables/request_window.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace varkeep {

absl::StatusOr<std::optional<Revision>> RequestWindow::Find(
    const RequestId& id) const {
  if (id.client == 0 || id.sequence == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("request id (client ", id.client, ", sequence ",
                     id.sequence, ") must not have a zero"));
  }
  auto client = clients_.find(id.client);
  if (client == clients_.end()) return std::nullopt;
  const std::map<uint64_t, Revision>& applied = client->second.applied;
  auto found = applied.find(id.sequence);
  if (found != applied.end()) return found->second;
  // Told by what is remembered alone, so that it is the same after a restart.
  if (applied.size() >= kSequences && id.sequence < applied.begin()->first) {
    return absl::FailedPreconditionError(absl::StrCat(
        "request id (client ", id.client, ", sequence ", id.sequence,
        ") is older than the last ", kSequences,
        " requests of its client: whether it was applied is not known any "
        "more"));
  }
  return std::nullopt;
}

void RequestWindow::Record(const RequestId& id, Revision revision) {
  Client& client = clients_[id.client];
  by_use_.erase(client.last_used);
  client.last_used = ++uses_;
  by_use_.emplace(client.last_used, id.client);
  client.applied.emplace(id.sequence, revision);
  if (client.applied.size() > kSequences) {
    client.applied.erase(client.applied.begin());
  }
  if (clients_.size() > kClients) {
    auto idle = by_use_.begin();
    clients_.erase(idle->second);
    by_use_.erase(idle);
  }
}

std::vector<RequestWindow::Entry> RequestWindow::Entries() const {
  std::vector<Entry> entries;
  for (const auto& [use, id] : by_use_) {
    for (const auto& [sequence, revision] : clients_.at(id).applied) {
      entries.push_back({{id, sequence}, revision});
    }
  }
  return entries;
}

void RequestWindow::Clear() {
  clients_.clear();
  by_use_.clear();
}

}  // namespace varkeep
