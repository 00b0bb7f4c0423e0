// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_CLIENT_VARIABLE_H_
#define VARKEEP_CLIENT_VARIABLE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/durability.h"
#include "client/variable_info.h"
#include "tensor/tensor.h"
#include "tensor/tensor_ops.h"
#include "tensor/tensor_rows.h"

namespace varkeep::client {

class Connection;
class SessionCore;

// A value and the revision of the change that made it.
struct VersionedTensor {
  TensorRef value;
  uint64_t version = 0;
};

struct AssignOptions {
  // ABORTED unless the variable has this version. 0: has no value.
  std::optional<uint64_t> expected_version = {};
  // Assign only. False: the variable takes the value's shape.
  bool validate_shape = true;
  // How safe the change is when the call returns; unset: as the client or else
  // the server is set.
  std::optional<Durability> durability = {};
};

// Bytes done and bytes in all.
using TransferProgress = std::function<void(int64_t, int64_t)>;

// A variable on a server: what was known when it was declared, and the calls
// that change its value. Copyable, cheap, thread-safe; keeps its session open.
//
// Calls ride out a restart of the server (RetryPolicy). Their errors: NOT_FOUND
// (deleted meanwhile), FAILED_PRECONDITION "Attempting to use uninitialized
// value ...", UNAVAILABLE after the policy's timeout.
class Variable {
 public:
  // Of no server; only assigning to it and destroying it are allowed.
  Variable() = default;

  // As it was when this handle was made.
  const VariableInfo& info() const { return *info_; }
  const std::string& name() const { return info_->name; }        // "foo/v:0"
  const std::string& op_name() const { return info_->op_name; }  // "foo/v"
  DType dtype() const { return info_->dtype; }
  const Shape& shape() const { return info_->shape; }
  bool trainable() const { return info_->trainable; }
  // <tf.Variable 'foo/v:0' shape=(784, 200) dtype=float32_ref>
  std::string ToString() const { return info_->ToString(); }

  absl::StatusOr<TensorRef> Read() const;
  // INVALID_ARGUMENT for a box that reaches outside.
  absl::StatusOr<TensorRef> Read(const SliceSpec& slice) const;
  absl::StatusOr<VersionedTensor> ReadVersioned(
      const TransferProgress& progress = nullptr) const;
  // nullopt when the variable is not newer than `version`; then no value
  // travels.
  absl::StatusOr<std::optional<VersionedTensor>> ReadIfNewer(
      uint64_t version) const;
  // Into the caller's memory, the fastest way; returns the version.
  // INVALID_ARGUMENT when type or number of elements differ. After another
  // error the memory may have a part of the value.
  template <typename T>
  absl::StatusOr<uint64_t> ReadInto(std::span<T> memory) const {
    return ReadInto(DTypeOf<T>(), std::as_writable_bytes(memory));
  }

  // Each returns the variable's new version. INVALID_ARGUMENT when dtype or
  // shape differ.
  absl::StatusOr<uint64_t> Assign(
      TensorRef value, const AssignOptions& options = {},
      const TransferProgress& progress = nullptr) const;
  absl::StatusOr<uint64_t> AssignAdd(TensorRef delta,
                                     const AssignOptions& options = {}) const;
  absl::StatusOr<uint64_t> AssignSub(TensorRef delta,
                                     const AssignOptions& options = {}) const;

  // The same with elements, row-major, in this variable's shape.
  template <typename T>
  absl::StatusOr<uint64_t> Assign(std::span<const T> values,
                                  const AssignOptions& options = {}) const {
    return Push("Assign", MakeTensor<T>(shape(), values), options);
  }
  template <typename T>
  absl::StatusOr<uint64_t> AssignAdd(std::span<const T> delta,
                                     const AssignOptions& options = {}) const {
    return Push("AssignAdd", MakeTensor<T>(shape(), delta), options);
  }
  template <typename T>
  absl::StatusOr<uint64_t> AssignSub(std::span<const T> delta,
                                     const AssignOptions& options = {}) const {
    return Push("AssignSub", MakeTensor<T>(shape(), delta), options);
  }

  // tf.scatter_update and so on: this[indices[i...], ...] op= updates[i...,
  // ...], all of it or nothing; repeated indices count each time
  // (tensor_rows.h). Costs what the rows named are large. INVALID_ARGUMENT with
  // TensorFlow's texts.
  absl::StatusOr<uint64_t> Scatter(ScatterOp op, TensorRef indices,
                                   TensorRef updates) const;
  // tf.scatter_nd_update, _add, _sub.
  absl::StatusOr<uint64_t> ScatterNd(ScatterOp op, TensorRef indices,
                                     TensorRef updates) const;
  // tf.gather, tf.gather_nd: only what is named travels. A negative axis counts
  // from the end.
  absl::StatusOr<TensorRef> Gather(const Tensor& indices,
                                   int64_t axis = 0) const;
  absl::StatusOr<TensorRef> GatherNd(const Tensor& indices) const;

  // x.initializer.run(): draws the first value anew.
  absl::Status Initialize() const;
  absl::StatusOr<bool> IsInitialized() const;

  // Public for Transaction.
  const std::shared_ptr<Connection>& connection() const { return connection_; }

  // Made by sessions and clients. `session` may be null.
  Variable(std::shared_ptr<Connection> connection,
           std::shared_ptr<SessionCore> session, VariableInfo info);

 private:
  absl::StatusOr<TensorRef> GatherRows(const Tensor& indices, bool nd,
                                       int64_t axis) const;
  absl::StatusOr<VersionedTensor> ReadSmall() const;
  absl::StatusOr<uint64_t> ReadInto(DType dtype,
                                    std::span<std::byte> memory) const;
  absl::StatusOr<uint64_t> Push(
      const char* method, absl::StatusOr<TensorRef> value,
      const AssignOptions& options,
      const TransferProgress& progress = nullptr) const;

  std::shared_ptr<Connection> connection_;
  std::shared_ptr<SessionCore> session_;
  std::shared_ptr<const VariableInfo> info_;
};

}  // namespace varkeep::client

#endif  // VARKEEP_CLIENT_VARIABLE_H_
