// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_SERVICE_ARENA_MESSAGES_H_
#define VARKEEP_SERVER_SERVICE_ARENA_MESSAGES_H_

#include <google/protobuf/arena.h>
#include <grpcpp/support/message_allocator.h>

namespace varkeep {

// Gives each call an arena for its request and response: for messages of
// thousands of parts, which would otherwise be allocated and freed one by one,
// between what the server keeps. Thread-safe.
template <typename RequestMessage, typename ResponseMessage>
class ArenaMessages final
    : public grpc::MessageAllocator<RequestMessage, ResponseMessage> {
 public:
  using Holder = grpc::MessageHolder<RequestMessage, ResponseMessage>;

  Holder* AllocateMessages() override { return new Call; }

 private:
  class Call final : public Holder {
   public:
    Call() {
      using google::protobuf::Arena;
      this->set_request(Arena::CreateMessage<RequestMessage>(&arena_));
      this->set_response(Arena::CreateMessage<ResponseMessage>(&arena_));
    }
    void Release() override { delete this; }

   private:
    google::protobuf::Arena arena_;
  };
};

}  // namespace varkeep

#endif  // VARKEEP_SERVER_SERVICE_ARENA_MESSAGES_H_
