// SPDX-License-Identifier: Apache-2.0
#include "tests/benchmarks/server_process.h"

#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"

namespace varkeep::benchmarks {
namespace {

std::string Proc(pid_t pid, const char* file) {
  return absl::StrCat("/proc/", pid, "/", file);
}

// A line such as "VmRSS:   1234 kB".
int64_t StatusBytes(pid_t pid, const std::string& key) {
  std::ifstream status(Proc(pid, "status"));
  for (std::string word; status >> word;) {
    int64_t kibibytes = 0;
    if (word == key && status >> kibibytes) return kibibytes << 10;
  }
  return 0;
}

}  // namespace

int FreePort() {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener, generic, size) != 0 ||
      getsockname(listener, generic, &size) != 0) {
    std::perror("bind");
    std::exit(1);
  }
  close(listener);
  return ntohs(address.sin_port);
}

ChildProcess::ChildProcess(const std::vector<std::string>& command) {
  pid_ = fork();
  if (pid_ != 0) return;
  std::vector<char*> arguments;
  for (const std::string& word : command) {
    arguments.push_back(const_cast<char*>(word.c_str()));
  }
  arguments.push_back(nullptr);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  execvp(arguments[0], arguments.data());
  std::perror(arguments[0]);
  _exit(127);
}

bool ChildProcess::Wait() {
  int status = 0;
  waitpid(std::exchange(pid_, -1), &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

ChildProcess::~ChildProcess() {
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

ServerProcess::ServerProcess()
    : address_(absl::StrCat("127.0.0.1:", FreePort())),
      unix_address_(absl::StrCat("unix:", directory_.path(), "/socket")),
      process_({VARKEEPD, "--listen", address_, "--listen", unix_address_,
                "--data-dir", directory_.path(), "--checkpoint-interval", "0",
                "--log-limit", "0", "--log-limit-seconds", "0", "--durability",
                "none", "--log-level", "error"}) {}

int64_t ServerProcess::ResidentBytes() const {
  return StatusBytes(process_.pid(), "VmRSS:");
}

int64_t ServerProcess::PeakResidentBytes() const {
  return StatusBytes(process_.pid(), "VmHWM:");
}

void ServerProcess::ResetPeak() const {
  std::ofstream(Proc(process_.pid(), "clear_refs")) << "5\n";
}

}  // namespace varkeep::benchmarks
