// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_SCOPES_COLLECTION_LISTS_H_
#define VARKEEP_SERVER_SCOPES_COLLECTION_LISTS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace varkeep {

// A graph's collections: ordered lists of op names that may hold one twice. One
// thread only.
class CollectionLists {
 public:
  static constexpr size_t kMaxMembers = 4000000;  // of all lists

  // RESOURCE_EXHAUSTED when `count` more do not fit.
  absl::Status CheckRoom(size_t count) const;

  // Appends. REQUIRES: room.
  void Add(const std::vector<std::string>& keys, absl::string_view op_name);

  // In the order they were added; an unknown key has none.
  std::vector<std::string> List(absl::string_view key) const;

 private:
  absl::flat_hash_map<std::string, std::vector<std::string>> lists_;
  size_t members_ = 0;
};

}  // namespace varkeep

#endif  // VARKEEP_SERVER_SCOPES_COLLECTION_LISTS_H_
