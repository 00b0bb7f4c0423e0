// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_CLIENT_RETRY_POLICY_H_
#define VARKEEP_CLIENT_RETRY_POLICY_H_

#include <optional>

#include "absl/random/random.h"
#include "absl/status/status.h"
#include "absl/time/time.h"

namespace varkeep::client {

// How long and how often a call is repeated while the server cannot be reached.
//
// Every call of the client may be repeated: reads and waits change nothing; a
// mutation is sent again with the same request id, which the server applies
// once; a declaration is repeated in a new session that replays the earlier
// ones. Saves are sent once.
struct RetryPolicy {
  // Of a call with all its repetitions. A transfer of a tensor may take longer:
  // it is given up when nothing has moved for this long.
  absl::Duration timeout = absl::Seconds(60);
  // The pause before the first repetition; it grows by half each time, and each
  // is drawn from +-25% so that many workers do not come back at once.
  absl::Duration first_pause = absl::Milliseconds(50);
  absl::Duration longest_pause = absl::Seconds(2);
  // False: no call is repeated.
  bool repeat = true;
};

// True when the server was not reached, or was lost on the way: UNAVAILABLE, or
// a cancellation that nobody asked for, which is what calls get when a server
// shuts down.
bool MayRepeat(const absl::Status& status);

// True for ABORTED "Session <id> is not found.".
bool IsSessionLost(const absl::Status& status);

// Counts down one call. One thread only.
class Backoff {
 public:
  // `timeout` instead of the policy's.
  Backoff(const RetryPolicy& policy, absl::Duration timeout);
  explicit Backoff(const RetryPolicy& policy)
      : Backoff(policy, policy.timeout) {}

  // Time that is left, > 0.
  absl::Duration remaining() const;

  // After a failed attempt: how long to pause before another; nullopt when
  // there is no time, or no wish, for one.
  std::optional<absl::Duration> PauseBeforeRepeat();

 private:
  const RetryPolicy policy_;
  const absl::Time deadline_;
  absl::Duration pause_;
  absl::BitGen random_;
};

}  // namespace varkeep::client

#endif  // VARKEEP_CLIENT_RETRY_POLICY_H_
