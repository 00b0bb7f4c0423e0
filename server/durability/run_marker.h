// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_DURABILITY_RUN_MARKER_H_
#define VARKEEP_SERVER_DURABILITY_RUN_MARKER_H_

#include <string>

#include "absl/status/statusor.h"
#include "storage/file_system.h"

namespace varkeep {

// The file RUNNING in the data directory: there while a server runs, called
// STOPPED after one that saved everything and left. It holds the boot id of the
// machine: a server that finds RUNNING knows that the one before died, and
// whether the machine has been started anew since, so that what was not synced
// may be gone. On a full disk that file has its room already. One thread only.
class RunMarker {
 public:
  // `file_system` must live longer. `boot_id` differs from one start of the
  // machine to the next; "": not known, every crash counts as a power cut.
  RunMarker(storage::FileSystem* file_system, std::string directory,
            std::string boot_id);

  struct Begun {
    bool after_crash = false;
    bool after_power_cut = false;
  };
  // What the server before left, without changing it.
  absl::StatusOr<Begun> Find();
  // Says that a server runs. Durable on return. What a power cut left stays
  // until `log_begun`: the log has on the disk which revisions are left out. On
  // a full disk a marker of an earlier start of the machine stays;
  // RESOURCE_EXHAUSTED when there is none at all. Before the first change.
  absl::Status Begin(bool log_begun);
  // After the last save, when nothing changes any more. A power cut that the
  // log did not have at Begin is kept: the next start counts as one after it,
  // too.
  absl::Status End();

 private:
  std::string Running() const { return directory_ + "/RUNNING"; }
  std::string Stopped() const { return directory_ + "/STOPPED"; }
  absl::Status Update();

  storage::FileSystem* const file_system_;
  const std::string directory_;
  const std::string boot_id_;
  bool keeps_power_cut_ = false;  // the marker alone tells of it
};

// The kernel's boot id; "" where there is none.
std::string SystemBootId();

}  // namespace varkeep

#endif  // VARKEEP_SERVER_DURABILITY_RUN_MARKER_H_
