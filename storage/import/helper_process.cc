// SPDX-License-Identifier: Apache-2.0
#include "storage/import/helper_process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <climits>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace varkeep::storage {
namespace {

// Above the descriptors that the helper gets, so that putting one in its place
// cannot close another.
constexpr int kAboveHelperFds = 10;
constexpr int kPipeBytes = 1 << 20;

std::string Reason(int error) { return std::generic_category().message(error); }

absl::Status CannotStart(const std::string& program, int error) {
  return absl::FailedPreconditionError(
      absl::StrCat("cannot start '", program, "', which reads foreign files: ",
                   Reason(error), "; it is installed beside varkeep"));
}

absl::StatusOr<UniqueFd> MoveUp(UniqueFd fd) {
  UniqueFd moved(fcntl(fd.get(), F_DUPFD_CLOEXEC, kAboveHelperFds));
  if (moved.get() < 0) {
    return absl::ResourceExhaustedError(
        absl::StrCat("no file descriptor is left: ", Reason(errno)));
  }
  return moved;
}

// What is done between fork and exec.
class SpawnPlan {
 public:
  SpawnPlan(int file, int results) {
    posix_spawn_file_actions_init(&actions_);
    for (int fd = 0; fd <= 2; ++fd) {
      posix_spawn_file_actions_addopen(&actions_, fd, "/dev/null", O_RDWR, 0);
    }
    posix_spawn_file_actions_adddup2(&actions_, file, kHelperFileFd);
    posix_spawn_file_actions_adddup2(&actions_, results, kHelperResultFd);
    posix_spawn_file_actions_addclosefrom_np(&actions_, kHelperResultFd + 1);
    posix_spawnattr_init(&attributes_);
    sigset_t all;
    sigfillset(&all);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setflags(&attributes_,
                             POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  }
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  // 0 or the error.
  int Run(const std::string& program, const std::vector<std::string>& arguments,
          pid_t* pid) const {
    std::vector<char*> argv = {const_cast<char*>(kHelperName)};
    for (const std::string& argument : arguments) {
      argv.push_back(const_cast<char*>(argument.c_str()));
    }
    argv.push_back(nullptr);
    char* environment[] = {nullptr};
    return posix_spawn(pid, program.c_str(), &actions_, &attributes_,
                       argv.data(), environment);
  }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

absl::Status WhyKilled(int signal) {
  switch (signal) {
    case SIGXCPU:
      return absl::DeadlineExceededError(
          "reading it used up the processor time that it may");
    case SIGSYS:
      return absl::DataLossError(
          "it made the program that reads it call the system in a way that is "
          "not allowed, and that was stopped: it is damaged or hostile");
    default:
      return absl::DataLossError(
          absl::StrCat("the program that reads it was ended by signal ", signal,
                       ": the file is damaged or hostile"));
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<HelperProcess>> HelperProcess::Start(
    const std::string& program, const std::vector<std::string>& arguments,
    int file) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return absl::ResourceExhaustedError(
        absl::StrCat("cannot make a pipe: ", Reason(errno)));
  }
  UniqueFd results(ends[0]);
  ASSIGN_OR_RETURN(UniqueFd write_end, MoveUp(UniqueFd(ends[1])));
  ASSIGN_OR_RETURN(UniqueFd file_copy, MoveUp(UniqueFd(dup(file))));
  // Fewer switches between the two; it works with a small one as well.
  fcntl(results.get(), F_SETPIPE_SZ, kPipeBytes);
  pid_t pid = -1;
  const int error =
      SpawnPlan(file_copy.get(), write_end.get()).Run(program, arguments, &pid);
  if (error != 0) return CannotStart(program, error);
  return std::unique_ptr<HelperProcess>(
      new HelperProcess(pid, std::move(results)));
}

HelperProcess::~HelperProcess() {
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

absl::Status HelperProcess::WhyItEnded() {
  // It may have closed the pipe and gone on.
  kill(pid_, SIGKILL);
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  if (WIFSIGNALED(status)) return WhyKilled(WTERMSIG(status));
  if (WEXITSTATUS(status) == kHelperOutOfMemory) {
    return absl::ResourceExhaustedError(
        "reading it takes more memory than it may");
  }
  return absl::DataLossError(
      absl::StrCat("the program that reads it ended early, with exit code ",
                   WEXITSTATUS(status)));
}

absl::StatusOr<std::string> HelperBesideThisProgram() {
  std::array<char, PATH_MAX> path;
  const ssize_t size = readlink("/proc/self/exe", path.data(), path.size());
  const absl::string_view text(path.data(),
                               size < 0 ? 0 : static_cast<size_t>(size));
  const size_t slash = text.rfind('/');
  if (slash == absl::string_view::npos) {
    return absl::FailedPreconditionError(
        "cannot find the folder of this program: /proc is not mounted");
  }
  return absl::StrCat(text.substr(0, slash + 1), kHelperName);
}

}  // namespace varkeep::storage
