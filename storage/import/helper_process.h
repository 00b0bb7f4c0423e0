// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_IMPORT_HELPER_PROCESS_H_
#define VARKEEP_STORAGE_IMPORT_HELPER_PROCESS_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/import/unique_fd.h"

namespace varkeep::storage {

// Descriptors that the helper finds open, beside /dev/null as 0, 1 and 2.
inline constexpr int kHelperFileFd = 3;
inline constexpr int kHelperResultFd = 4;

inline constexpr char kHelperName[] = "varkeep-import-helper";
// Exit codes of the helper. It says why in a frame except for these.
inline constexpr int kHelperOutOfMemory = 3;

// A running helper. Killed and waited for at the end.
class HelperProcess {
 public:
  // Starts `program` with an empty environment and no open file but `file` and
  // the pipe. FAILED_PRECONDITION when it cannot be started.
  static absl::StatusOr<std::unique_ptr<HelperProcess>> Start(
      const std::string& program, const std::vector<std::string>& arguments,
      int file);
  ~HelperProcess();
  HelperProcess(const HelperProcess&) = delete;
  HelperProcess& operator=(const HelperProcess&) = delete;

  // What it writes, to be read.
  int results() const { return results_.get(); }
  // Waits for its end, which the end of results() announces, and says why it
  // ended without saying it: DATA_LOSS when the file broke it,
  // RESOURCE_EXHAUSTED, DEADLINE_EXCEEDED.
  absl::Status WhyItEnded();

 private:
  HelperProcess(pid_t pid, UniqueFd results)
      : pid_(pid), results_(std::move(results)) {}

  pid_t pid_;  // -1 when waited for
  UniqueFd results_;
};

// kHelperName in the folder of the running program.
absl::StatusOr<std::string> HelperBesideThisProgram();

}  // namespace varkeep::storage

#endif  // VARKEEP_STORAGE_IMPORT_HELPER_PROCESS_H_
