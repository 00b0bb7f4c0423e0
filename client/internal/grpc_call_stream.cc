// SPDX-License-Identifier: Apache-2.0
#include "client/internal/grpc_call_stream.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <grpcpp/support/proto_buffer_reader.h>

#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "proto/grpc_status.h"
#include "varkeep/v1/call_service.pb.h"

namespace varkeep::client {
namespace {

using google::protobuf::io::CodedInputStream;
using google::protobuf::io::CodedOutputStream;
using Request = v1::CallRequest;
using Response = v1::CallResponse;

constexpr uint32_t kLengthDelimited = 2;

constexpr uint32_t kPreparedTag = Response::kPreparedFieldNumber << 3;

absl::Status Malformed() {
  return absl::InternalError("the server's answer cannot be decoded");
}

absl::Status ErrorIn(google::protobuf::io::ZeroCopyInputStream* encoded) {
  v1::CallError error;
  if (!error.ParseFromZeroCopyStream(encoded) || error.code() == 0) {
    return Malformed();
  }
  return FromGrpc(grpc::Status(static_cast<grpc::StatusCode>(error.code()),
                               error.message()));
}

}  // namespace

int CallStream::FieldOf(const std::string& method) {
  static const auto& fields = *new std::map<absl::string_view, int>{
      {"ReadValue", Request::kReadValueFieldNumber},
      {"Gather", Request::kGatherFieldNumber},
      {"Assign", Request::kAssignFieldNumber},
      {"AssignAdd", Request::kAssignAddFieldNumber},
      {"AssignSub", Request::kAssignSubFieldNumber},
      {"Transaction", Request::kTransactionFieldNumber}};
  absl::string_view name = method;
  if (!absl::ConsumePrefix(&name, "/varkeep.v1.VariableService/")) return 0;
  const auto found = fields.find(name);
  return found == fields.end() ? 0 : found->second;
}

std::string CallStream::Head(int field, size_t bytes) {
  uint8_t head[16];
  uint8_t* end = CodedOutputStream::WriteTagToArray(
      (static_cast<uint32_t>(field) << 3) | kLengthDelimited, head);
  end = CodedOutputStream::WriteVarint64ToArray(bytes, end);
  return {head, end};
}

CallStream::CallStream(grpc::GenericStub* stub, Idle<Queue>* idle_queues)
    : queue_(idle_queues) {
  // The stream begins with its first message: one packet, not two.
  context_.set_initial_metadata_corked(true);
  stream_ = stub->PrepareCall(&context_, "/varkeep.v1.CallService/Calls",
                              queue_.get());
  stream_->StartCall(nullptr);
  stream_->Read(&answer_, &read_);
}

CallStream::~CallStream() {
  if (!open_) return;
  context_.TryCancel();
  queue_.Wait(&read_, absl::InfiniteFuture());
  Finish().IgnoreError();
}

bool CallStream::IsStillOpen() {
  if (open_ && queue_.IsDone(&read_)) Finish().IgnoreError();
  return open_;
}

absl::Status CallStream::Call(const grpc::ByteBuffer& request,
                              Transport::Accept accept, absl::Duration timeout,
                              bool quick) {
  bool prepared = false;
  return CallWith(
      request, [&](int, auto* content) { return accept(content); }, timeout,
      quick, &prepared);
}

absl::Status CallStream::ReadValues(const std::string& request,
                                    TensorReceiver* receiver,
                                    absl::Duration timeout, bool quick) {
  const bool again = prepared_ == request;
  if (!again) prepared_.reset();
  grpc::Slice message(
      again ? Head(Request::kReadAgainFieldNumber, 0)
            : Head(Request::kReadValuesFieldNumber, request.size()) + request);
  bool same_types = false;
  bool prepared = false;
  absl::Status status = CallWith(
      grpc::ByteBuffer(&message, 1),
      [&](int field, auto* content) {
        same_types = again && field == Response::kAgainFieldNumber;
        return same_types ? receiver->AcceptAgain(content, types_)
                          : receiver->Accept(content);
      },
      timeout, quick, &prepared);
  if (!status.ok() || !(prepared || same_types)) {
    prepared_.reset();
  } else if (!same_types) {
    if (!again) prepared_ = request;
    types_ = receiver->Types();
  }
  return status;
}

absl::Status CallStream::CallWith(const grpc::ByteBuffer& request,
                                  AcceptField accept, absl::Duration timeout,
                                  bool quick, bool* prepared) {
  Operation written;
  stream_->Write(request, &written);
  const absl::Time deadline = DeadlineAfter(timeout);
  const bool in_time = quick ? queue_.WaitAwake(&read_, deadline)
                             : queue_.Wait(&read_, deadline);
  if (!in_time) {
    context_.TryCancel();
    queue_.Wait(&read_, absl::InfiniteFuture());
  }
  queue_.Wait(&written, absl::InfiniteFuture());
  if (read_.ok) {
    absl::Status status = Accept(accept, prepared);
    stream_->Read(&answer_, &read_);
    return status;
  }
  absl::Status status = Finish();
  if (!in_time) {
    return absl::DeadlineExceededError(absl::StrCat(
        "nothing was transferred for ", absl::FormatDuration(timeout)));
  }
  return status.ok() ? absl::UnavailableError("the server ended the stream")
                     : status;
}

absl::Status CallStream::Accept(AcceptField accept, bool* prepared) {
  grpc::ByteBuffer answer;
  answer.Swap(&answer_);
  grpc::ProtoBufferReader reader(&answer);
  RETURN_IF_ERROR(FromGrpc(reader.status()));
  uint32_t tag = 0;
  uint32_t bytes = 0;
  {
    CodedInputStream input(&reader);
    tag = input.ReadTag();
    if (tag == 0 || !input.ReadVarint32(&bytes)) return Malformed();
  }
  const int field = static_cast<int>(tag >> 3);
  {
    google::protobuf::io::LimitingInputStream content(&reader, bytes);
    if (field == Response::kErrorFieldNumber) return ErrorIn(&content);
    RETURN_IF_ERROR(accept(field, &content));
  }
  CodedInputStream input(&reader);
  uint64_t flag = 0;
  *prepared =
      input.ReadTag() == kPreparedTag && input.ReadVarint64(&flag) && flag != 0;
  return absl::OkStatus();
}

absl::Status CallStream::Finish() {
  open_ = false;
  grpc::Status status;
  Operation finished;
  stream_->Finish(&status, &finished);
  queue_.Wait(&finished, absl::InfiniteFuture());
  return FromGrpc(status);
}

}  // namespace varkeep::client
