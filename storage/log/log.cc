// SPDX-License-Identifier: Apache-2.0
#include "storage/log/log.h"

#include <utility>

#include "base/status_macros.h"
#include "storage/log/log_recovery.h"
#include "storage/log/log_writer.h"

namespace varkeep::storage {

absl::StatusOr<std::unique_ptr<Log>> Log::Open(FileSystem* file_system,
                                               const LogOptions& options,
                                               uint64_t after, uint64_t skip,
                                               LogReplay replay,
                                               const LogProgress& progress,
                                               LogRecovered* recovered) {
  ASSIGN_OR_RETURN(Recovery recovery,
                   RecoverLog(file_system, options.directory, after, skip,
                              replay, progress, recovered));
  auto log =
      std::make_unique<LogWriter>(file_system, options, std::move(recovery));
  ASSIGN_OR_RETURN(recovered->begun, log->Start());
  return log;
}

}  // namespace varkeep::storage
