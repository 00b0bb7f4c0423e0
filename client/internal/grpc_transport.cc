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
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/mutex.h"
#include "client/internal/transport.h"
#include "proto/grpc_status.h"

namespace varkeep::client {
namespace {

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

// An operation of gRPC under way: its address is the tag to start it with. It
// lives until CallQueue::Wait returned true for it.
struct Operation {
  bool done = false;
  bool ok = false;
};

// Completion queues that no call uses now: making one takes longer than a small
// call does otherwise. Thread-safe.
class IdleQueues {
 public:
  IdleQueues() = default;
  // REQUIRES: all were given back.
  ~IdleQueues();
  IdleQueues(const IdleQueues&) = delete;
  IdleQueues& operator=(const IdleQueues&) = delete;

  std::unique_ptr<grpc::CompletionQueue> Take();
  void GiveBack(std::unique_ptr<grpc::CompletionQueue> queue);

 private:
  Mutex mutex_;
  std::vector<std::unique_ptr<grpc::CompletionQueue>> queues_
      ABSL_GUARDED_BY(mutex_);
};

// The completion queue of one call. Each has its own: an operation that is done
// at once is then found by the thread that started it, and wakes no other. One
// thread only.
class CallQueue {
 public:
  // `idle` must live longer.
  explicit CallQueue(IdleQueues* idle) : idle_(idle), queue_(idle->Take()) {}
  // REQUIRES: nothing is under way.
  ~CallQueue() { idle_->GiveBack(std::move(queue_)); }
  CallQueue(const CallQueue&) = delete;
  CallQueue& operator=(const CallQueue&) = delete;

  grpc::CompletionQueue* get() { return queue_.get(); }

  // True when the operation is done, which may then be started again; false
  // when it is not by the deadline.
  bool Wait(Operation* operation, absl::Time deadline);

 private:
  IdleQueues* const idle_;
  std::unique_ptr<grpc::CompletionQueue> queue_;
};

IdleQueues::~IdleQueues() {
  for (const auto& queue : queues_) {
    queue->Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue->Next(&tag, &ok)) {
    }
  }
}

std::unique_ptr<grpc::CompletionQueue> IdleQueues::Take() {
  {
    MutexLock lock(&mutex_);
    if (!queues_.empty()) {
      auto queue = std::move(queues_.back());
      queues_.pop_back();
      return queue;
    }
  }
  return std::make_unique<grpc::CompletionQueue>();
}

void IdleQueues::GiveBack(std::unique_ptr<grpc::CompletionQueue> queue) {
  MutexLock lock(&mutex_);
  queues_.push_back(std::move(queue));
}

bool CallQueue::Wait(Operation* operation, absl::Time deadline) {
  while (!operation->done) {
    void* tag = nullptr;
    bool ok = false;
    if (queue_->AsyncNext(&tag, &ok, absl::ToChronoTime(deadline)) !=
        grpc::CompletionQueue::GOT_EVENT) {
      return false;
    }
    *static_cast<Operation*>(tag) = {.done = true, .ok = ok};
  }
  operation->done = false;
  return true;
}

absl::Time Deadline(absl::Duration timeout) {
  return timeout == absl::InfiniteDuration() ? absl::InfiniteFuture()
                                             : absl::Now() + timeout;
}

absl::Status NothingTransferred(absl::Duration idle_timeout) {
  return absl::DeadlineExceededError(absl::StrCat(
      "nothing was transferred for ", absl::FormatDuration(idle_timeout)));
}

// A streaming call. Its operations are started and waited for by one thread.
class StreamingCall {
 public:
  StreamingCall(grpc::GenericStub* stub, const std::string& method,
                IdleQueues* idle_queues, absl::Duration idle_timeout)
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
    if (!queue_.Wait(operation, Deadline(idle_timeout_))) {
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
    return SendOne(&context, method, Encode(request), absl::InfiniteDuration(),
                   response);
  }

  absl::Status Download(const std::string& method,
                        const google::protobuf::MessageLite& request,
                        absl::Duration idle_timeout, Accept accept) override {
    StreamingCall call(&stub_, method, &idle_queues_, idle_timeout);
    Operation written;
    call.StartWrite(Encode(request), /*last=*/true, &written);
    absl::Status accepted = ReadAll(&call, accept);
    call.Wait(&written);
    absl::Status status = call.Finish();
    return accepted.ok() ? status : accepted;
  }

  absl::Status Upload(const std::string& method,
                      std::shared_ptr<const void> owner, NextPart next,
                      google::protobuf::MessageLite* response,
                      absl::Duration idle_timeout) override {
    UploadPart part = next();
    if (part.last) {
      grpc::ClientContext context;
      return SendOne(&context, method, Encode(std::move(part), owner),
                     idle_timeout, response);
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
  // One message there and one back, in as few operations as gRPC has for it: on
  // the wire a stream of one message is the same.
  absl::Status SendOne(grpc::ClientContext* context, const std::string& method,
                       const grpc::ByteBuffer& message,
                       absl::Duration idle_timeout,
                       google::protobuf::MessageLite* response) {
    grpc::ByteBuffer answer;
    grpc::Status status;
    Operation finished;
    CallQueue queue(&idle_queues_);
    auto call = stub_.PrepareUnaryCall(context, method, message, queue.get());
    call->StartCall();
    call->Finish(&answer, &status, &finished);
    if (!queue.Wait(&finished, Deadline(idle_timeout))) {
      context->TryCancel();
      queue.Wait(&finished, absl::InfiniteFuture());
      if (!status.ok()) return NothingTransferred(idle_timeout);
    }
    if (!status.ok()) return FromGrpc(status);
    return Decode(&answer, response);
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
  IdleQueues idle_queues_;
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
