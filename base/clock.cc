// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <algorithm>
#include <chrono>

#include "absl/time/clock.h"

namespace varkeep {
namespace {

class RealClock : public Clock {
 public:
  absl::Time Now() override { return absl::Now(); }
};

class SteadyClock : public Clock {
 public:
  absl::Time Now() override {
    return first_ + absl::FromChrono(std::chrono::steady_clock::now() - begin_);
  }

 private:
  const absl::Time first_ = absl::Now();
  const std::chrono::steady_clock::time_point begin_ =
      std::chrono::steady_clock::now();
};

}  // namespace

void Clock::WaitUntil(absl::Time time, CondVar* condition, Mutex* mutex) {
  condition->WaitFor(
      mutex, absl::ToDoubleSeconds(std::min(time - Now(), absl::Hours(24))));
}

Clock* Clock::Real() {
  static RealClock clock;
  return &clock;
}

Clock* Clock::Steady() {
  static SteadyClock clock;
  return &clock;
}

}  // namespace varkeep
