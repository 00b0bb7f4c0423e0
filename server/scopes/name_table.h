// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_SCOPES_NAME_TABLE_H_
#define VARKEEP_SERVER_SCOPES_NAME_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace varkeep {

// "a/b"; `name` alone when `scope` is empty.
std::string JoinName(absl::string_view scope, absl::string_view name);

// The names a graph has used up, and the rule that makes new ones unique
// (SEMANTICS 1.3). Upper and lower case count as the same; a name is never
// given back. One thread only.
class NameTable {
 public:
  // RESOURCE_EXHAUSTED in OpenScope beyond it; Full() tells other callers.
  static constexpr size_t kMaxNames = 1000000;

  // The name that Unique would give, which stays free.
  std::string Peek(absl::string_view name) const;
  // `name` itself, or else `name` with the first free "_1", "_2", ...; uses it
  // up.
  std::string Unique(absl::string_view name);
  // Uses up `name` as it is.
  void Use(absl::string_view name);

  // tf.name_scope: opens `name` inside the name scope `current` and gives the
  // new one, without a trailing slash. "": the root. A name that ends in "/" is
  // taken literally. INVALID_ARGUMENT as CheckScopeName, then nothing is used
  // up.
  absl::StatusOr<std::string> OpenScope(absl::string_view current,
                                        absl::string_view name);

  // Where TensorFlow makes the op of a variable's initial value: elsewhere, in
  // "<name>/initial_value", or in the scope "<name>/Initializer".
  enum class InitialValue : uint8_t { kElsewhere, kOp, kScope };
  // `name`, used up before, is a variable: it has that initial value and the
  // ops "<name>/Assign" and "<name>/read".
  void MarkVariable(absl::string_view name, InitialValue initial_value);

  bool Full() const { return entries_.size() >= kMaxNames; }

 private:
  struct Entry {
    uint32_t next = 0;  // suffix to try first; 0: never asked for
    bool variable = false;
    InitialValue initial_value = InitialValue::kElsewhere;
  };
  // Whether `key` is an op of a variable, by the entry of the variable alone.
  bool IsPartOfVariable(absl::string_view key) const;
  uint32_t Next(absl::string_view key) const;
  // The suffix that makes the used `key` unique.
  uint32_t FreeSuffix(absl::string_view key) const;

  // By name in lower case. The ops of a variable are in here only when asked
  // for: its own entry tells.
  absl::flat_hash_map<std::string, Entry> entries_;
};

}  // namespace varkeep

#endif  // VARKEEP_SERVER_SCOPES_NAME_TABLE_H_
