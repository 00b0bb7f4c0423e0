// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_VARIABLES_VARIABLE_INDEX_H_
#define VARKEEP_SERVER_VARIABLES_VARIABLE_INDEX_H_

#include <cstddef>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "server/variables/variable_record.h"

namespace varkeep {

// The variables of a container: found by name without looking at others, and
// listed in the order of names, where a scope is a range. Names are those of
// the variables, kept nowhere else. One thread only.
class VariableIndex {
 public:
  // Null when there is none.
  VariablePtr Find(absl::string_view name) const;
  // REQUIRES: there is none of its name.
  void Insert(VariablePtr variable);
  void Erase(absl::string_view name);

  size_t size() const { return ordered_.size(); }
  std::vector<VariablePtr> All() const;  // in any order

  struct ByName {
    using is_transparent = void;
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      return Name(a) < Name(b);
    }
    static absl::string_view Name(const VariableRecord* v) { return v->name; }
    static absl::string_view Name(absl::string_view name) { return name; }
  };
  using Ordered = absl::btree_set<VariableRecord*, ByName>;
  const Ordered& ordered() const { return ordered_; }

 private:
  // With the hash beside, growing does not visit every variable.
  struct Entry {
    size_t hash;
    VariablePtr variable;
  };
  struct Key {
    size_t hash;
    absl::string_view name;
  };
  struct Hash {
    using is_transparent = void;
    size_t operator()(const Entry& entry) const { return entry.hash; }
    size_t operator()(const Key& key) const { return key.hash; }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const Entry& a, const Entry& b) const {
      return a.variable == b.variable;
    }
    bool operator()(const Entry& a, const Key& b) const {
      return a.hash == b.hash && a.variable->name == b.name;
    }
  };
  static Key KeyOf(absl::string_view name);

  absl::flat_hash_set<Entry, Hash, Equal> by_hash_;
  Ordered ordered_;
};

}  // namespace varkeep

#endif  // VARKEEP_SERVER_VARIABLES_VARIABLE_INDEX_H_
