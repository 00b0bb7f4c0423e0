// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_VARIABLES_MUTATION_H_
#define VARKEEP_SERVER_VARIABLES_MUTATION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/durability.h"
#include "server/variables/variable.h"
#include "tensor/tensor.h"
#include "tensor/tensor_ops.h"
#include "tensor/tensor_rows.h"

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

// value[indices] = value[indices] op updates; see tensor_rows.h.
struct ScatterMutation {
  std::string container;
  std::string name;
  ScatterOp op = ScatterOp::kUpdate;
  bool nd = false;  // CheckScatterNd instead of CheckScatter
  TensorRef indices;
  TensorRef updates;
  std::optional<Revision> expected_version;
};

// ABORTED unless the variable has this version; 0: it has no value.
struct VersionCondition {
  std::string name;
  Revision version = 0;
};

// All of it or nothing, at one revision. The operations are applied in their
// order, each sees what those before it did; versions are those before the
// transaction. The containers of the operations are that of the transaction.
struct TransactionMutation {
  using Operation =
      std::variant<AssignMutation, UpdateMutation, ScatterMutation>;
  std::string container;
  std::vector<Operation> operations;
  std::vector<VersionCondition> conditions;
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
                 UpdateMutation, ScatterMutation, TransactionMutation,
                 DeleteMutation, ResetContainerMutation,
                 AddToCollectionMutation, RestoreMutation>;

// Makes a repeated mutation happen once; see RequestId in the .proto.
struct RequestId {
  uint64_t client = 0;
  uint64_t sequence = 0;
  friend bool operator==(const RequestId&, const RequestId&) = default;
  template <typename H>
  friend H AbslHashValue(H hash, const RequestId& id) {
    return H::combine(std::move(hash), id.client, id.sequence);
  }
};

// What a caller says about a mutation beside the mutation itself.
struct Request {
  Request() = default;
  // Implicit: most callers have an id or nothing.
  Request(RequestId request) : id(request) {}                 // NOLINT
  Request(std::optional<RequestId> request) : id(request) {}  // NOLINT

  std::optional<RequestId> id;
  // With an id: whether it was never sent before, and a revision that the
  // client had seen before it was.
  bool first_attempt = false;
  Revision since = 0;
  std::optional<Durability> durability;  // unset: as the server is set
};

// What a mutation did.
struct Applied {
  Revision revision = 0;   // of the commit; 0: nothing changed
  bool duplicate = false;  // the request id was known; nothing was done now
  bool created = false;    // Declare: the container did not have the variable
  std::vector<std::string> names;  // Initialize: those that got a value now
  int64_t count = 0;               // ResetContainer: variables dropped
  Durability durability = Durability::kNone;  // that was reached
};

}  // namespace varkeep

#endif  // VARKEEP_SERVER_VARIABLES_MUTATION_H_
