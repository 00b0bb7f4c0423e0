// SPDX-License-Identifier: Apache-2.0
#include "client/internal/shared_changes.h"

#include <utility>

#include "absl/strings/match.h"

namespace varkeep::client {
namespace {

// The server's answer to a transaction that was repeated too late to tell
// whether it was applied: its changes must not be made with other ids.
bool MayHaveBeenApplied(const absl::Status& error) {
  return absl::IsFailedPrecondition(error) &&
         absl::StartsWith(error.message(), "request id (");
}

}  // namespace

SharedChanges::SharedChanges(MakeOne make_one, MakeAll make_all)
    : make_one_(std::move(make_one)),
      make_all_(std::move(make_all)),
      calls_(MayJoin,
             [this](const std::vector<Request*>& group) { MakeGroup(group); }) {
}

absl::StatusOr<uint64_t> SharedChanges::Make(const Change& change) {
  Request request{&change, std::nullopt};
  calls_.Run(&request);
  if (!request.result.has_value()) return make_one_(change);
  return *request.result;
}

bool SharedChanges::MayJoin(const Request& other, const Request& request) {
  const v1::AssignHeader& a = other.change->header;
  const v1::AssignHeader& b = request.change->header;
  return a.name() != b.name() && a.container() == b.container() &&
         a.durability() == b.durability();
}

void SharedChanges::MakeGroup(const std::vector<Request*>& group) {
  if (group.size() == 1) {
    group[0]->result = make_one_(*group[0]->change);
    return;
  }
  std::vector<const Change*> changes;
  for (const Request* member : group) changes.push_back(member->change);
  const absl::StatusOr<uint64_t> revision = make_all_(changes);
  if (!revision.ok() && IsOfOneItem(revision.status()) &&
      !MayHaveBeenApplied(revision.status())) {
    return;
  }
  for (Request* member : group) member->result = revision;
}

}  // namespace varkeep::client
