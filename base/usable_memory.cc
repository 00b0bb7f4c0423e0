// SPDX-License-Identifier: Apache-2.0
#include "base/usable_memory.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace varkeep {
namespace {

constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();

// A file with one number; "max", and no file, are no limit.
int64_t LimitIn(const std::string& file) {
  std::ifstream in(file);
  std::string line;
  int64_t bytes = 0;
  if (!std::getline(in, line) || !absl::SimpleAtoi(line, &bytes)) {
    return kNoLimit;
  }
  return bytes;
}

// The least in the folder of a group and in those above it. In a container the
// group's name may be the one outside: then only the top is there.
int64_t LeastLimit(const std::string& top, std::string group,
                   const std::string& file) {
  int64_t least = kNoLimit;
  while (!group.empty()) {
    least = std::min(least, LimitIn(absl::StrCat(top, group, "/", file)));
    group.erase(group.rfind('/'));
  }
  return std::min(least, LimitIn(absl::StrCat(top, "/", file)));
}

// A line of /proc/self/cgroup: "0::/group" is version 2, "5:memory:/group" with
// the names of its controllers version 1.
int64_t LimitOfLine(const std::string& root, const std::string& line) {
  const std::vector<std::string> parts =
      absl::StrSplit(line, absl::MaxSplits(':', 2));
  if (parts.size() != 3 || !absl::StartsWith(parts[2], "/")) return kNoLimit;
  const std::string top = absl::StrCat(root, "/sys/fs/cgroup");
  if (parts[1].empty()) return LeastLimit(top, parts[2], "memory.max");
  const std::vector<std::string> controllers = absl::StrSplit(parts[1], ',');
  if (std::ranges::count(controllers, "memory") == 0) return kNoLimit;
  return LeastLimit(top + "/memory", parts[2], "memory.limit_in_bytes");
}

}  // namespace

int64_t UsableMemory(const std::string& root) {
  int64_t bytes = sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
  std::ifstream groups(root + "/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    bytes = std::min(bytes, LimitOfLine(root, line));
  }
  return bytes;
}

}  // namespace varkeep
