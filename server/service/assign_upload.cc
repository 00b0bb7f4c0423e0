// SPDX-License-Identifier: Apache-2.0
#include "server/service/assign_upload.h"

#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "proto/tensor_codec.h"
#include "server/service/convert.h"
#include "server/variables/names.h"
#include "server/variables/value_check.h"

namespace varkeep {

absl::Status AssignUpload::Add(const v1::AssignRequest& message) {
  if (tensor_ == nullptr) {
    if (!message.has_header()) {
      return absl::InvalidArgumentError(
          "the first message of an assign has no header");
    }
    RETURN_IF_ERROR(Begin(message.header()));
  } else if (message.has_header()) {
    return absl::InvalidArgumentError(
        "a later message of an assign has a header");
  }
  const std::string& data = message.data();
  const std::span<std::byte> bytes = tensor_->mutable_bytes();
  if (data.size() > bytes.size() - received_) {
    return absl::InvalidArgumentError(
        absl::StrCat("the value of variable ", name_, " of shape ",
                     tensor_->shape().ToString(), " has ", bytes.size(),
                     " bytes, but more were sent"));
  }
  if (!data.empty()) {
    std::memcpy(bytes.data() + received_, data.data(), data.size());
  }
  received_ += data.size();
  return absl::OkStatus();
}

absl::Status AssignUpload::Begin(const v1::AssignHeader& header) {
  container_ = header.container();
  name_ = std::string(StripOutput(header.name()));
  ASSIGN_OR_RETURN(DType dtype, DTypeFromProto(header.dtype()));
  ASSIGN_OR_RETURN(Shape shape, ShapeFromProto(header.shape()));
  if (header.has_expected_version()) {
    expected_version_ = header.expected_version();
  }
  if (header.has_validate_shape()) validate_shape_ = header.validate_shape();
  request_ = RequestIdFromProto(header.has_request_id(), header.request_id());

  ASSIGN_OR_RETURN(VariableInfo info, store_->Find(container_, name_));
  if (kind_ == AssignKind::kAssign) {
    RETURN_IF_ERROR(CheckAssign(info.spec, dtype, shape, validate_shape_));
  } else {
    RETURN_IF_ERROR(CheckUpdate(info.spec, dtype, shape));
    if (!info.initialized) return UninitializedError(name_);
  }
  ASSIGN_OR_RETURN(int64_t bytes, SizeBytes(dtype, shape));
  if (bytes > store_->limits().max_variable_bytes) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "the value of variable ", name_, " of shape ", shape.ToString(),
        " has ", bytes, " bytes, the largest variable has ",
        store_->limits().max_variable_bytes));
  }
  ASSIGN_OR_RETURN(tensor_, Tensor::Create(dtype, shape));
  return absl::OkStatus();
}

absl::StatusOr<Mutation> AssignUpload::Finish() {
  if (tensor_ == nullptr) {
    return absl::InvalidArgumentError("an assign without any message");
  }
  if (received_ != tensor_->bytes().size()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the value of variable ", name_, " of shape ",
        tensor_->shape().ToString(), " has ", tensor_->bytes().size(),
        " bytes, but ", received_, " were sent"));
  }
  RETURN_IF_ERROR(CheckElements(tensor_->dtype(), tensor_->bytes()));
  if (kind_ == AssignKind::kAssign) {
    return AssignMutation{container_, name_, std::move(tensor_),
                          expected_version_, validate_shape_};
  }
  return UpdateMutation{
      container_, name_,
      kind_ == AssignKind::kAdd ? UpdateOp::kAdd : UpdateOp::kSubtract,
      std::move(tensor_), expected_version_};
}

}  // namespace varkeep
