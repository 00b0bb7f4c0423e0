// SPDX-License-Identifier: Apache-2.0
#include "client/transaction.h"

#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "client/internal/connection.h"
#include "proto/tensor_codec.h"

namespace varkeep::client {
namespace {

using v1::Operation;

Operation::Kind ScatterKind(ScatterOp op) {
  switch (op) {
    case ScatterOp::kUpdate:
      return Operation::SCATTER_UPDATE;
    case ScatterOp::kAdd:
      return Operation::SCATTER_ADD;
    case ScatterOp::kSubtract:
      return Operation::SCATTER_SUB;
    case ScatterOp::kMultiply:
      return Operation::SCATTER_MUL;
    case ScatterOp::kDivide:
      return Operation::SCATTER_DIV;
    case ScatterOp::kMin:
      return Operation::SCATTER_MIN;
    case ScatterOp::kMax:
      break;
  }
  return Operation::SCATTER_MAX;
}

// KIND_UNSPECIFIED, which the server refuses, for what TensorFlow has not.
Operation::Kind ScatterNdKind(ScatterOp op) {
  switch (op) {
    case ScatterOp::kUpdate:
      return Operation::SCATTER_ND_UPDATE;
    case ScatterOp::kAdd:
      return Operation::SCATTER_ND_ADD;
    case ScatterOp::kSubtract:
      return Operation::SCATTER_ND_SUB;
    default:
      return Operation::KIND_UNSPECIFIED;
  }
}

}  // namespace

struct Transaction::Content {
  std::shared_ptr<Connection> connection;
  v1::TransactionRequest request;
  std::vector<TensorRef> tensors;  // in the order of their bytes
  absl::Status error;              // the first mistake of the caller

  // Checks that the variable belongs here.
  void Join(const Variable& variable);
  Operation* Add(const Variable& variable, Operation::Kind kind);
  void Attach(TensorRef tensor, v1::TensorSpec* spec);
};

void Transaction::Content::Join(const Variable& variable) {
  if (connection == nullptr) {
    connection = variable.connection();
    request.set_container(variable.info().container);
  }
  if (variable.connection() == connection &&
      variable.info().container == request.container()) {
    return;
  }
  error.Update(absl::InvalidArgumentError(absl::StrCat(
      "variable '", variable.op_name(),
      "' is of another client or container than those before it in the "
      "transaction")));
}

Operation* Transaction::Content::Add(const Variable& variable,
                                     Operation::Kind kind) {
  Join(variable);
  Operation* operation = request.add_operations();
  operation->set_kind(kind);
  operation->set_name(variable.op_name());
  return operation;
}

void Transaction::Content::Attach(TensorRef tensor, v1::TensorSpec* spec) {
  if (tensor == nullptr) {
    error.Update(absl::InvalidArgumentError("a tensor is null"));
    return;
  }
  spec->set_dtype(DTypeToProto(tensor->dtype()));
  ShapeToProto(tensor->shape(), spec->mutable_shape());
  tensors.push_back(std::move(tensor));
}

Transaction::Transaction() : content_(std::make_unique<Content>()) {}
Transaction::~Transaction() = default;
Transaction::Transaction(Transaction&&) noexcept = default;
Transaction& Transaction::operator=(Transaction&&) noexcept = default;

void Transaction::Require(const Variable& variable, uint64_t version) {
  content_->Join(variable);
  v1::VersionCondition* condition = content_->request.add_conditions();
  condition->set_name(variable.op_name());
  condition->set_version(version);
}

void Transaction::Assign(const Variable& variable, TensorRef value) {
  Operation* operation = content_->Add(variable, Operation::ASSIGN);
  content_->Attach(std::move(value), operation->mutable_value());
}

void Transaction::AssignAdd(const Variable& variable, TensorRef delta) {
  Operation* operation = content_->Add(variable, Operation::ASSIGN_ADD);
  content_->Attach(std::move(delta), operation->mutable_value());
}

void Transaction::AssignSub(const Variable& variable, TensorRef delta) {
  Operation* operation = content_->Add(variable, Operation::ASSIGN_SUB);
  content_->Attach(std::move(delta), operation->mutable_value());
}

void Transaction::Scatter(const Variable& variable, ScatterOp op,
                          TensorRef indices, TensorRef updates) {
  Operation* operation = content_->Add(variable, ScatterKind(op));
  content_->Attach(std::move(indices), operation->mutable_indices());
  content_->Attach(std::move(updates), operation->mutable_value());
}

void Transaction::ScatterNd(const Variable& variable, ScatterOp op,
                            TensorRef indices, TensorRef updates) {
  Operation* operation = content_->Add(variable, ScatterNdKind(op));
  content_->Attach(std::move(indices), operation->mutable_indices());
  content_->Attach(std::move(updates), operation->mutable_value());
}

absl::StatusOr<uint64_t> Transaction::Commit(
    std::optional<Durability> durability) {
  RETURN_IF_ERROR(content_->error);
  if (content_->connection == nullptr) {
    return absl::InvalidArgumentError("the transaction is empty");
  }
  Connection& connection = *content_->connection;
  content_->request.set_durability(connection.Wanted(durability));
  ASSIGN_OR_RETURN(uint64_t revision,
                   connection.Commit(content_->request, content_->tensors));
  *content_ = Content();
  return revision;
}

}  // namespace varkeep::client
