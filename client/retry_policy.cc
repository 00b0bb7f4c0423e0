// SPDX-License-Identifier: Apache-2.0
#include "client/retry_policy.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "base/clock.h"

namespace varkeep::client {

bool MayRepeat(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsCancelled(status);
}

bool IsSessionLost(const absl::Status& status) {
  return absl::IsAborted(status) &&
         absl::StartsWith(status.message(), "Session ") &&
         absl::StrContains(status.message(), " is not found");
}

Backoff::Backoff(const RetryPolicy& policy, absl::Duration timeout)
    : policy_(policy),
      deadline_(Clock::Steady()->Now() + timeout),
      pause_(policy.first_pause) {}

absl::Duration Backoff::remaining() const {
  return std::max(deadline_ - Clock::Steady()->Now(), absl::Milliseconds(1));
}

std::optional<absl::Duration> Backoff::PauseBeforeRepeat() {
  if (!policy_.repeat) return std::nullopt;
  absl::Duration pause = pause_ * absl::Uniform(random_, 0.75, 1.25);
  pause_ = std::min(pause_ * 1.5, policy_.longest_pause);
  if (Clock::Steady()->Now() + pause >= deadline_) return std::nullopt;
  return pause;
}

}  // namespace varkeep::client
