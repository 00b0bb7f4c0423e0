// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_BASE_CLOCK_H_
#define VARKEEP_BASE_CLOCK_H_

#include "absl/time/time.h"
#include "base/mutex.h"

namespace varkeep {

// Where time comes from, so that tests can move it. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual absl::Time Now() = 0;

  // Waits for `condition`, no longer than until it is `time`; may return before
  // either: wait in a loop.
  virtual void WaitUntil(absl::Time time, CondVar* condition, Mutex* mutex)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);

  // The system's clock, which somebody may set: for times that are kept or
  // shown. Lives for ever.
  static Clock* Real();
  // Shows the system's time when the process first asks, and from then on what
  // passes, whatever is set: for leases, intervals and deadlines. Lives for
  // ever.
  static Clock* Steady();
};

}  // namespace varkeep

#endif  // VARKEEP_BASE_CLOCK_H_
