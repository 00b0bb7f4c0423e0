// SPDX-License-Identifier: Apache-2.0
//
// Calls by name with raw messages (grpc::GenericStub) instead of the generated
// stubs: tensors go from and to their memory without passing through a
// protobuf message, and this stays the one file that pays for gRPC's headers.
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/support/proto_buffer_reader.h>

#include <climits>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/internal/transport.h"
#include "proto/grpc_status.h"

namespace varkeep::client {
namespace {

using Stream = grpc::GenericClientAsyncReaderWriter;

grpc::ByteBuffer Encode(const google::protobuf::MessageLite& message) {
  grpc::Slice slice(message.SerializeAsString());
  return grpc::ByteBuffer(&slice, 1);
}

absl::Status Decode(grpc::ByteBuffer* buffer,
                    google::protobuf::MessageLite* message) {
  grpc::ProtoBufferReader reader(buffer);
  if (reader.status().ok() && message->ParseFromZeroCopyStream(&reader)) {
    return absl::OkStatus();
  }
  return absl::InternalError("the server's answer cannot be decoded");
}

// The slice keeps a reference to the owner: gRPC may hold it for longer than
// the call.
grpc::Slice Borrow(std::span<const std::byte> bytes,
                   const std::shared_ptr<const void>& owner) {
  using Owner = std::shared_ptr<const void>;
  return {const_cast<std::byte*>(bytes.data()), bytes.size(),
          [](void* held) { delete static_cast<Owner*>(held); },
          new Owner(owner)};
}

grpc::ByteBuffer Encode(UploadPart part,
                        const std::shared_ptr<const void>& owner) {
  std::vector<grpc::Slice> slices;
  slices.emplace_back(std::move(part.head));
  if (!part.body.empty()) slices.push_back(Borrow(part.body, owner));
  return grpc::ByteBuffer(slices.data(), slices.size());
}

// The completion queue of one call, one operation at a time.
class CallQueue {
 public:
  explicit CallQueue(grpc::ClientContext* context, absl::Duration idle_timeout)
      : context_(context), idle_timeout_(idle_timeout) {}
  ~CallQueue() {
    queue_.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) {
    }
  }
  CallQueue(const CallQueue&) = delete;
  CallQueue& operator=(const CallQueue&) = delete;

  grpc::CompletionQueue* get() { return &queue_; }

  // Waits for the operation that was started last. False: it failed, and the
  // call's status says why. Cancels the call when nothing happens for long.
  bool Wait() {
    void* tag = nullptr;
    bool ok = false;
    if (idle_timeout_ == absl::InfiniteDuration()) {
      return queue_.Next(&tag, &ok) && ok;
    }
    auto deadline = absl::ToChronoTime(absl::Now() + idle_timeout_);
    if (queue_.AsyncNext(&tag, &ok, deadline) !=
        grpc::CompletionQueue::TIMEOUT) {
      return ok;
    }
    timed_out_ = true;
    context_->TryCancel();
    return queue_.Next(&tag, &ok) && ok;
  }

  // The status of a stream. Nothing may be under way.
  absl::Status Finish(Stream* stream) {
    grpc::Status status;
    stream->Finish(&status, nullptr);
    Wait();
    if (timed_out_ && !status.ok()) {
      return absl::DeadlineExceededError(absl::StrCat(
          "nothing was transferred for ", absl::FormatDuration(idle_timeout_)));
    }
    return FromGrpc(status);
  }

 private:
  grpc::ClientContext* const context_;
  const absl::Duration idle_timeout_;
  grpc::CompletionQueue queue_;
  bool timed_out_ = false;
};

class GrpcTransport : public Transport {
 public:
  explicit GrpcTransport(std::shared_ptr<grpc::Channel> channel)
      : channel_(std::move(channel)), stub_(channel_) {}

  absl::Status Unary(const std::string& method,
                     const google::protobuf::MessageLite& request,
                     google::protobuf::MessageLite* response,
                     absl::Duration timeout) override {
    grpc::ClientContext context;
    if (timeout != absl::InfiniteDuration()) {
      context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
    }
    CallQueue queue(&context, absl::InfiniteDuration());
    grpc::ByteBuffer answer;
    grpc::Status status;
    auto call =
        stub_.PrepareUnaryCall(&context, method, Encode(request), queue.get());
    call->StartCall();
    call->Finish(&answer, &status, nullptr);
    queue.Wait();
    if (!status.ok()) return FromGrpc(status);
    return Decode(&answer, response);
  }

  absl::Status Download(const std::string& method,
                        const google::protobuf::MessageLite& request,
                        absl::Duration idle_timeout, Accept accept) override {
    grpc::ClientContext context;
    CallQueue queue(&context, idle_timeout);
    auto stream = stub_.PrepareCall(&context, method, queue.get());
    stream->StartCall(nullptr);
    if (!queue.Wait()) return queue.Finish(stream.get());
    stream->WriteLast(Encode(request), grpc::WriteOptions(), nullptr);
    if (!queue.Wait()) return queue.Finish(stream.get());
    absl::Status accepted = ReadAll(stream.get(), &queue, &context, accept);
    absl::Status status = queue.Finish(stream.get());
    return accepted.ok() ? status : accepted;
  }

  absl::Status Upload(const std::string& method,
                      std::shared_ptr<const void> owner, NextPart next,
                      google::protobuf::MessageLite* response,
                      absl::Duration idle_timeout) override {
    grpc::ClientContext context;
    CallQueue queue(&context, idle_timeout);
    auto stream = stub_.PrepareCall(&context, method, queue.get());
    stream->StartCall(nullptr);
    if (!queue.Wait()) return queue.Finish(stream.get());
    for (bool last = false; !last;) {
      UploadPart part = next();
      last = part.last;
      grpc::ByteBuffer buffer = Encode(std::move(part), owner);
      grpc::WriteOptions options;
      if (last) options.set_last_message();
      stream->Write(buffer, options, nullptr);
      if (!queue.Wait()) return queue.Finish(stream.get());
    }
    grpc::ByteBuffer answer;
    stream->Read(&answer, nullptr);
    bool answered = queue.Wait();
    absl::Status status = queue.Finish(stream.get());
    if (!status.ok()) return status;
    if (!answered) return absl::InternalError("the server did not answer");
    return Decode(&answer, response);
  }

  // Sleeping is not enough: gRPC goes on connecting only while somebody waits
  // for something of it (or every five seconds).
  void Pause(absl::Duration duration) override {
    if (channel_->GetState(true) == GRPC_CHANNEL_READY) {
      absl::SleepFor(duration);
    } else {
      channel_->WaitForConnected(absl::ToChronoTime(absl::Now() + duration));
    }
  }

 private:
  // Reads to the end; the next message is on its way while one is accepted.
  static absl::Status ReadAll(Stream* stream, CallQueue* queue,
                              grpc::ClientContext* context, Accept accept) {
    grpc::ByteBuffer buffers[2];
    absl::Status status;
    stream->Read(&buffers[0], nullptr);
    for (int current = 0; queue->Wait(); current = 1 - current) {
      grpc::ByteBuffer& arrived = buffers[current];
      buffers[1 - current].Clear();
      stream->Read(&buffers[1 - current], nullptr);
      if (!status.ok()) continue;  // reading what is left after cancelling
      grpc::ProtoBufferReader reader(&arrived);
      status = FromGrpc(reader.status());
      if (status.ok()) status = accept(&reader);
      if (!status.ok()) context->TryCancel();
    }
    return status;
  }

  const std::shared_ptr<grpc::Channel> channel_;
  grpc::GenericStub stub_;
};

absl::Status CheckAddress(const std::string& address) {
  size_t colon = address.rfind(':');
  bool ok = colon != std::string::npos && colon > 0 &&
            colon + 1 < address.size() &&
            address.find_first_of(" \t\n") == std::string::npos;
  if (ok) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("'", address.substr(0, 256),
                   "' is not an address: host:port or unix:path"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Transport>> NewGrpcTransport(
    const std::string& address) {
  absl::Status status = CheckAddress(address);
  if (!status.ok()) return status;
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(INT_MAX);
  // A restarted server is found quickly.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2000);
  // A dead network is noticed during a long wait. A server closes connections
  // that ping more often than every five minutes.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 6 * 60 * 1000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20 * 1000);
  // A server is reached directly, also where an HTTP proxy is set.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return std::make_unique<GrpcTransport>(grpc::CreateCustomChannel(
      address, grpc::InsecureChannelCredentials(), arguments));
}

}  // namespace varkeep::client
