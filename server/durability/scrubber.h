// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_DURABILITY_SCRUBBER_H_
#define VARKEEP_SERVER_DURABILITY_SCRUBBER_H_

#include <map>
#include <optional>
#include <string>
#include <thread>

#include "absl/time/time.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "storage/checkpoint_store.h"

namespace varkeep {

// Reads the checkpoints that are kept again and again, slowly, so that damage
// is known before they are needed. On a thread of its own. Thread-safe.
class Scrubber {
 public:
  struct Options {
    // Each checkpoint once in this time; new ones are due at once.
    absl::Duration interval = absl::Hours(24);
    int64_t bytes_per_second = 32 << 20;  // positive
    // How often it looks for new checkpoints when nobody calls Wake.
    absl::Duration poll = absl::Minutes(1);
  };

  // Both must live longer.
  Scrubber(storage::CheckpointStore* checkpoints, Clock* clock,
           const Options& options);
  // Gives up what it is reading.
  ~Scrubber();
  Scrubber(const Scrubber&) = delete;
  Scrubber& operator=(const Scrubber&) = delete;

  // Looks again at the clock and the list of checkpoints.
  void Wake();

  struct Verdict {
    absl::Time at;     // the end of the last verification
    std::string what;  // what is damaged, or why it could not be read; "": good
    bool damaged = false;
  };
  struct State {
    // Of the checkpoints listed now; none for one not yet verified.
    std::map<storage::CheckpointId, Verdict> verdicts;
    std::optional<storage::CheckpointId> verifying;
    int64_t bytes = 0;  // read since the start
  };
  State state() const;

 private:
  void Run();
  // The checkpoint that has waited longest; none when none is due. Forgets
  // those that are listed no more.
  std::optional<storage::CheckpointId> NextDue();
  void Verify(storage::CheckpointId id);
  // Waits until `bytes` may have been read since `start`; false: give up.
  bool Pace(absl::Time start, int64_t bytes);
  void WaitAtMost(absl::Duration duration)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  storage::CheckpointStore* const checkpoints_;
  Clock* const clock_;
  const Options options_;

  mutable Mutex mutex_;
  // Notified by Wake and when it is to stop; the thread waits.
  CondVar changed_;
  State state_ ABSL_GUARDED_BY(mutex_);
  bool woken_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace varkeep

#endif  // VARKEEP_SERVER_DURABILITY_SCRUBBER_H_
