// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_SERVICE_REACTORS_H_
#define VARKEEP_SERVER_SERVICE_REACTORS_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <functional>
#include <utility>

#include "absl/status/status.h"
#include "base/thread_pool.h"
#include "proto/grpc_status.h"

namespace varkeep {

// Answers a unary call at once with what `work`, an absl::Status(), says.
template <typename Work>
grpc::ServerUnaryReactor* Answer(grpc::CallbackServerContext* context,
                                 Work&& work) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(ToGrpc(work()));
  return reactor;
}

// The same on a thread of `pool`, or at once when it is null. `work` is kept:
// it must not refer to the caller's locals.
template <typename Work>
grpc::ServerUnaryReactor* AnswerOn(ThreadPool* pool,
                                   grpc::CallbackServerContext* context,
                                   Work work) {
  if (pool == nullptr) return Answer(context, work);
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  pool->Schedule([reactor, work] { reactor->Finish(ToGrpc(work())); });
  return reactor;
}

// What a stream gave: a message with others behind it perhaps, the last one, or
// none because all were given.
enum class Given { kMessage, kLastMessage, kNothing };

// Streams messages to the client: `next` fills one. The last one travels with
// the end of the call where `next` knows it. gRPC's flow control paces it; a
// slow reader costs what `next` holds and no thread. Deletes itself.
template <typename Message>
class Streamer : public grpc::ServerWriteReactor<Message> {
 public:
  explicit Streamer(std::function<Given(Message*)> next)
      : next_(std::move(next)) {
    Continue();
  }

  void OnWriteDone(bool ok) override {
    if (ok) {
      Continue();
    } else {
      this->Finish(grpc::Status::CANCELLED);
    }
  }
  void OnDone() override { delete this; }

 private:
  void Continue() {
    switch (next_(&message_)) {
      case Given::kMessage:
        return this->StartWrite(&message_);
      case Given::kLastMessage:
        return this->StartWriteAndFinish(&message_, grpc::WriteOptions(),
                                         grpc::Status::OK);
      case Given::kNothing:
        return this->Finish(grpc::Status::OK);
    }
  }

  std::function<Given(Message*)> next_;
  Message message_;
};

// Ends a stream at once with an error. Deletes itself.
template <typename Message>
class FailedStream : public grpc::ServerWriteReactor<Message> {
 public:
  explicit FailedStream(const absl::Status& status) {
    this->Finish(ToGrpc(status));
  }
  void OnDone() override { delete this; }
};

}  // namespace varkeep

#endif  // VARKEEP_SERVER_SERVICE_REACTORS_H_
