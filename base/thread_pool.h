// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_BASE_THREAD_POOL_H_
#define VARKEEP_BASE_THREAD_POOL_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "base/mutex.h"

namespace varkeep {

// A fixed number of threads and a queue of work. Thread-safe. The destructor
// runs what is queued, then joins.
class ThreadPool {
 public:
  // threads >= 1.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const { return static_cast<int>(threads_.size()); }

  // Runs `work` on one of the threads, later.
  void Schedule(std::function<void()> work);

  // Runs body(0) ... body(count - 1), each once, in no order, on the pool and
  // on the calling thread; returns when all are done. May be called from a
  // thread of this pool.
  void ParallelFor(int64_t count, const std::function<void(int64_t)>& body);

 private:
  void Run();

  Mutex mutex_;
  // Notified when queue_ grows or stopping_ is set; the threads wait.
  CondVar changed_;
  std::deque<std::function<void()>> queue_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;  // constant after construction
};

}  // namespace varkeep

#endif  // VARKEEP_BASE_THREAD_POOL_H_
