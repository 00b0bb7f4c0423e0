// SPDX-License-Identifier: Apache-2.0
#include "server/variables/request_window.h"

#include <algorithm>

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
  auto applied = client->second.applied.find(id.sequence);
  if (applied != client->second.applied.end()) return applied->second;
  if (id.sequence <= client->second.forgotten) {
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
    auto oldest = client.applied.begin();
    client.forgotten = std::max(client.forgotten, oldest->first);
    client.applied.erase(oldest);
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
