// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_BASE_CLOCK_H_
#define VARKEEP_BASE_CLOCK_H_

#include "absl/time/time.h"

namespace varkeep {

// Where time comes from, so that tests can move it. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual absl::Time Now() = 0;

  // The system's clock; lives for ever.
  static Clock* Real();
};

}  // namespace varkeep

#endif  // VARKEEP_BASE_CLOCK_H_
