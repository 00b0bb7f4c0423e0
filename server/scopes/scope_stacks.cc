// SPDX-License-Identifier: Apache-2.0
#include "server/scopes/scope_stacks.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/scopes/name_table.h"

namespace varkeep {
namespace {

absl::Status ImproperNesting() {
  return absl::FailedPreconditionError("Improper nesting of variable_scope.");
}

}  // namespace

absl::Status ScopeStacks::CheckRoom(uint64_t stack) const {
  const auto it = stacks_.find(stack);
  if (it == stacks_.end() && stacks_.size() >= kMaxStacks) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the session has ", kMaxStacks, " scope stacks"));
  }
  if (it != stacks_.end() && it->second.open.size() >= kMaxDepth) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "scope stack ", stack, " has ", kMaxDepth, " open scopes"));
  }
  if (it != stacks_.end() && it->second.journal.size() >= kMaxCountedNames) {
    return absl::ResourceExhaustedError(
        "too many scopes were opened inside one scope object");
  }
  if (counted_names_ >= kMaxCountedNames) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "the session has opened ", kMaxCountedNames, " variable scopes"));
  }
  return absl::OkStatus();
}

void ScopeStacks::LeaveInside(uint64_t stack, uint64_t opening) {
  const auto it = stacks_.find(stack);
  if (it == stacks_.end()) return;
  const std::vector<Opening>& open = it->second.open;
  const bool is_open =
      opening == 0 || std::any_of(open.begin(), open.end(), [&](const auto& o) {
        return o.id == opening;
      });
  while (is_open && !open.empty() && open.back().id != opening) {
    LeaveInnermost(&it->second);
  }
}

uint64_t ScopeStacks::Open(uint64_t stack, Kind kind,
                           absl::string_view variable_scope) {
  Stack& state = stacks_[stack];
  if (kind != Kind::kName) {
    const auto it = state.counts.find(variable_scope);
    SetCount(&state, variable_scope,
             (it == state.counts.end() ? 0 : it->second) + 1);
  }
  // The count of the opening itself outlives a kObject, as in TensorFlow.
  state.open.push_back({++last_opening_, kind, std::string(variable_scope),
                        state.journal.size()});
  if (kind == Kind::kObject) ++state.objects;
  return last_opening_;
}

absl::Status ScopeStacks::Leave(uint64_t stack, uint64_t opening) {
  if (opening == 0 || opening > last_opening_) return ImproperNesting();
  const auto it = stacks_.find(stack);
  if (it == stacks_.end()) return ImproperNesting();
  const std::vector<Opening>& open = it->second.open;
  if (!open.empty() && open.back().id == opening) {
    LeaveInnermost(&it->second);
    return absl::OkStatus();
  }
  const bool is_open = std::any_of(
      open.begin(), open.end(), [&](const auto& o) { return o.id == opening; });
  return is_open ? ImproperNesting() : absl::OkStatus();
}

std::string ScopeStacks::UniqueDefaultName(uint64_t stack,
                                           absl::string_view variable_scope,
                                           absl::string_view name) const {
  const auto it = stacks_.find(stack);
  if (it == stacks_.end()) return std::string(name);
  const auto& counts = it->second.counts;
  std::string unique(name);
  for (uint64_t i = 1; counts.contains(JoinName(variable_scope, unique)); ++i) {
    unique = absl::StrCat(name, "_", i);
  }
  return unique;
}

void ScopeStacks::SetCount(Stack* stack, absl::string_view name,
                           uint64_t count) {
  const auto it = stack->counts.find(name);
  const uint64_t before = it == stack->counts.end() ? 0 : it->second;
  if (stack->objects > 0) stack->journal.emplace_back(name, before);
  if (before == 0 && count > 0) {
    stack->counts.emplace(name, count);
    ++counted_names_;
  } else if (before > 0 && count == 0) {
    stack->counts.erase(it);
    --counted_names_;
  } else if (before > 0) {
    it->second = count;
  }
}

void ScopeStacks::ForgetInside(Stack* stack, absl::string_view variable_scope) {
  const std::string prefix = absl::StrCat(variable_scope, "/");
  auto it = stack->counts.lower_bound(prefix);
  while (it != stack->counts.end() && absl::StartsWith(it->first, prefix)) {
    const std::string name = it->first;
    ++it;
    SetCount(stack, name, 0);
  }
}

void ScopeStacks::LeaveInnermost(Stack* stack) {
  const Opening opening = std::move(stack->open.back());
  stack->open.pop_back();
  if (opening.kind == Kind::kString) {
    ForgetInside(stack, opening.variable_scope);
  }
  if (opening.kind != Kind::kObject) return;
  std::vector<std::pair<std::string, uint64_t>> undo(
      stack->journal.begin() +
          static_cast<std::ptrdiff_t>(opening.journal_size),
      stack->journal.end());
  stack->journal.resize(opening.journal_size);
  const size_t objects = std::exchange(stack->objects, 0);
  for (auto it = undo.rbegin(); it != undo.rend(); ++it) {
    SetCount(stack, it->first, it->second);
  }
  stack->objects = objects - 1;
}

}  // namespace varkeep
