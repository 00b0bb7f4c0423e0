// SPDX-License-Identifier: Apache-2.0
#include "server/variables/request_window.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace varkeep {

absl::StatusOr<std::optional<Revision>> RequestWindow::Find(
    const Request& request) const {
  const RequestId& id = *request.id;
  if (id.client == 0 || id.sequence == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("request id (client ", id.client, ", sequence ",
                     id.sequence, ") must not have a zero"));
  }
  if (auto client = clients_.find(id.client); client != clients_.end()) {
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
  }
  if (request.first_attempt || request.since >= forgotten_) return std::nullopt;
  return absl::FailedPreconditionError(absl::StrCat(
      "request id (client ", id.client, ", sequence ", id.sequence,
      ") may be a repeated one and is not among those of the last ", kClients,
      " clients; its client had seen revision ", request.since,
      ", others were forgotten up to revision ", forgotten_,
      ": whether it was applied is not known any more"));
}

void RequestWindow::Record(const RequestId& id, Revision revision) {
  Client& client = clients_[id.client];
  by_use_.erase(client.last_used);
  client.last_used = ++uses_;
  client.last_revision = std::max(client.last_revision, revision);
  by_use_.emplace(client.last_used, id.client);
  client.applied.emplace(id.sequence, revision);
  if (client.applied.size() > kSequences) {
    auto lowest = client.applied.begin();
    // Its client's other requests do not tell how late it came.
    if (lowest->second == client.last_revision) {
      forgotten_ = std::max(forgotten_, lowest->second);
    }
    client.applied.erase(lowest);
  }
  if (clients_.size() > kClients) {
    auto idle = clients_.find(by_use_.begin()->second);
    forgotten_ = std::max(forgotten_, idle->second.last_revision);
    clients_.erase(idle);
    by_use_.erase(by_use_.begin());
  }
}

RequestWindow::Contents RequestWindow::Save() const {
  Contents contents{.forgotten = forgotten_, .entries = {}};
  for (const auto& [use, id] : by_use_) {
    for (const auto& [sequence, revision] : clients_.at(id).applied) {
      contents.entries.push_back({{id, sequence}, revision});
    }
  }
  return contents;
}

void RequestWindow::Load(const Contents& contents) {
  forgotten_ = contents.forgotten;
  for (const Entry& entry : contents.entries) {
    Record(entry.id, entry.revision);
  }
}

}  // namespace varkeep
