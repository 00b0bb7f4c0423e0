// SPDX-License-Identifier: Apache-2.0
#include "server/variables/variable_index.h"

#include <utility>

#include "absl/hash/hash.h"

namespace varkeep {

VariableIndex::Key VariableIndex::KeyOf(absl::string_view name) {
  return {absl::HashOf(name), name};
}

VariablePtr VariableIndex::Find(absl::string_view name) const {
  const auto found = by_hash_.find(KeyOf(name));
  return found == by_hash_.end() ? nullptr : found->variable;
}

void VariableIndex::Insert(VariablePtr variable) {
  ordered_.insert(variable.get());
  const size_t hash = KeyOf(variable->name).hash;
  by_hash_.insert({hash, std::move(variable)});
}

void VariableIndex::Erase(absl::string_view name) {
  // The name may be that of the variable: its last use comes first.
  const auto found = by_hash_.find(KeyOf(name));
  if (found == by_hash_.end()) return;
  ordered_.erase(found->variable.get());
  by_hash_.erase(found);
}

std::vector<VariablePtr> VariableIndex::All() const {
  std::vector<VariablePtr> all;
  all.reserve(by_hash_.size());
  for (const Entry& entry : by_hash_) all.push_back(entry.variable);
  return all;
}

}  // namespace varkeep
