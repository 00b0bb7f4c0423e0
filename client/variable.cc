// SPDX-License-Identifier: Apache-2.0
#include "client/variable.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "client/internal/connection.h"
#include "client/internal/session_core.h"
#include "client/transaction.h"
#include "proto/tensor_codec.h"
#include "tensor/tensor_ops.h"
#include "tensor/tensor_rows.h"

namespace varkeep::client {
namespace {

// Tries once more when the variable was gone only because the server had lost
// the session.
template <typename Call>
auto WithSession(const std::shared_ptr<SessionCore>& session, Call call) {
  auto result = call();
  if (session == nullptr || result.ok() || !absl::IsNotFound(result.status()) ||
      !session->DeclaredAgain()) {
    return result;
  }
  return call();
}

v1::ReadValueRequest ReadRequest(const VariableInfo& info) {
  v1::ReadValueRequest request;
  request.set_container(info.container);
  request.set_name(info.op_name);
  return request;
}

// Values up to this size take less time than a call does.
constexpr int64_t kSmallBytes = 4 << 10;

// Of a value with that shape, as far as is known; the variable's may have
// changed.
int64_t BytesOf(const VariableInfo& info, const absl::StatusOr<Shape>& shape) {
  constexpr int64_t kUnknown = std::numeric_limits<int64_t>::max();
  return shape.ok() ? SizeBytes(info.dtype, *shape).value_or(kUnknown)
                    : kUnknown;
}

int64_t BytesOf(const VariableInfo& info) { return BytesOf(info, info.shape); }

bool IsSmall(const VariableInfo& info) { return BytesOf(info) <= kSmallBytes; }

absl::Status OtherDType(const VariableInfo& info, DType dtype) {
  return absl::InvalidArgumentError(absl::StrCat(
      "variable '", info.op_name, "' has dtype ", DTypeName(info.dtype),
      ", the caller's elements are ", DTypeName(dtype)));
}

}  // namespace

Variable::Variable(std::shared_ptr<Connection> connection,
                   std::shared_ptr<SessionCore> session, VariableInfo info)
    : connection_(std::move(connection)),
      session_(std::move(session)),
      info_(std::make_shared<const VariableInfo>(std::move(info))) {}

absl::StatusOr<TensorRef> Variable::Read() const {
  ASSIGN_OR_RETURN(VersionedTensor read, ReadVersioned());
  return std::move(read.value);
}

absl::StatusOr<TensorRef> Variable::Read(const SliceSpec& slice) const {
  v1::ReadValueRequest request = ReadRequest(*info_);
  SliceToProto(slice, request.mutable_slice());
  const int64_t bytes = BytesOf(*info_, SliceShape(info_->shape, slice));
  ASSIGN_OR_RETURN(Connection::Values read, WithSession(session_, [&] {
                     return connection_->Read(request, bytes);
                   }));
  return TensorRef(std::move(read.values[0].tensor));
}

absl::StatusOr<VersionedTensor> Variable::ReadSmall() const {
  ASSIGN_OR_RETURN(SharedReads::Value read, WithSession(session_, [&] {
                     return connection_->ReadSmall(info_->container,
                                                   info_->op_name);
                   }));
  return VersionedTensor{std::move(read.tensor), read.version};
}

absl::StatusOr<VersionedTensor> Variable::ReadVersioned(
    const TransferProgress& progress) const {
  if (IsSmall(*info_) && progress == nullptr) return ReadSmall();
  v1::ReadValueRequest request = ReadRequest(*info_);
  ASSIGN_OR_RETURN(Connection::Values read, WithSession(session_, [&] {
                     return connection_->Read(request, BytesOf(*info_),
                                              std::nullopt, progress);
                   }));
  return VersionedTensor{std::move(read.values[0].tensor),
                         read.values[0].version};
}

absl::StatusOr<std::optional<VersionedTensor>> Variable::ReadIfNewer(
    uint64_t version) const {
  v1::ReadValueRequest request = ReadRequest(*info_);
  request.set_if_newer_than(version);
  // Most often it is not: nothing is sent.
  ASSIGN_OR_RETURN(Connection::Values read, WithSession(session_, [&] {
                     return connection_->Read(request, /*bytes=*/0);
                   }));
  if (read.values[0].not_modified) return std::nullopt;
  return VersionedTensor{std::move(read.values[0].tensor),
                         read.values[0].version};
}

absl::StatusOr<uint64_t> Variable::ReadInto(DType dtype,
                                            std::span<std::byte> memory) const {
  if (dtype != info_->dtype) return OtherDType(*info_, dtype);
  if (IsSmall(*info_)) {
    ASSIGN_OR_RETURN(VersionedTensor read, ReadSmall());
    if (memory.size() != read.value->bytes().size()) {
      return OtherSize(info_->op_name, read.value->size_bytes(), memory.size());
    }
    std::ranges::copy(read.value->bytes(), memory.begin());
    return read.version;
  }
  v1::ReadValueRequest request = ReadRequest(*info_);
  ASSIGN_OR_RETURN(Connection::Values read, WithSession(session_, [&] {
                     return connection_->Read(request, BytesOf(*info_), memory);
                   }));
  return read.values[0].version;
}

absl::StatusOr<uint64_t> Variable::Push(
    const char* method, absl::StatusOr<TensorRef> value,
    const AssignOptions& options, const TransferProgress& progress) const {
  RETURN_IF_ERROR(value.status());
  if ((*value)->dtype() != info_->dtype) {
    return OtherDType(*info_, (*value)->dtype());
  }
  SharedChanges::Change change{
      .method = method, .header = {}, .value = *std::move(value)};
  v1::AssignHeader& header = change.header;
  header.set_container(info_->container);
  header.set_name(info_->op_name);
  if (options.expected_version) {
    header.set_expected_version(*options.expected_version);
  }
  if (!options.validate_shape) header.set_validate_shape(false);
  header.set_durability(connection_->Wanted(options.durability));
  const bool alone = options.expected_version || !options.validate_shape ||
                     progress != nullptr ||
                     change.value->size_bytes() > kSmallBytes;
  return WithSession(session_, [&] {
    return alone ? connection_->Upload(change, progress)
                 : connection_->ChangeSmall(change);
  });
}

absl::StatusOr<uint64_t> Variable::Assign(
    TensorRef value, const AssignOptions& options,
    const TransferProgress& progress) const {
  return Push("Assign", std::move(value), options, progress);
}

absl::StatusOr<uint64_t> Variable::AssignAdd(
    TensorRef delta, const AssignOptions& options) const {
  return Push("AssignAdd", std::move(delta), options);
}

absl::StatusOr<uint64_t> Variable::AssignSub(
    TensorRef delta, const AssignOptions& options) const {
  return Push("AssignSub", std::move(delta), options);
}

absl::StatusOr<uint64_t> Variable::Scatter(ScatterOp op, TensorRef indices,
                                           TensorRef updates) const {
  Transaction transaction;
  transaction.Scatter(*this, op, std::move(indices), std::move(updates));
  return WithSession(session_, [&] { return transaction.Commit(); });
}

absl::StatusOr<uint64_t> Variable::ScatterNd(ScatterOp op, TensorRef indices,
                                             TensorRef updates) const {
  Transaction transaction;
  transaction.ScatterNd(*this, op, std::move(indices), std::move(updates));
  return WithSession(session_, [&] { return transaction.Commit(); });
}

absl::StatusOr<TensorRef> Variable::Gather(const Tensor& indices,
                                           int64_t axis) const {
  return GatherRows(indices, /*nd=*/false, axis);
}

absl::StatusOr<TensorRef> Variable::GatherNd(const Tensor& indices) const {
  return GatherRows(indices, /*nd=*/true, /*axis=*/0);
}

absl::StatusOr<TensorRef> Variable::GatherRows(const Tensor& indices, bool nd,
                                               int64_t axis) const {
  v1::GatherRequest request;
  request.set_container(info_->container);
  request.set_name(info_->op_name);
  request.set_nd(nd);
  request.set_axis(axis);
  TensorToProto(indices, request.mutable_indices());
  const int64_t bytes =
      BytesOf(*info_, nd ? GatherNdShape(info_->shape, indices)
                         : GatherShape(info_->shape, indices, axis));
  ASSIGN_OR_RETURN(Connection::Values read, WithSession(session_, [&] {
                     return connection_->Read(request, bytes);
                   }));
  return TensorRef(std::move(read.values[0].tensor));
}

absl::Status Variable::Initialize() const {
  v1::InitializeRequest request;
  request.set_container(info_->container);
  request.mutable_selection()->mutable_names()->add_names(info_->op_name);
  request.set_force(true);
  request.set_durability(connection_->Wanted(std::nullopt));
  return WithSession(session_,
                     [&]() -> absl::StatusOr<v1::InitializeResponse> {
                       v1::InitializeResponse response;
                       RETURN_IF_ERROR(
                           connection_->Call("Initialize", request, &response));
                       return response;
                     })
      .status();
}

absl::StatusOr<bool> Variable::IsInitialized() const {
  v1::IsInitializedRequest request;
  request.set_container(info_->container);
  request.set_name(info_->op_name);
  return WithSession(session_, [&]() -> absl::StatusOr<bool> {
    v1::IsInitializedResponse response;
    RETURN_IF_ERROR(connection_->Call("IsInitialized", request, &response));
    return response.initialized();
  });
}

}  // namespace varkeep::client
