// SPDX-License-Identifier: Apache-2.0
#include "server/scopes/name_table.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "server/variables/names.h"

namespace varkeep {

std::string JoinName(absl::string_view scope, absl::string_view name) {
  return scope.empty() ? std::string(name) : absl::StrCat(scope, "/", name);
}

bool NameTable::IsPartOfVariable(absl::string_view key) const {
  const size_t slash = key.rfind('/');
  if (slash == absl::string_view::npos) return false;
  const auto it = entries_.find(key.substr(0, slash));
  if (it == entries_.end() || !it->second.variable) return false;
  const absl::string_view part = key.substr(slash + 1);
  const InitialValue initial_value = it->second.initial_value;
  return part == "read" || part == "assign" ||
         (part == "initial_value" && initial_value == InitialValue::kOp) ||
         (part == "initializer" && initial_value == InitialValue::kScope);
}

uint32_t NameTable::Next(absl::string_view key) const {
  const auto it = entries_.find(key);
  if (it != entries_.end() && it->second.next > 0) return it->second.next;
  return IsPartOfVariable(key) ? 1 : 0;
}

uint32_t NameTable::FreeSuffix(absl::string_view key) const {
  uint32_t suffix = Next(key);
  while (Next(absl::StrCat(key, "_", suffix)) > 0) ++suffix;
  return suffix;
}

std::string NameTable::Peek(absl::string_view name) const {
  const std::string key = absl::AsciiStrToLower(name);
  if (Next(key) == 0) return std::string(name);
  return absl::StrCat(name, "_", FreeSuffix(key));
}

std::string NameTable::Unique(absl::string_view name) {
  const std::string key = absl::AsciiStrToLower(name);
  if (Next(key) == 0) {
    entries_[key].next = 1;
    return std::string(name);
  }
  const uint32_t suffix = FreeSuffix(key);
  // TensorFlow counts up by one and walks over used names again next time;
  // names are never given back, so going on behind the winner finds the same.
  entries_[key].next = suffix + 1;
  entries_[absl::StrCat(key, "_", suffix)].next = 1;
  return absl::StrCat(name, "_", suffix);
}

void NameTable::Use(absl::string_view name) {
  const std::string key = absl::AsciiStrToLower(name);
  const uint32_t next = std::max(Next(key), 1u);
  entries_[key].next = next;
}

absl::StatusOr<std::string> NameTable::OpenScope(absl::string_view current,
                                                 absl::string_view name) {
  if (name.empty()) return std::string();
  RETURN_IF_ERROR(CheckScopeName(name, current.empty()));
  if (absl::EndsWith(name, "/")) {
    return std::string(absl::StripSuffix(name, "/"));
  }
  const std::string full = JoinName(current, name);
  const std::string unique = Peek(full);
  if (unique.size() > kMaxNameBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("name scope '", Shorten(unique), "' has ", unique.size(),
                     " bytes, a name has at most ", kMaxNameBytes));
  }
  if (Full()) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the session has used ", kMaxNames, " names"));
  }
  return Unique(full);
}

void NameTable::MarkVariable(absl::string_view name,
                             InitialValue initial_value) {
  // Where a part's name is taken already, the part gets another, as all do.
  const auto add = [&](absl::string_view part) {
    const std::string full = absl::StrCat(name, part);
    if (Next(absl::AsciiStrToLower(full)) > 0) Unique(full);
  };
  if (initial_value == InitialValue::kOp) add("/initial_value");
  if (initial_value == InitialValue::kScope) add("/Initializer");
  add("/Assign");
  add("/read");
  Entry& entry = entries_[absl::AsciiStrToLower(name)];
  entry.next = std::max(entry.next, 1u);
  entry.variable = true;
  entry.initial_value = initial_value;
}

}  // namespace varkeep
