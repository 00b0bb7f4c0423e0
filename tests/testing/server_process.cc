// SPDX-License-Identifier: Apache-2.0
#include "tests/testing/server_process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <future>
#include <iostream>
#include <utility>

#include "client/admin_client.h"
#include "client/client.h"
#include "tests/testing/status_matchers.h"

namespace varkeep {

ServerProcess::ServerProcess(std::vector<std::string> flags)
    : flags_(std::move(flags)),
      address_("unix:" + directory_.path() + "/socket") {
  Start();
  WaitUntilServing();
}

ServerProcess::~ServerProcess() {
  Kill();
  RepeatOutput();
}

void ServerProcess::Start() {
  std::promise<pid_t> pid;
  spawner_.Schedule([&] { pid.set_value(Spawn()); });
  pid_ = pid.get_future().get();
}

pid_t ServerProcess::Spawn() {
  std::vector<std::string> arguments = {
      "varkeepd",       "--listen",    address_, "--data-dir",
      data_directory(), "--log-level", "error"};
  if (flags_.empty())
    arguments.insert(arguments.end(), {"--checkpoint-interval", "0"});
  arguments.insert(arguments.end(), flags_.begin(), flags_.end());
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const std::string output = OutputFile();
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child != 0) return child;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int file =
      open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const bool ready = file >= 0 && dup2(file, STDOUT_FILENO) >= 0 &&
                     dup2(file, STDERR_FILENO) >= 0;
  // Unless the parent died before it was asked for.
  if (ready && getppid() == parent) execv(VARKEEPD, argv.data());
  _exit(127);
}

void ServerProcess::RepeatOutput() const {
  std::ifstream output(OutputFile());
  if (output.peek() != EOF) std::cerr << output.rdbuf();
}

void ServerProcess::Kill() {
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void ServerProcess::Pause() { kill(pid_, SIGSTOP); }

void ServerProcess::Resume() { kill(pid_, SIGCONT); }

bool ServerProcess::IsRunning() {
  if (pid_ < 0 || waitpid(pid_, nullptr, WNOHANG) == 0) return pid_ >= 0;
  pid_ = -1;
  return false;
}

void ServerProcess::WaitUntilServing() {
  auto connected = client::Client::Connect(address_);
  ASSERT_OK(connected);
  ASSERT_OK(client::AdminClient(**connected).Status());
}

}  // namespace varkeep
