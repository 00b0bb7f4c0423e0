// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_SCOPES_SCOPE_STACKS_H_
#define VARKEEP_SERVER_SCOPES_SCOPE_STACKS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace varkeep {

// Which scopes of a session are open, on each of its stacks, and how often each
// variable scope was opened: `default_name` is numbered by that
// (SEMANTICS 1.5). One thread only.
class ScopeStacks {
 public:
  static constexpr size_t kMaxStacks = 10000;
  static constexpr size_t kMaxDepth = 10000;           // of one stack
  static constexpr size_t kMaxCountedNames = 1000000;  // of all stacks

  enum class Kind {
    kName,    // a name scope: counts nothing
    kString,  // a variable scope by name; leaving it forgets counts inside it
    kObject,  // a scope object; leaving it brings the counts back
  };

  // RESOURCE_EXHAUSTED when Open on this stack would pass a limit.
  absl::Status CheckRoom(uint64_t stack) const;

  // Leaves the scopes that were opened inside `opening` and never left: whoever
  // opens the next one in it has forgotten them. Nothing when `opening` is not
  // open on this stack; 0 is the root.
  void LeaveInside(uint64_t stack, uint64_t opening);

  // Opens a scope inside the innermost one and names the opening. REQUIRES:
  // CheckRoom.
  uint64_t Open(uint64_t stack, Kind kind, absl::string_view variable_scope);

  // FAILED_PRECONDITION "Improper nesting of variable_scope." unless `opening`
  // is the innermost of its stack. One that was left before is left again
  // without effect, so that a call may be repeated.
  absl::Status Leave(uint64_t stack, uint64_t opening);

  // `name`, or "name_1", ...: the first under which no scope inside
  // `variable_scope` was opened.
  std::string UniqueDefaultName(uint64_t stack,
                                absl::string_view variable_scope,
                                absl::string_view name) const;

 private:
  struct Opening {
    uint64_t id = 0;
    Kind kind = Kind::kName;
    std::string variable_scope;
    size_t journal_size = 0;  // at the opening of a kObject
  };
  struct Stack {
    std::vector<Opening> open;  // outermost first
    // How often each name was opened, never 0. Ordered: what is inside a scope
    // is a range.
    std::map<std::string, uint64_t, std::less<>> counts;
    // What changed since the outermost open kObject: a name and its count
    // before.
    std::vector<std::pair<std::string, uint64_t>> journal;
    size_t objects = 0;  // kObject among `open`
  };

  void SetCount(Stack* stack, absl::string_view name, uint64_t count);
  void ForgetInside(Stack* stack, absl::string_view variable_scope);
  void LeaveInnermost(Stack* stack);

  absl::flat_hash_map<uint64_t, Stack> stacks_;
  uint64_t last_opening_ = 0;
  size_t counted_names_ = 0;  // in `counts` of all stacks
};

}  // namespace varkeep

#endif  // VARKEEP_SERVER_SCOPES_SCOPE_STACKS_H_
