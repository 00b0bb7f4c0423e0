// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TESTS_CRASH_VERDICT_H_
#define VARKEEP_TESTS_CRASH_VERDICT_H_

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"

namespace varkeep {

// What a crash loop found wrong. Thread-safe.
class Verdict {
 public:
  enum Kind {
    kLost,          // an acknowledged change is not there
    kDuplicated,    // a change happened more often than it was asked for
    kTorn,          // a value that nobody wrote, or half of a change
    kFailedStart,   // a server did not start
    kBadDirectory,  // a checkpoint is damaged or missing, or litter stays
    kWrongAnswer,   // anything else
  };

  void Violate(Kind kind, std::string what) {
    MutexLock lock(&mutex_);
    ++counts_[kind];
    if (first_.size() < 20) first_.push_back(std::move(what));
  }
  int64_t count(Kind kind) const {
    MutexLock lock(&mutex_);
    return counts_[kind];
  }
  // Descriptions of the first violations.
  std::vector<std::string> first() const {
    MutexLock lock(&mutex_);
    return first_;
  }

 private:
  mutable Mutex mutex_;
  std::array<int64_t, 6> counts_ ABSL_GUARDED_BY(mutex_) = {};
  std::vector<std::string> first_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace varkeep

#endif  // VARKEEP_TESTS_CRASH_VERDICT_H_
