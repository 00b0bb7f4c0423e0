// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_VARIABLES_PREPARED_READ_H_
#define VARKEEP_SERVER_VARIABLES_PREPARED_READ_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "server/variables/store_types.h"

namespace varkeep {

struct VariableRecord;

// Called for a value and its version under the store's mutex: takes the
// pointer, or some bytes, and changes nothing.
using TakeValue = absl::FunctionRef<void(const StoredValue&, Revision)>;

// Variables of a container that are read together, perhaps again and again:
// the store keeps here what it found for their names. Keeps no variable alive.
// One thread at a time.
class PreparedRead {
 public:
  PreparedRead(absl::string_view container, std::vector<std::string> names)
      : container_(container), names_(std::move(names)) {}

  const std::vector<std::string>& names() const { return names_; }

  // Of the last read: every value had the dtype and shape that it had in the
  // one before.
  bool same_layout() const { return same_layout_; }

 private:
  friend class VariableStore;

  std::string container_;
  std::vector<std::string> names_;
  // What they name while the store's layout is this; 0: nothing was found.
  std::vector<VariableRecord*> variables_;
  uint64_t layout_ = 0;
  bool same_layout_ = false;
};

}  // namespace varkeep

#endif  // VARKEEP_SERVER_VARIABLES_PREPARED_READ_H_
