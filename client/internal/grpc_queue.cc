// SPDX-License-Identifier: Apache-2.0
#include "client/internal/grpc_queue.h"

#include <thread>

#include "absl/time/clock.h"

namespace varkeep::client {
namespace {

// So long a thread asks again and again whether an operation is done, before it
// sleeps: to be woken takes longer than a small call does. Meanwhile it gives
// way to every other thread that wants the processor.
constexpr absl::Duration kPoll = absl::Microseconds(100);
// Well in the past: gRPC rounds up to milliseconds.
constexpr absl::Time kAtOnce = absl::UnixEpoch();

}  // namespace

absl::Time DeadlineAfter(absl::Duration timeout) {
  return timeout == absl::InfiniteDuration() ? absl::InfiniteFuture()
                                             : absl::Now() + timeout;
}

Queue::~Queue() {
  Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (grpc::CompletionQueue::Next(&tag, &ok)) {
  }
}

CallQueue::CallQueue(Idle<Queue>* idle) : idle_(idle), queue_(idle->Take()) {
  if (queue_ == nullptr) queue_ = std::make_unique<Queue>();
}

bool CallQueue::Next(absl::Time deadline) {
  void* tag = nullptr;
  bool ok = false;
  if (queue_->AsyncNext(&tag, &ok, absl::ToChronoTime(deadline)) !=
      grpc::CompletionQueue::GOT_EVENT) {
    return false;
  }
  *static_cast<Operation*>(tag) = {.done = true, .ok = ok};
  return true;
}

bool CallQueue::Wait(Operation* operation, absl::Time deadline) {
  while (!operation->done) {
    if (!Next(deadline)) return false;
  }
  operation->done = false;
  return true;
}

bool CallQueue::WaitAwake(Operation* operation, absl::Time deadline) {
  const absl::Time start = absl::Now();
  while (!IsDone(operation)) {
    if (absl::Now() - start > kPoll) return Wait(operation, deadline);
    std::this_thread::yield();
  }
  return true;
}

bool CallQueue::IsDone(Operation* operation) {
  return Wait(operation, kAtOnce);
}

}  // namespace varkeep::client
