// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_SERVICE_ASSIGN_UPLOAD_H_
#define VARKEEP_SERVER_SERVICE_ASSIGN_UPLOAD_H_

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream.h>

#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "server/variables/call_memory.h"
#include "server/variables/variable_store.h"
#include "varkeep/v1/variable_service.pb.h"

namespace varkeep {

enum class AssignKind { kAssign, kAdd, kSubtract };

// Puts the messages of one Assign, AssignAdd or AssignSub call together into a
// mutation. Everything that the header tells is checked against the variable
// before memory is taken; bytes go from the wire straight to their place in the
// tensor. One thread at a time.
class AssignUpload {
 public:
  // `store` and `memory`, which the tensor counts in, must live longer.
  AssignUpload(AssignKind kind, const VariableStore* store, CallMemory* memory)
      : kind_(kind), store_(store), held_(memory) {}

  // One AssignRequest as it came. INVALID_ARGUMENT for bytes that are none, for
  // a header that is missing, repeated or does not fit the variable, and for
  // more bytes than it announced; RESOURCE_EXHAUSTED beyond a limit.
  absl::Status Add(google::protobuf::io::ZeroCopyInputStream* message);

  // After the last message. INVALID_ARGUMENT when bytes are missing.
  absl::StatusOr<Mutation> Finish();
  // After the mutation was applied and let go: it is no memory of a call any
  // more.
  void Release() { held_.Release(); }

  // After the header: the mutation, whose tensor has values up to `received`.
  const Mutation& mutation() const { return *mutation_; }
  const Request& request() const { return request_; }
  int64_t bytes() const { return tensor_->size_bytes(); }
  // False when the variable had another version than was expected when the
  // header came.
  bool expected() const { return expected_; }
  int64_t received() const { return static_cast<int64_t>(received_); }

 private:
  absl::Status AddHeader(google::protobuf::io::CodedInputStream* input);
  absl::Status AddData(google::protobuf::io::CodedInputStream* input);
  absl::Status Begin(const v1::AssignHeader& header);

  const AssignKind kind_;
  const VariableStore* const store_;
  CallMemory::Hold held_;
  std::string name_;
  Request request_;
  std::optional<Mutation> mutation_;  // once the header came
  std::shared_ptr<Tensor> tensor_;    // its tensor; null: no header yet
  bool expected_ = true;
  size_t received_ = 0;  // bytes
};

}  // namespace varkeep

#endif  // VARKEEP_SERVER_SERVICE_ASSIGN_UPLOAD_H_
