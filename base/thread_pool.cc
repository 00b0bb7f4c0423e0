// SPDX-License-Identifier: Apache-2.0
#include "base/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>

namespace varkeep {
namespace {

// Shared by the caller of ParallelFor and its helpers. Helpers that start late
// find no index left and only drop their reference.
struct Loop {
  std::atomic<int64_t> next{0};
  int64_t count = 0;
  const std::function<void(int64_t)>* body = nullptr;
  Mutex mutex;
  CondVar finished;  // notified when done reaches count; the caller waits
  int64_t done ABSL_GUARDED_BY(mutex) = 0;

  void Work() {
    int64_t ran = 0;
    for (int64_t i = next.fetch_add(1); i < count; i = next.fetch_add(1)) {
      (*body)(i);
      ++ran;
    }
    if (ran == 0) return;
    MutexLock lock(&mutex);
    done += ran;
    if (done == count) finished.NotifyAll();
  }
};

}  // namespace

ThreadPool::ThreadPool(int threads) {
  for (int i = 0; i < std::max(threads, 1); ++i) {
    threads_.emplace_back([this] { Run(); });
  }
}

ThreadPool::~ThreadPool() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
  }
  changed_.NotifyAll();
  for (std::thread& thread : threads_) thread.join();
}

void ThreadPool::Schedule(std::function<void()> work) {
  {
    MutexLock lock(&mutex_);
    queue_.push_back(std::move(work));
  }
  changed_.NotifyOne();
}

void ThreadPool::ParallelFor(int64_t count,
                             const std::function<void(int64_t)>& body) {
  if (count <= 0) return;
  auto loop = std::make_shared<Loop>();
  loop->count = count;
  loop->body = &body;
  const int64_t helpers = std::min<int64_t>(count - 1, size());
  for (int64_t i = 0; i < helpers; ++i) {
    Schedule([loop] { loop->Work(); });
  }
  loop->Work();
  MutexLock lock(&loop->mutex);
  while (loop->done < count) loop->finished.Wait(&loop->mutex);
}

void ThreadPool::Run() {
  for (;;) {
    std::function<void()> work;
    {
      MutexLock lock(&mutex_);
      while (queue_.empty() && !stopping_) changed_.Wait(&mutex_);
      if (queue_.empty()) return;
      work = std::move(queue_.front());
      queue_.pop_front();
    }
    work();
  }
}

}  // namespace varkeep
