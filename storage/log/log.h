// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_LOG_LOG_H_
#define VARKEEP_STORAGE_LOG_LOG_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/durability.h"
#include "storage/file_system.h"
#include "tensor/tensor.h"

namespace varkeep::storage {

using varkeep::Durability;
using varkeep::DurabilityName;

// A large entry that is written while its tensor arrives, into a file of its
// own, which becomes a segment of the log when the entry is appended. Destroyed
// without that it leaves nothing. Nothing about it ever fails: an entry whose
// draft is not to be had is written when it is appended. Thread-safe.
class LogDraft {
 public:
  virtual ~LogDraft() = default;

  // The first `bytes` bytes of the tensor are there and stay as they are.
  // Returns at once.
  virtual void Extend(int64_t bytes) = 0;
};

// What one commit keeps. The log does not understand the body.
struct LogEntry {
  std::string body;                // less than 1 GiB
  std::vector<TensorRef> tensors;  // written from where they are; never null
  uint64_t revisions = 1;          // how many revisions the commit takes
  // Of this entry, if there is one; borrowed for the time of Append.
  LogDraft* draft = nullptr;
};

// An entry as it comes back: of the commit that led from revision `before` to
// `revision`.
struct LogRecord {
  uint64_t before = 0;
  uint64_t revision = 0;
  LogEntry entry;
};

struct LogOptions {
  std::string directory;  // made when needed
  // Room reserved for a segment, less on a small disk: as much as the log has
  // grown to, within these limits. A record larger than it gets a segment of
  // its own size.
  int64_t segment_bytes = int64_t{64} << 20;
  int64_t max_segment_bytes = int64_t{256} << 20;
  // Otherwise the next segment's file is made by the append that comes when the
  // current one is half full: in tests that count what is asked of the disk.
  bool prepare_in_background = true;
  // An entry that asks for kInterval is on the disk this much later, and the
  // time that a sync takes.
  absl::Duration sync_interval = absl::Seconds(1);
  Clock* clock = Clock::Steady();
  // Entries with a smaller tensor have no draft.
  int64_t draft_bytes = int64_t{4} << 20;
};

// Bytes done so far, bytes in all.
using LogProgress = std::function<void(int64_t, int64_t)>;
using LogReplay = absl::FunctionRef<absl::Status(LogRecord)>;

// What Open found.
struct LogRecovered {
  int64_t records = 0;  // replayed
  int64_t bytes = 0;    // of the records replayed
  // The end of the log was not written to its end: what follows `offset` in
  // `file` was never acknowledged as durable and is left out.
  struct TornTail {
    std::string file;
    int64_t offset = 0;
    int64_t bytes = 0;  // without the zeros that were reserved
    std::string reason;
  };
  std::optional<TornTail> torn;
  // The segment for what comes next, and with it which revisions are left out,
  // is on the disk. False: the disk is full; the first Append tries again.
  bool begun = false;
};

// The change log: every commit in the order of its revisions, in segment files.
// Thread-safe. Format: docs/log_format.md.
//
// Appends of several threads form a group: one of them writes for all, syncs
// once when anyone asks for it, and publishes them in order.
//
// After a failed write or sync the log is broken: what was appended since is
// not acknowledged, and every Append fails with UNAVAILABLE until Restart. A
// full disk does not break it: the Append fails with RESOURCE_EXHAUSTED and the
// next may succeed.
class Log {
 public:
  // Reads the log and hands every record after revision `after` to `replay`,
  // oldest first; then begins a new segment, if there is room. DATA_LOSS,
  // naming file and offset, when a record is damaged that is not the torn end,
  // or when records between `after` and the first one are missing; errors of
  // `replay` are passed on. Changes nothing on the disk before everything was
  // replayed. The first commit gets revision (last replayed, or `after`) + 1 +
  // `skip`: revisions that a power cut may have taken are not given out again.
  static absl::StatusOr<std::unique_ptr<Log>> Open(
      FileSystem* file_system, const LogOptions& options, uint64_t after,
      uint64_t skip, LogReplay replay, const LogProgress& progress,
      LogRecovered* recovered);
  virtual ~Log() = default;

  // Commits one entry: writes it, makes it as durable as `wanted`, then calls
  // `publish` with the last of its revisions, from some thread, before the
  // publish of any later commit. Gives the durability that was reached. Without
  // `publish` having been called: RESOURCE_EXHAUSTED (disk full),
  // INVALID_ARGUMENT (the entry is too large), UNAVAILABLE (the log is broken:
  // names the first error).
  virtual absl::StatusOr<Durability> Append(
      const LogEntry& entry, Durability wanted,
      absl::FunctionRef<void(uint64_t)> publish) = 0;

  // Begins to write `entry`, which has one tensor whose bytes are still to
  // come. Its body may come back with spaces behind it. The log must live
  // longer. Null when there would be nothing to gain.
  virtual std::unique_ptr<LogDraft> Draft(LogEntry entry) = 0;

  // Everything published so far is on the disk afterwards. UNAVAILABLE as
  // Append.
  virtual absl::Status Sync() = 0;

  // Mends a broken log: begins a new segment after the last published revision,
  // syncs it, and accepts commits again. Records that were not published are
  // void from then on. REQUIRES: everything published is durable elsewhere (a
  // checkpoint): what this log has of it may not be on the disk.
  virtual absl::Status Restart() = 0;

  // Removes the segments that hold nothing after `revision`. An error leaves
  // the log usable.
  virtual absl::Status DropThrough(uint64_t revision) = 0;

  struct State {
    uint64_t published = 0;  // last published revision
    uint64_t synced = 0;     // last revision known to be on the disk
    int64_t segments = 0;
    int64_t bytes = 0;           // of records in all segments
    int64_t appended_bytes = 0;  // of records published since Open
    absl::Status broken;         // OK: it works
  };
  virtual State state() const = 0;
};

}  // namespace varkeep::storage

#endif  // VARKEEP_STORAGE_LOG_LOG_H_
