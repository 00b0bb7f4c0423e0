// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_DURABILITY_RUN_MARKER_H_
#define VARKEEP_SERVER_DURABILITY_RUN_MARKER_H_

#include <string>

#include "absl/status/statusor.h"
#include "server/variables/variable.h"
#include "storage/file_system.h"

namespace varkeep {

// The file RUNNING in the data directory: there while a server runs, gone after
// one that saved everything and left. A server that finds it knows that the one
// before died and may have given out revisions that no checkpoint has, and
// begins above all of them, so that a revision never means two things. One
// thread only.
class RunMarker {
 public:
  // `file_system` must live longer.
  RunMarker(storage::FileSystem* file_system, std::string directory);

  // Revisions that a server which died may have used are taken to end at the
  // next multiple of this.
  static constexpr Revision kStep = 1'000'000'000'000;

  struct Begun {
    Revision revision = 0;  // to continue from
    bool after_crash = false;
  };
  // `saved`: revision of the checkpoint that was loaded. Durable on return.
  absl::StatusOr<Begun> Begin(Revision saved);

  // After the last save, when nothing changes any more.
  absl::Status End();

 private:
  std::string Path() const { return directory_ + "/RUNNING"; }

  storage::FileSystem* const file_system_;
  const std::string directory_;
};

}  // namespace varkeep

#endif  // VARKEEP_SERVER_DURABILITY_RUN_MARKER_H_
