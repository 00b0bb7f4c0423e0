// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_CLIENT_TRANSACTION_H_
#define VARKEEP_CLIENT_TRANSACTION_H_

#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "base/durability.h"
#include "client/variable.h"
#include "tensor/tensor.h"
#include "tensor/tensor_ops.h"
#include "tensor/tensor_rows.h"

namespace varkeep::client {

// Several changes of values that happen together, at one revision, or not at
// all. They are applied in their order; each sees what those before it did.
//
//   Transaction move;
//   move.Require(balance, version);          // read before
//   move.AssignSub(from, amount);
//   move.AssignAdd(to, amount);
//   absl::StatusOr<uint64_t> revision = move.Commit();
//
// The variables are of one client and one container. Tensors are kept, not
// copied, until the commit is over. One thread at a time.
class Transaction {
 public:
  Transaction();
  ~Transaction();
  Transaction(Transaction&&) noexcept;
  Transaction& operator=(Transaction&&) noexcept;

  // Commit gives ABORTED, naming both versions, unless the variable has this
  // one then. 0: it has no value.
  void Require(const Variable& variable, uint64_t version);

  void Assign(const Variable& variable, TensorRef value);
  void AssignAdd(const Variable& variable, TensorRef delta);
  void AssignSub(const Variable& variable, TensorRef delta);
  // variable[indices[i...], ...] op= updates[i..., ...]; see tensor_rows.h.
  void Scatter(const Variable& variable, ScatterOp op, TensorRef indices,
               TensorRef updates);
  // The last dimension of `indices` names a place. kUpdate, kAdd, kSubtract.
  void ScatterNd(const Variable& variable, ScatterOp op, TensorRef indices,
                 TensorRef updates);

  // Sends everything; returns the revision of the change, which is the version
  // of every variable in it. Errors of the operations name their position;
  // INVALID_ARGUMENT when the variables do not belong together. Repeated
  // through a restart of the server, and applied once. The transaction is empty
  // afterwards when it succeeded.
  absl::StatusOr<uint64_t> Commit(
      std::optional<Durability> durability = std::nullopt);

 private:
  struct Content;
  std::unique_ptr<Content> content_;
};

}  // namespace varkeep::client

#endif  // VARKEEP_CLIENT_TRANSACTION_H_
