// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TESTS_CRASH_RESOURCE_USE_H_
#define VARKEEP_TESTS_CRASH_RESOURCE_USE_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace varkeep {

// What a server has of the machine at one moment.
struct ResourceUse {
  int64_t resident_bytes = 0;
  int64_t descriptors = 0;
  int64_t disk_bytes = 0;  // of the data directory, as the disk counts them
  int64_t log_bytes = 0;   // of them, of the log
};

ResourceUse ResourceUseOf(pid_t pid, const std::string& data_directory);

// The middle and the largest of each.
struct ResourceSummary {
  ResourceUse median;
  ResourceUse peak;
};

// REQUIRES: not empty.
ResourceSummary Summarize(const std::vector<ResourceUse>& samples);

}  // namespace varkeep

#endif  // VARKEEP_TESTS_CRASH_RESOURCE_USE_H_
