// SPDX-License-Identifier: Apache-2.0
//
// What a process in the sandbox can do: each act is tried in a forked one.
#include "storage/import/helper/sandbox.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

namespace varkeep::storage {
namespace {

constexpr int kDone = 42;

class SandboxTest : public ::testing::Test {
 protected:
  void SetUp() override {
    file_ = open("/etc/hostname", O_RDONLY | O_CLOEXEC);
    ASSERT_GE(file_, 0);
    ASSERT_EQ(pipe2(pipe_, O_CLOEXEC), 0);
  }
  void TearDown() override {
    close(file_);
    close(pipe_[0]);
    close(pipe_[1]);
  }

  // How a process ends that does this in the sandbox: kDone when it could, or
  // minus the signal that ended it.
  int Try(const std::function<void()>& act) {
    const pid_t pid = fork();
    if (pid == 0) {
      if (!EnterSandbox(file_, pipe_[1]).ok()) _exit(1);
      act();
      _exit(kDone);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
  }

  int file_ = -1;
  int pipe_[2] = {-1, -1};
};

TEST_F(SandboxTest, ReadingAndReportingIsPossible) {
  EXPECT_EQ(Try([&] {
              char c = 0;
              if (pread(file_, &c, 1, 0) < 0) _exit(2);
              if (write(pipe_[1], &c, 1) != 1) _exit(3);
              void* memory = mmap(nullptr, 1 << 20, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
              if (memory == MAP_FAILED) _exit(4);
              if (munmap(memory, 1 << 20) != 0) _exit(5);
            }),
            kDone);
}

TEST_F(SandboxTest, EverythingElseEndsTheProcess) {
  const std::pair<const char*, std::function<void()>> kActs[] = {
      {"open", [] { open("/etc/passwd", O_RDONLY); }},
      {"open to write", [] { open("/tmp/x", O_WRONLY | O_CREAT, 0600); }},
      {"the old open", [] { syscall(SYS_open, "/etc/passwd", O_RDONLY); }},
      {"openat2", [] { syscall(SYS_openat2, AT_FDCWD, "/", nullptr, 0); }},
      {"socket", [] { socket(AF_INET, SOCK_STREAM, 0); }},
      {"unix socket", [] { socket(AF_UNIX, SOCK_STREAM, 0); }},
      {"execve",
       [] {
         char* none[] = {nullptr};
         execve("/bin/true", none, none);
       }},
      {"fork", [] { syscall(SYS_fork); }},
      {"clone", [] { syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0); }},
      {"kill", [] { kill(getppid(), 0); }},
      {"ptrace", [] { syscall(SYS_ptrace, 0, 0, 0, 0); }},
      {"stat", [] { syscall(SYS_stat, "/etc/passwd", nullptr); }},
      {"unlink", [] { unlink("/nowhere"); }},
      {"io_uring", [] { syscall(SYS_io_uring_setup, 1, nullptr); }},
      {"read from another descriptor",
       [&] {
         char c = 0;
         pread(pipe_[0], &c, 1, 0);
       }},
      {"write to the file", [&] { (void)!write(file_, "x", 1); }},
      {"write to standard error", [] { (void)!write(2, "x", 1); }},
      {"map the file",
       [&] { mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE, file_, 0); }},
      {"memory to execute",
       [] {
         mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
              -1, 0);
       }},
      {"prctl", [] { syscall(SYS_prctl, 0, 0, 0, 0, 0); }},
  };
  for (const auto& [name, act] : kActs) {
    EXPECT_EQ(Try(act), -SIGSYS) << name;
  }
}

TEST_F(SandboxTest, LimitsAreSetForGood) {
  EXPECT_EQ(Try([] {}), kDone);
  const pid_t pid = fork();
  if (pid == 0) {
    if (!LimitResources(int64_t{1} << 30, 10).ok()) _exit(1);
    _exit(open("/etc/hostname", O_RDONLY) < 0 ? kDone : 2);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), kDone);
}

}  // namespace
}  // namespace varkeep::storage
