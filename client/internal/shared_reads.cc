// SPDX-License-Identifier: Apache-2.0
#include "client/internal/shared_reads.h"

#include <map>
#include <utility>

#include "base/status_macros.h"

namespace varkeep::client {

SharedReads::SharedReads(ReadAll read_all)
    : read_all_(std::move(read_all)),
      calls_(
          [](const Request& other, const Request& request) {
            return request.key->container == other.key->container;
          },
          [this](const std::vector<Request*>& group) { ReadGroup(group); }) {}

absl::StatusOr<SharedReads::Value> SharedReads::Read(const Key& key) {
  Request request{&key, std::nullopt};
  calls_.Run(&request);
  if (!request.result.has_value()) return ReadAlone(key);
  return *std::move(request.result);
}

void SharedReads::ReadGroup(const std::vector<Request*>& group) {
  std::vector<std::string> names;
  std::map<std::string, size_t> places;
  for (const Request* member : group) {
    if (places.emplace(member->key->name, names.size()).second) {
      names.push_back(member->key->name);
    }
  }
  auto values = read_all_(group[0]->key->container, names);
  for (Request* member : group) {
    if (values.ok()) {
      member->result = (*values)[places[member->key->name]];
    } else if (names.size() == 1 || !IsOfOneItem(values.status())) {
      member->result = values.status();
    }
  }
}

absl::StatusOr<SharedReads::Value> SharedReads::ReadAlone(const Key& key) {
  ASSIGN_OR_RETURN(std::vector<Value> values,
                   read_all_(key.container, {key.name}));
  return std::move(values[0]);
}

}  // namespace varkeep::client
