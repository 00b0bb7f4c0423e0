// SPDX-License-Identifier: Apache-2.0
#include "server/service/assign_upload.h"

#include <google/protobuf/wire_format_lite.h>

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_annotate.h"
#include "base/status_macros.h"
#include "proto/tensor_codec.h"
#include "server/service/convert.h"
#include "server/variables/names.h"
#include "server/variables/value_check.h"

namespace varkeep {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;
using google::protobuf::io::ZeroCopyInputStream;

// Length-delimited fields of AssignRequest.
constexpr uint32_t kHeaderTag =
    (v1::AssignRequest::kHeaderFieldNumber << 3) | 2;
constexpr uint32_t kDataTag = (v1::AssignRequest::kDataFieldNumber << 3) | 2;

absl::Status MalformedError() {
  return absl::InvalidArgumentError("a message is no AssignRequest");
}

absl::Status NoHeaderError() {
  return absl::InvalidArgumentError(
      "the first message of an assign does not begin with a header");
}

}  // namespace

absl::Status AssignUpload::Add(ZeroCopyInputStream* message) {
  CodedInputStream input(message);
  while (const uint32_t tag = input.ReadTag()) {
    if (tag == kHeaderTag) {
      RETURN_IF_ERROR(AddHeader(&input));
    } else if (tag == kDataTag) {
      RETURN_IF_ERROR(AddData(&input));
    } else if (!WireFormatLite::SkipField(&input, tag)) {
      return MalformedError();
    }
  }
  if (!input.ConsumedEntireMessage()) return MalformedError();
  if (tensor_ == nullptr) return NoHeaderError();
  return absl::OkStatus();
}

absl::Status AssignUpload::AddHeader(CodedInputStream* input) {
  if (tensor_ != nullptr) {
    return absl::InvalidArgumentError(
        "a later message of an assign has a header");
  }
  v1::AssignHeader header;
  if (!WireFormatLite::ReadMessage(input, &header)) return MalformedError();
  return Begin(header);
}

absl::Status AssignUpload::AddData(CodedInputStream* input) {
  if (tensor_ == nullptr) return NoHeaderError();
  uint32_t size = 0;
  if (!input->ReadVarint32(&size)) return MalformedError();
  const std::span<std::byte> rest = tensor_->mutable_bytes().subspan(received_);
  if (size > rest.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the value of variable ", name_, " of shape ",
                     tensor_->shape().ToString(), " has ",
                     tensor_->size_bytes(), " bytes, but more were sent"));
  }
  if (!input->ReadRaw(rest.data(), static_cast<int>(size))) {
    return MalformedError();
  }
  received_ += size;
  return absl::OkStatus();
}

absl::Status AssignUpload::Begin(const v1::AssignHeader& header) {
  name_ = std::string(StripOutput(header.name()));
  ASSIGN_OR_RETURN(DType dtype, DTypeFromProto(header.dtype()));
  ASSIGN_OR_RETURN(Shape shape, ShapeFromProto(header.shape()));
  std::optional<Revision> expected_version;
  if (header.has_expected_version()) {
    expected_version = header.expected_version();
  }
  const bool validate_shape =
      !header.has_validate_shape() || header.validate_shape();
  request_ = RequestFromProto(header);

  ASSIGN_OR_RETURN(VariableInfo info, store_->Find(header.container(), name_));
  if (kind_ == AssignKind::kAssign) {
    RETURN_IF_ERROR(
        CheckAssign(TypeOf(info.spec), dtype, shape, validate_shape));
  } else {
    RETURN_IF_ERROR(CheckUpdate(TypeOf(info.spec), dtype, shape));
    if (!info.initialized) return UninitializedError(name_);
  }
  expected_ = expected_version.value_or(info.version) == info.version;
  ASSIGN_OR_RETURN(int64_t bytes, SizeBytes(dtype, shape));
  if (bytes > store_->limits().max_variable_bytes) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "the value of variable ", name_, " of shape ", shape.ToString(),
        " has ", bytes, " bytes, the largest variable has ",
        store_->limits().max_variable_bytes));
  }
  RETURN_IF_ERROR(Annotate(held_.Take(bytes),
                           absl::StrCat("the value of variable ", name_,
                                        " of shape ", shape.ToString())));
  ASSIGN_OR_RETURN(tensor_, Tensor::Create(dtype, shape));
  if (kind_ == AssignKind::kAssign) {
    mutation_ = AssignMutation{header.container(), name_, tensor_,
                               expected_version, validate_shape};
  } else {
    mutation_ = UpdateMutation{
        header.container(), name_,
        kind_ == AssignKind::kAdd ? UpdateOp::kAdd : UpdateOp::kSubtract,
        tensor_, expected_version};
  }
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
  tensor_.reset();
  return *std::move(mutation_);
}

}  // namespace varkeep
