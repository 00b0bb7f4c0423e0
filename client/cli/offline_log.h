// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_CLIENT_CLI_OFFLINE_LOG_H_
#define VARKEEP_CLIENT_CLI_OFFLINE_LOG_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cli/context.h"
#include "client/cli/format.h"
#include "storage/file_system.h"
#include "storage/log/log_inspect.h"

namespace varkeep::cli {

struct InspectArguments {
  std::string directory;
  bool records = false;
};

struct TruncateArguments {
  std::string directory;
  std::string at;  // FILE:OFFSET
};

// The verbs. DATA_LOSS when the log is damaged; a torn end is not damage.
absl::Status InspectLog(const Context& context,
                        const InspectArguments& arguments);
// FAILED_PRECONDITION while a server uses the data directory.
absl::Status TruncateLog(const Context& context,
                         const TruncateArguments& arguments);

// The log that a person means by `directory`: a data directory or its log.
absl::StatusOr<std::string> LogDirectory(storage::FileSystem* files,
                                         std::string directory);
// The first damage, as DATA_LOSS.
absl::Status DamageOf(const std::string& log,
                      const std::vector<storage::SegmentReport>& segments);
const char* StateName(storage::SegmentReport::State state);
Json ToJson(const storage::SegmentReport& segment);
void PrintSegments(const std::vector<storage::SegmentReport>& segments);

}  // namespace varkeep::cli

#endif  // VARKEEP_CLIENT_CLI_OFFLINE_LOG_H_
