// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_VARIABLES_JOURNAL_H_
#define VARKEEP_SERVER_VARIABLES_JOURNAL_H_

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "server/variables/variable.h"

namespace varkeep {

// Keeps one mutation, of which VariableStore::Apply has found that it will
// succeed, before it takes effect. One object for each call of Apply.
class Journal {
 public:
  virtual ~Journal() = default;

  // Makes the mutation durable, then calls `publish` with the last of the
  // `revisions` revisions that it takes: all commits of a store are published
  // one after the other, in the order of their revisions, from any thread.
  // After an error `publish` was not called and will not be.
  virtual absl::Status Commit(
      uint64_t revisions, absl::FunctionRef<void(Revision last)> publish) = 0;
};

}  // namespace varkeep

#endif  // VARKEEP_SERVER_VARIABLES_JOURNAL_H_
