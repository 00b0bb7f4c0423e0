// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TESTS_TESTING_FAKE_CLOCK_H_
#define VARKEEP_TESTS_TESTING_FAKE_CLOCK_H_

#include "base/clock.h"
#include "base/mutex.h"

namespace varkeep {

// A clock that moves only when a test says so. Thread-safe.
class FakeClock : public Clock {
 public:
  absl::Time Now() override {
    MutexLock lock(&mutex_);
    return now_;
  }
  // Looks again and again: nobody tells it that the time has come.
  void WaitUntil(absl::Time /*time*/, CondVar* condition, Mutex* mutex) override
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    condition->WaitFor(mutex, 1e-4);
  }
  void Advance(absl::Duration duration) {
    MutexLock lock(&mutex_);
    now_ += duration;
  }

 private:
  Mutex mutex_;
  absl::Time now_ ABSL_GUARDED_BY(mutex_) = absl::FromUnixSeconds(1000000);
};

}  // namespace varkeep

#endif  // VARKEEP_TESTS_TESTING_FAKE_CLOCK_H_
