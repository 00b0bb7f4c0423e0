// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_SCOPES_DECLARER_H_
#define VARKEEP_SERVER_SCOPES_DECLARER_H_

#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/variables/mutation.h"
#include "server/variables/variable.h"

namespace varkeep {

// The variables that sessions declare into: the store, or what stands before
// it. Thread-safe.
class Declarer {
 public:
  virtual ~Declarer() = default;
  // VariableStore::Apply of a DeclareMutation or AddToCollectionMutation.
  virtual absl::StatusOr<Applied> Declare(const Mutation& mutation,
                                          const Request& request) = 0;
  // NOT_FOUND when the container has no such variable.
  virtual absl::StatusOr<VariableInfo> Find(absl::string_view container,
                                            absl::string_view name) = 0;
};

// A variable that a call declared or found.
struct Declared {
  VariableInfo info;
  bool created = false;  // the container did not have it before
};

}  // namespace varkeep

#endif  // VARKEEP_SERVER_SCOPES_DECLARER_H_
