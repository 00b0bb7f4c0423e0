// SPDX-License-Identifier: Apache-2.0
//
// Calls by name with raw messages (grpc::GenericStub) instead of the generated
// stubs: tensors go from and to their memory without passing through a
// protobuf message.
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/support/proto_buffer_reader.h>

#include <climits>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/internal/grpc_call_stream.h"
#include "client/internal/grpc_queue.h"
#include "client/internal/transport.h"
#include "proto/grpc_lifetime.h"
#include "proto/grpc_status.h"

namespace varkeep::client {
namespace {

// An answer of no more bytes fits into one message.
constexpr int64_t kMostOnStream = 63 * 65536;
// Calls of no more bytes take about as long as being woken does.
constexpr int64_t kQuick = 64 << 10;

grpc::ByteBuffer AsBuffer(const std::string& message) {
  grpc::Slice slice(message);
  return grpc::ByteBuffer(&slice, 1);
}

grpc::ByteBuffer Encode(const google::protobuf::MessageLite& message) {
  return AsBuffer(message.SerializeAsString());
}

absl::Status Malformed() {
  return absl::InternalError("the server's answer cannot be decoded");
}

absl::Status Decode(grpc::ByteBuffer* buffer,
                    google::protobuf::MessageLite* message) {
  grpc::ProtoBufferReader reader(buffer);
  if (reader.status().ok() && message->ParseFromZeroCopyStream(&reader)) {
    return absl::OkStatus();
  }
  return Malformed();
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

absl::Status NothingTransferred(absl::Duration idle_timeout) {
  return absl::DeadlineExceededError(absl::StrCat(
      "nothing was transferred for ", absl::FormatDuration(idle_timeout)));
}

// A streaming call. Its operations are started and waited for by one thread.
class StreamingCall {
 public:
  StreamingCall(grpc::GenericStub* stub, const std::string& method,
                Idle<Queue>* idle_queues, absl::Duration idle_timeout)
      : queue_(idle_queues), idle_timeout_(idle_timeout) {
    // The call begins with its first message: one packet, not two.
    context_.set_initial_metadata_corked(true);
    stream_ = stub->PrepareCall(&context_, method, queue_.get());
    stream_->StartCall(nullptr);
  }

  void StartWrite(const grpc::ByteBuffer& message, bool last,
                  Operation* written) {
    grpc::WriteOptions options;
    if (last) options.set_last_message();
    stream_->Write(message, options, written);
  }
  void StartRead(grpc::ByteBuffer* message, Operation* read) {
    stream_->Read(message, read);
  }

  // False: the operation failed, and the call's status says why. Cancels the
  // call when nothing happens for long.
  bool Wait(Operation* operation) {
    if (!queue_.Wait(operation, DeadlineAfter(idle_timeout_))) {
      timed_out_ = true;
      context_.TryCancel();
      queue_.Wait(operation, absl::InfiniteFuture());
    }
    return operation->ok;
  }

  void Cancel() { context_.TryCancel(); }

  // The status of the call. Nothing may be under way.
  absl::Status Finish() {
    grpc::Status status;
    Operation finished;
    stream_->Finish(&status, &finished);
    Wait(&finished);
    if (timed_out_ && !status.ok()) return NothingTransferred(idle_timeout_);
    return FromGrpc(status);
  }

 private:
  CallQueue queue_;
  const absl::Duration idle_timeout_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream_;
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
    grpc::ByteBuffer answer;
    grpc::Status status;
    Operation finished;
    CallQueue queue(&idle_queues_);
    auto call =
        stub_.PrepareUnaryCall(&context, method, Encode(request), queue.get());
    call->StartCall();
    call->Finish(&answer, &status, &finished);
    queue.WaitAwake(&finished, absl::InfiniteFuture());
    return status.ok() ? Decode(&answer, response) : FromGrpc(status);
  }

  absl::Status Download(const std::string& method,
                        const google::protobuf::MessageLite& request,
                        absl::Duration idle_timeout, Accept accept,
                        int64_t bytes) override {
    const int field = bytes <= kMostOnStream ? CallStream::FieldOf(method) : 0;
    if (field != 0) {
      UploadPart part{.head = request.SerializeAsString(), .body = {}};
      absl::Status status = CallOnStream(field, std::move(part), nullptr,
                                         accept, idle_timeout, bytes <= kQuick);
      if (!absl::IsOutOfRange(status)) return status;  // it was small
    }
    return DownloadAlone(method, Encode(request), idle_timeout, accept);
  }

  absl::Status ReadValues(const std::string& request,
                          absl::Duration idle_timeout, TensorReceiver* receiver,
                          int64_t bytes) override {
    if (bytes <= kMostOnStream) {
      std::unique_ptr<CallStream> stream = TakeStream();
      absl::Status status =
          stream->ReadValues(request, receiver, idle_timeout, bytes <= kQuick);
      GiveBack(std::move(stream));
      if (!absl::IsOutOfRange(status)) return status;
    }
    return DownloadAlone(
        "/varkeep.v1.VariableService/ReadValues", AsBuffer(request),
        idle_timeout, [&](auto* message) { return receiver->Accept(message); });
  }

  absl::Status Upload(const std::string& method,
                      std::shared_ptr<const void> owner, NextPart next,
                      google::protobuf::MessageLite* response,
                      absl::Duration idle_timeout) override {
    UploadPart part = next();
    const int field = part.last ? CallStream::FieldOf(method) : 0;
    if (field != 0) {
      const bool quick = part.body.size() <= kQuick;
      return CallOnStream(
          field, std::move(part), owner,
          [&](auto* answer) {
            return response->ParseFromZeroCopyStream(answer) ? absl::OkStatus()
                                                             : Malformed();
          },
          idle_timeout, quick);
    }
    StreamingCall call(&stub_, method, &idle_queues_, idle_timeout);
    for (bool last = false; !last;) {
      last = part.last;
      Operation written;
      call.StartWrite(Encode(std::move(part), owner), last, &written);
      if (!call.Wait(&written)) return call.Finish();
      if (!last) part = next();
    }
    grpc::ByteBuffer answer;
    Operation read;
    call.StartRead(&answer, &read);
    const bool answered = call.Wait(&read);
    absl::Status status = call.Finish();
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
  std::unique_ptr<CallStream> TakeStream() {
    std::unique_ptr<CallStream> stream = idle_streams_.Take();
    while (stream != nullptr && !stream->IsStillOpen()) {
      stream = idle_streams_.Take();
    }
    if (stream == nullptr) {
      stream = std::make_unique<CallStream>(&stub_, &idle_queues_);
    }
    return stream;
  }
  void GiveBack(std::unique_ptr<CallStream> stream) {
    if (stream->open()) idle_streams_.GiveBack(std::move(stream));
  }

  absl::Status CallOnStream(int field, UploadPart part,
                            const std::shared_ptr<const void>& owner,
                            Accept accept, absl::Duration timeout, bool quick) {
    std::unique_ptr<CallStream> stream = TakeStream();
    part.head.insert(
        0, CallStream::Head(field, part.head.size() + part.body.size()));
    absl::Status status =
        stream->Call(Encode(std::move(part), owner), accept, timeout, quick);
    GiveBack(std::move(stream));
    return status;
  }

  absl::Status DownloadAlone(const std::string& method,
                             const grpc::ByteBuffer& request,
                             absl::Duration idle_timeout, Accept accept) {
    StreamingCall call(&stub_, method, &idle_queues_, idle_timeout);
    Operation written;
    call.StartWrite(request, /*last=*/true, &written);
    absl::Status accepted = ReadAll(&call, accept);
    call.Wait(&written);
    absl::Status status = call.Finish();
    return accepted.ok() ? status : accepted;
  }

  // Reads to the end; the next message is on its way while one is accepted.
  static absl::Status ReadAll(StreamingCall* call, Accept accept) {
    grpc::ByteBuffer buffers[2];
    Operation read;
    absl::Status status;
    call->StartRead(&buffers[0], &read);
    for (int current = 0; call->Wait(&read); current = 1 - current) {
      grpc::ByteBuffer& arrived = buffers[current];
      buffers[1 - current].Clear();
      call->StartRead(&buffers[1 - current], &read);
      if (!status.ok()) continue;  // reading what is left after cancelling
      grpc::ProtoBufferReader reader(&arrived);
      status = FromGrpc(reader.status());
      if (status.ok()) status = accept(&reader);
      if (!status.ok()) call->Cancel();
    }
    return status;
  }

  const std::shared_ptr<grpc::Channel> channel_;
  grpc::GenericStub stub_;
  Idle<Queue> idle_queues_;
  Idle<CallStream> idle_streams_;
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
  KeepGrpcRunning();
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
