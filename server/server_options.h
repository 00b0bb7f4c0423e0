// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_SERVER_OPTIONS_H_
#define VARKEEP_SERVER_SERVER_OPTIONS_H_

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "base/durability.h"

namespace varkeep {

// The flags of varkeepd; `varkeepd --help` describes them.
struct ServerOptions {
  std::vector<std::string> listen = {"localhost:7700"};
  std::string metrics_listen;  // host:port; "": no metrics
  std::string data_directory = "varkeep-data";
  absl::Duration checkpoint_interval = absl::Minutes(1);  // 0: none
  int max_to_keep = 5;                                    // 0: all
  absl::Duration keep_checkpoint_every = absl::InfiniteDuration();
  absl::Duration scrub_interval = absl::Hours(24);
  bool allow_fallback = false;
  Durability durability = Durability::kInterval;
  absl::Duration sync_interval = absl::Seconds(1);
  int64_t log_limit_bytes = int64_t{4} << 30;  // 0: none
  absl::Duration log_limit_time = absl::Seconds(30);
  int64_t max_variable_bytes = int64_t{64} << 30;
  int64_t memory_limit_bytes = 0;  // 0: 4/5 of UsableMemory()
  // 0: one half of UsableMemory(), and at most a memory limit that is given
  int64_t call_memory_limit_bytes = 0;
  absl::Duration session_lease = absl::Minutes(10);
  absl::Duration grace = absl::Seconds(5);  // for calls under way at SIGTERM
  int threads = 0;                          // 0: one for each processor
  std::string log_level = "info";
};

// Options, or the exit code of a program that is to end here: 0 after --help
// and
// --version, 2 after a mistake; the text was printed.
std::variant<ServerOptions, int> ParseServerOptions(int argc, char** argv);

}  // namespace varkeep

#endif  // VARKEEP_SERVER_SERVER_OPTIONS_H_
