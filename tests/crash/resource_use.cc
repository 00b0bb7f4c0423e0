// SPDX-License-Identifier: Apache-2.0
#include "tests/crash/resource_use.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"

namespace varkeep {
namespace {

namespace fs = std::filesystem;

constexpr int64_t ResourceUse::*kMembers[] = {
    &ResourceUse::resident_bytes, &ResourceUse::descriptors,
    &ResourceUse::disk_bytes, &ResourceUse::log_bytes};

int64_t ResidentBytes(pid_t pid) {
  std::ifstream statm(absl::StrCat("/proc/", pid, "/statm"));
  int64_t all = 0;
  int64_t resident = 0;
  statm >> all >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

int64_t Descriptors(pid_t pid) {
  std::error_code gone;
  fs::directory_iterator files(absl::StrCat("/proc/", pid, "/fd"), gone);
  return std::distance(begin(files), end(files));
}

// Of the files in it, not of those in folders below; they come and go.
int64_t DiskBytes(const std::string& directory) {
  int64_t bytes = 0;
  std::error_code gone;
  for (const auto& file : fs::directory_iterator(directory, gone)) {
    struct stat info;
    if (stat(file.path().c_str(), &info) == 0 && S_ISREG(info.st_mode)) {
      bytes += info.st_blocks * 512;
    }
  }
  return bytes;
}

}  // namespace

ResourceUse ResourceUseOf(pid_t pid, const std::string& data_directory) {
  ResourceUse use;
  use.resident_bytes = ResidentBytes(pid);
  use.descriptors = Descriptors(pid);
  use.log_bytes = DiskBytes(data_directory + "/log");
  use.disk_bytes = use.log_bytes + DiskBytes(data_directory);
  return use;
}

ResourceSummary Summarize(const std::vector<ResourceUse>& samples) {
  ResourceSummary summary;
  for (int64_t ResourceUse::*member : kMembers) {
    std::vector<int64_t> values;
    for (const ResourceUse& sample : samples) values.push_back(sample.*member);
    std::sort(values.begin(), values.end());
    summary.median.*member = values[values.size() / 2];
    summary.peak.*member = values.back();
  }
  return summary;
}

}  // namespace varkeep
