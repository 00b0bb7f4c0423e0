// SPDX-License-Identifier: Apache-2.0
#include "client/internal/call_queue.h"

#include <utility>

namespace varkeep::client {

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

}  // namespace varkeep::client
