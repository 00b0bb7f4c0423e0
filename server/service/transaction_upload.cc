// SPDX-License-Identifier: Apache-2.0
#include "server/service/transaction_upload.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_annotate.h"
#include "base/status_macros.h"
#include "proto/tensor_codec.h"
#include "server/service/convert.h"
#include "server/variables/names.h"

namespace varkeep {
namespace {

struct ScatterKind {
  ScatterOp op;
  bool nd;
};

std::optional<ScatterKind> ScatterKindOf(v1::Operation::Kind kind) {
  switch (kind) {
    case v1::Operation::SCATTER_UPDATE:
      return ScatterKind{ScatterOp::kUpdate, false};
    case v1::Operation::SCATTER_ADD:
      return ScatterKind{ScatterOp::kAdd, false};
    case v1::Operation::SCATTER_SUB:
      return ScatterKind{ScatterOp::kSubtract, false};
    case v1::Operation::SCATTER_MUL:
      return ScatterKind{ScatterOp::kMultiply, false};
    case v1::Operation::SCATTER_DIV:
      return ScatterKind{ScatterOp::kDivide, false};
    case v1::Operation::SCATTER_MIN:
      return ScatterKind{ScatterOp::kMin, false};
    case v1::Operation::SCATTER_MAX:
      return ScatterKind{ScatterOp::kMax, false};
    case v1::Operation::SCATTER_ND_UPDATE:
      return ScatterKind{ScatterOp::kUpdate, true};
    case v1::Operation::SCATTER_ND_ADD:
      return ScatterKind{ScatterOp::kAdd, true};
    case v1::Operation::SCATTER_ND_SUB:
      return ScatterKind{ScatterOp::kSubtract, true};
    default:
      return std::nullopt;
  }
}

std::optional<Revision> ExpectedVersion(const v1::Operation& operation) {
  if (!operation.has_expected_version()) return std::nullopt;
  return operation.expected_version();
}

}  // namespace

absl::Status TransactionUpload::Add(const v1::TransactionRequest& message) {
  if (std::exchange(first_, false)) {
    mutation_.container = message.container();
    request_ = RequestFromProto(message);
  }
  for (const v1::VersionCondition& condition : message.conditions()) {
    mutation_.conditions.push_back(
        {std::string(StripOutput(condition.name())), condition.version()});
  }
  for (const v1::Operation& operation : message.operations()) {
    absl::Status added = AddOperation(operation);
    if (!added.ok()) {
      return Annotate(added,
                      absl::StrCat("operations[", mutation_.operations.size(),
                                   "] on '", Shorten(operation.name()), "'"));
    }
  }
  if (mutation_.conditions.size() > kMaxOperations) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a transaction has at most ", kMaxOperations, " conditions"));
  }
  return AddData(message.data());
}

absl::Status TransactionUpload::AddOperation(const v1::Operation& operation) {
  if (mutation_.operations.size() == kMaxOperations) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a transaction has at most ", kMaxOperations, " operations"));
  }
  if (current_ > 0 || offset_ > 0) {
    return absl::InvalidArgumentError(
        "operations come before the first byte of their tensors");
  }
  const std::string& container = mutation_.container;
  const std::string name(StripOutput(operation.name()));
  if (std::optional<ScatterKind> kind = ScatterKindOf(operation.kind())) {
    ScatterMutation scatter{container,
                            name,
                            kind->op,
                            kind->nd,
                            nullptr,
                            nullptr,
                            ExpectedVersion(operation)};
    ASSIGN_OR_RETURN(scatter.indices, Expect(operation.indices()));
    ASSIGN_OR_RETURN(scatter.updates, Expect(operation.value()));
    mutation_.operations.emplace_back(std::move(scatter));
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(std::shared_ptr<Tensor> value, Expect(operation.value()));
  switch (operation.kind()) {
    case v1::Operation::ASSIGN:
      mutation_.operations.emplace_back(AssignMutation{
          container, name, std::move(value), ExpectedVersion(operation),
          !operation.has_validate_shape() || operation.validate_shape()});
      return absl::OkStatus();
    case v1::Operation::ASSIGN_ADD:
    case v1::Operation::ASSIGN_SUB:
      mutation_.operations.emplace_back(UpdateMutation{
          container, name,
          operation.kind() == v1::Operation::ASSIGN_ADD ? UpdateOp::kAdd
                                                        : UpdateOp::kSubtract,
          std::move(value), ExpectedVersion(operation)});
      return absl::OkStatus();
    default:
      return absl::InvalidArgumentError(
          absl::StrCat("unknown kind ", operation.kind()));
  }
}

absl::StatusOr<std::shared_ptr<Tensor>> TransactionUpload::Expect(
    const v1::TensorSpec& spec) {
  ASSIGN_OR_RETURN(DType dtype, DTypeFromProto(spec.dtype()));
  ASSIGN_OR_RETURN(Shape shape, ShapeFromProto(spec.shape()));
  ASSIGN_OR_RETURN(int64_t bytes, SizeBytes(dtype, shape));
  if (bytes > limits_.max_variable_bytes - bytes_) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the tensors of the transaction have more than ",
                     limits_.max_variable_bytes, " bytes"));
  }
  RETURN_IF_ERROR(held_.Take(bytes));
  bytes_ += bytes;
  ASSIGN_OR_RETURN(std::shared_ptr<Tensor> tensor,
                   Tensor::Create(dtype, shape));
  tensors_.push_back(tensor);
  return tensor;
}

absl::Status TransactionUpload::AddData(absl::string_view data) {
  while (!data.empty()) {
    if (current_ == tensors_.size()) {
      return absl::InvalidArgumentError(
          absl::StrCat("the tensors of the transaction have ", bytes_,
                       " bytes, but more were sent"));
    }
    const std::span<std::byte> rest =
        tensors_[current_]->mutable_bytes().subspan(offset_);
    const size_t size = std::min(rest.size(), data.size());
    std::memcpy(rest.data(), data.data(), size);
    data.remove_prefix(size);
    offset_ += size;
    if (size == rest.size()) {
      ++current_;
      offset_ = 0;
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Mutation> TransactionUpload::Finish() {
  while (current_ < tensors_.size() && tensors_[current_]->bytes().empty()) {
    ++current_;
  }
  if (current_ < tensors_.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the tensors of the transaction have ", bytes_,
                     " bytes, but less were sent"));
  }
  for (const std::shared_ptr<Tensor>& tensor : tensors_) {
    RETURN_IF_ERROR(CheckElements(tensor->dtype(), tensor->bytes()));
  }
  tensors_.clear();
  if (mutation_.operations.size() == 1 && mutation_.conditions.empty()) {
    return std::visit(
        [](auto& change) -> Mutation { return std::move(change); },
        mutation_.operations[0]);
  }
  return std::move(mutation_);
}

}  // namespace varkeep
