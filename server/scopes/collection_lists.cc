// SPDX-License-Identifier: Apache-2.0
#include "server/scopes/collection_lists.h"

#include "absl/strings/str_cat.h"

namespace varkeep {

absl::Status CollectionLists::CheckRoom(size_t count) const {
  if (members_ + count <= kMaxMembers) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("the session's collections have ", kMaxMembers, " members"));
}

void CollectionLists::Add(const std::vector<std::string>& keys,
                          absl::string_view op_name) {
  for (const std::string& key : keys) {
    lists_[key].emplace_back(op_name);
    ++members_;
  }
}

std::vector<std::string> CollectionLists::List(absl::string_view key) const {
  const auto it = lists_.find(key);
  return it == lists_.end() ? std::vector<std::string>() : it->second;
}

}  // namespace varkeep
