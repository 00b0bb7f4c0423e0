// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_VARIABLES_VARIABLE_RECORD_H_
#define VARKEEP_SERVER_VARIABLES_VARIABLE_RECORD_H_

#include <memory>
#include <string>

#include "base/mutex.h"
#include "server/variables/store_types.h"
#include "server/variables/value_check.h"
#include "server/variables/variable.h"
#include "server/variables/variable_traits.h"
#include "tensor/tensor_overlay.h"

namespace varkeep {

// A variable inside the store; for the store's own sources only. There may be
// millions: what it has in common with others is in its traits.
struct VariableRecord {
  // Without a value, as `info` describes it.
  explicit VariableRecord(VariableInfo info);

  VariableInfo Info() const;
  ValueType type() const { return {name, dtype, shape}; }

  const std::string name;  // op name

  // Held while a value is being made for this variable.
  Mutex writer;

  // The rest is guarded by the store's mutex_, and what only the holder of
  // `writer` changes that one may read without: all but `updating`. The bytes
  // of `value` may be changed in place by the holder of `writer` while
  // `updating` is set and no brief reader is left; nobody else touches them
  // then.
  TraitsRef traits;
  StoredValue value;
  Shape shape;
  const Seeds seeds;
  Revision version = 0;
  Revision declared;
  uint64_t run;
  const DType dtype;
  uint16_t waiting_readers = 0;  // until it is not `updating` any more
  uint16_t waiting_brief_readers = 0;
  uint16_t brief_readers = 0;  // under way
  bool updating = false;
  bool deleted =
      false;  // a change that began before finds no variable any more
};

using VariablePtr = std::shared_ptr<VariableRecord>;

}  // namespace varkeep

#endif  // VARKEEP_SERVER_VARIABLES_VARIABLE_RECORD_H_
