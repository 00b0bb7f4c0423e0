// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_VARIABLES_STORE_TYPES_H_
#define VARKEEP_SERVER_VARIABLES_STORE_TYPES_H_

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "server/variables/request_window.h"
#include "server/variables/variable.h"
#include "tensor/tensor_overlay.h"

namespace varkeep {

struct StoreLimits {
  int64_t max_variable_bytes = int64_t{64} << 30;
  // Of all values together, with the replaced ones that are held; 0: none.
  int64_t memory_limit_bytes = 0;
};

// For what was accepted before, perhaps under other limits.
inline constexpr StoreLimits kNoLimits = {std::numeric_limits<int64_t>::max(),
                                          0};

// The value of a variable: a tensor and, when rows changed while others held
// it, what is different since.
struct StoredValue {
  std::shared_ptr<Tensor> tensor = nullptr;          // not initialized
  std::shared_ptr<TensorOverlay> overlay = nullptr;  // nothing
};

// One value and its version. Neither the tensor nor the overlay changes as long
// as anyone holds it.
struct VersionedValue {
  TensorRef value;
  Revision version = 0;
  std::string name;
  // What of the value is different from the tensor; null: nothing.
  std::shared_ptr<const TensorOverlay> overlay = nullptr;

  TensorView view() const { return {*value, overlay.get()}; }
};

// Many values as they were at one revision.
struct Cut {
  Revision revision = 0;
  std::vector<VersionedValue> values;
};

struct StoreUsage {
  Revision revision = 0;
  int64_t variables = 0;
  int64_t uninitialized = 0;
  int64_t value_bytes = 0;
  // Replaced values that readers still hold, and rows that changed in held
  // ones.
  int64_t replaced_value_bytes = 0;
  // Spent in initializers so far, which a replay has to run again.
  absl::Duration initializing = absl::ZeroDuration();
};

// Which variables to list, page by page.
struct ListQuery {
  std::optional<std::string> container;  // nullopt: all of them
  // Only the variable of this name and those under "<scope>/"; "": all.
  std::string scope;
  // The last variable of the page before.
  std::optional<VariableInfo> after;
  size_t limit = 1000;
};

// Everything durable, as it was at one revision. Values are shared, not copied.
struct StoreSnapshot {
  struct Variable {
    VariableInfo info;
    TensorRef value;  // null: not initialized
    // As in VersionedValue.
    std::shared_ptr<const TensorOverlay> overlay = nullptr;
  };
  Revision revision = 0;
  std::vector<Variable> variables;  // by container, then op name
  RequestWindow::Contents requests;
};

}  // namespace varkeep

#endif  // VARKEEP_SERVER_VARIABLES_STORE_TYPES_H_
