// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_CLIENT_INTERNAL_CALL_QUEUE_H_
#define VARKEEP_CLIENT_INTERNAL_CALL_QUEUE_H_

#include <grpcpp/completion_queue.h>

#include <memory>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "base/mutex.h"

namespace varkeep::client {

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

}  // namespace varkeep::client

#endif  // VARKEEP_CLIENT_INTERNAL_CALL_QUEUE_H_
