// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_VARIABLES_STORE_VARIABLE_H_
#define VARKEEP_SERVER_VARIABLES_STORE_VARIABLE_H_

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "server/variables/variable_store.h"

namespace varkeep {

// Holds the writer mutexes of some variables, taken by address: two callers
// never wait for each other, and nothing of a variable is read before it is
// held.
class VariableStore::Writers {
 public:
  explicit Writers(std::vector<VariablePtr> variables)
      : variables_(std::move(variables)) {
    std::ranges::sort(variables_);
    variables_.erase(std::unique(variables_.begin(), variables_.end()),
                     variables_.end());
    Lock();
  }
  ~Writers() { Unlock(); }
  Writers(const Writers&) = delete;
  Writers& operator=(const Writers&) = delete;

 private:
  // The analysis cannot follow a list of mutexes.
  void Lock() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    for (const VariablePtr& variable : variables_) variable->writer.Lock();
  }
  void Unlock() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    for (const VariablePtr& variable : variables_) variable->writer.Unlock();
  }

  std::vector<VariablePtr> variables_;
};

// Memory for values that do not exist yet, so that changes under way cannot
// exceed the limit together.
class VariableStore::Reservation {
 public:
  Reservation(VariableStore* store, const StoreLimits& limits)
      : store_(store), limit_(limits.memory_limit_bytes) {}
  ~Reservation() {
    if (bytes_ == 0) return;
    MutexLock lock(&store_->mutex_);
    Release();
  }
  Reservation(const Reservation&) = delete;
  Reservation& operator=(const Reservation&) = delete;

  // RESOURCE_EXHAUSTED when the limit does not allow `bytes` more; nothing is
  // taken for a value that shrinks. REQUIRES: the store's mutex, taken once.
  absl::Status Take(int64_t bytes);
  // When the values are there, under the store's mutex.
  void Release() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    store_->reserved_bytes_ -= std::exchange(bytes_, 0);
  }

 private:
  VariableStore* const store_;
  const int64_t limit_;  // 0: none
  int64_t bytes_ = 0;
};

inline int64_t BytesOf(const TensorRef& value) {
  return value == nullptr ? 0 : value->size_bytes();
}

// Values are handed out as const and changed only while nobody holds them, so
// the store keeps them as it got them.
inline std::shared_ptr<Tensor> Adopt(TensorRef value) {
  return std::const_pointer_cast<Tensor>(std::move(value));
}

}  // namespace varkeep

#endif  // VARKEEP_SERVER_VARIABLES_STORE_VARIABLE_H_
