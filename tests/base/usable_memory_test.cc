// SPDX-License-Identifier: Apache-2.0
#include "base/usable_memory.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/testing/temp_dir.h"

namespace varkeep {
namespace {

class UsableMemoryTest : public ::testing::Test {
 protected:
  void Write(const std::string& file, const std::string& text) {
    const std::filesystem::path path = root_.path() + "/" + file;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  int64_t Usable() const { return UsableMemory(root_.path()); }

  const int64_t machine_ = sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
  TempDir root_;
};

TEST_F(UsableMemoryTest, IsTheMachinesWithoutGroups) {
  EXPECT_EQ(Usable(), machine_);
}

TEST_F(UsableMemoryTest, IsWhatTheGroupAllows) {
  Write("proc/self/cgroup", "0::/a/b\n");
  Write("sys/fs/cgroup/a/b/memory.max", "1048576\n");
  EXPECT_EQ(Usable(), 1048576);
}

TEST_F(UsableMemoryTest, IsWhatTheGroupsAboveAllow) {
  Write("proc/self/cgroup", "0::/a/b\n");
  Write("sys/fs/cgroup/a/b/memory.max", "max\n");
  Write("sys/fs/cgroup/a/memory.max", "1048576\n");
  Write("sys/fs/cgroup/memory.max", "2097152\n");
  EXPECT_EQ(Usable(), 1048576);
  Write("sys/fs/cgroup/memory.max", "4096\n");
  EXPECT_EQ(Usable(), 4096);
}

// Inside a container its group is the top.
TEST_F(UsableMemoryTest, IsWhatTheContainerAllows) {
  Write("proc/self/cgroup", "0::/\n");
  Write("sys/fs/cgroup/memory.max", "1048576\n");
  EXPECT_EQ(Usable(), 1048576);
}

TEST_F(UsableMemoryTest, KnowsTheFirstVersionOfGroups) {
  Write("proc/self/cgroup",
        "11:cpu,cpuacct:/c\n4:hugetlb,memory:/docker/1:2\n0::/\n");
  Write("sys/fs/cgroup/cpu,cpuacct/c/memory.limit_in_bytes", "1\n");
  Write("sys/fs/cgroup/memory/docker/1:2/memory.limit_in_bytes", "1048576\n");
  Write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(Usable(), 1048576);
}

TEST_F(UsableMemoryTest, IsNeverMoreThanTheMachines) {
  Write("proc/self/cgroup", "4:memory:/a\n0::/b\nnonsense\n");
  Write("sys/fs/cgroup/memory/a/memory.limit_in_bytes",
        "9223372036854771712\n");
  Write("sys/fs/cgroup/b/memory.max", "max\n");
  EXPECT_EQ(Usable(), machine_);
}

}  // namespace
}  // namespace varkeep
