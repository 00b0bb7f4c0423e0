// SPDX-License-Identifier: Apache-2.0
#include "tests/testing/server_process.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

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

ServerProcess::~ServerProcess() { Kill(); }

void ServerProcess::Start() {
  std::vector<std::string> arguments = {
      "varkeepd",       "--listen",    address_, "--data-dir",
      data_directory(), "--log-level", "error"};
  if (flags_.empty())
    arguments.insert(arguments.end(), {"--checkpoint-interval", "0"});
  arguments.insert(arguments.end(), flags_.begin(), flags_.end());
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  pid_ = fork();
  if (pid_ != 0) return;
  execv(VARKEEPD, argv.data());
  _exit(127);
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
