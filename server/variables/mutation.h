// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_VARIABLES_MUTATION_H_
#define VARKEEP_SERVER_VARIABLES_MUTATION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "server/variables/variable.h"
#include "tensor/tensor.h"
#include "tensor/tensor_ops.h"

namespace varkeep {

// Every change of a server's variables is one of these plain structs, and
// VariableStore::Apply, the one function that applies them, is deterministic:
// seeds, times and ids are resolved before. Names are op names.

// Declares a variable, or attaches to the one the container has when dtype and
// shape agree. INVALID_ARGUMENT names both sides when they do not;
// `must_create`: ALREADY_EXISTS instead of attaching.
struct DeclareMutation {
  std::string container;
  VariableSpec spec;
  bool must_create = false;
};

// Runs initializers, all in one commit. Unless `force`, variables with a value
// are left alone. NOT_FOUND when one does not exist.
struct InitializeMutation {
  std::string container;
  std::vector<std::string> names;
  bool force = false;
};

// Replaces the value.
struct AssignMutation {
  std::string container;
  std::string name;
  TensorRef value;
  std::optional<Revision> expected_version;
  bool validate_shape = true;  // false: the variable takes the value's shape
};

// value = value op operand.
struct UpdateMutation {
  std::string container;
  std::string name;
  UpdateOp op = UpdateOp::kAdd;
  TensorRef operand;
  std::optional<Revision> expected_version;
};

struct DeleteMutation {
  std::string container;
  std::string name;
};

struct ResetContainerMutation {
  std::string container;
};

// Keys that the variable is in already are not added again.
struct AddToCollectionMutation {
  std::string container;
  std::string name;
  std::vector<std::string> keys;
};

// Brings variables back, declaring those that are missing. A null value leaves
// an existing variable as it is. All or nothing.
struct RestoreMutation {
  struct Item {
    VariableInfo info;
    TensorRef value;
  };
  std::vector<Item> items;
};

using Mutation =
    std::variant<DeclareMutation, InitializeMutation, AssignMutation,
                 UpdateMutation, DeleteMutation, ResetContainerMutation,
                 AddToCollectionMutation, RestoreMutation>;

// Makes a repeated mutation happen once; see RequestId in the .proto.
struct RequestId {
  uint64_t client = 0;
  uint64_t sequence = 0;
};

// What a mutation did.
struct Applied {
  Revision revision = 0;   // of the commit; 0: nothing changed
  bool duplicate = false;  // the request id was known; nothing was done now
  bool created = false;    // Declare: the container did not have the variable
  std::vector<std::string> names;  // Initialize: those that got a value now
  int64_t count = 0;               // ResetContainer: variables dropped
};

}  // namespace varkeep

#endif  // VARKEEP_SERVER_VARIABLES_MUTATION_H_
