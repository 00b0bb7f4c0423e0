// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_CLIENT_INTERNAL_GRPC_QUEUE_H_
#define VARKEEP_CLIENT_INTERNAL_GRPC_QUEUE_H_

#include <grpcpp/completion_queue.h>

#include <memory>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "base/mutex.h"

namespace varkeep::client {

// When a call that may take this long is to end.
absl::Time DeadlineAfter(absl::Duration timeout);

// An operation of gRPC under way: its address is the tag to start it with. It
// lives until its CallQueue said that it is done.
struct Operation {
  bool done = false;
  bool ok = false;
};

// What takes long to make and nobody uses now. Thread-safe.
template <typename T>
class Idle {
 public:
  // Null when there is none.
  std::unique_ptr<T> Take() {
    MutexLock lock(&mutex_);
    if (idle_.empty()) return nullptr;
    std::unique_ptr<T> taken = std::move(idle_.back());
    idle_.pop_back();
    return taken;
  }
  void GiveBack(std::unique_ptr<T> used) {
    MutexLock lock(&mutex_);
    idle_.push_back(std::move(used));
  }

 private:
  Mutex mutex_;
  std::vector<std::unique_ptr<T>> idle_ ABSL_GUARDED_BY(mutex_);
};

// Shut down when it is destroyed. REQUIRES: nothing is under way then.
class Queue final : public grpc::CompletionQueue {
 public:
  ~Queue() override;
};

// The completion queue of one call. Each has its own: an operation that is done
// at once is then found by the thread that started it, and wakes no other. One
// thread only.
class CallQueue {
 public:
  // `idle` must live longer: making a queue takes longer than a small call does
  // otherwise.
  explicit CallQueue(Idle<Queue>* idle);
  // REQUIRES: nothing is under way.
  ~CallQueue() { idle_->GiveBack(std::move(queue_)); }
  CallQueue(const CallQueue&) = delete;
  CallQueue& operator=(const CallQueue&) = delete;

  grpc::CompletionQueue* get() { return queue_.get(); }

  // True when the operation is done, which may then be started again; false
  // when it is not by the deadline.
  bool Wait(Operation* operation, absl::Time deadline);
  // The same for what takes no longer than being woken does: stays awake for
  // the first 100 us.
  bool WaitAwake(Operation* operation, absl::Time deadline);
  // The same without waiting.
  bool IsDone(Operation* operation);

 private:
  // The next operation that is done by the deadline is marked so.
  bool Next(absl::Time deadline);

  Idle<Queue>* const idle_;
  std::unique_ptr<Queue> queue_;
};

}  // namespace varkeep::client

#endif  // VARKEEP_CLIENT_INTERNAL_GRPC_QUEUE_H_
