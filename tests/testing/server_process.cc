// SPDX-License-Identifier: Apache-2.0
#include "tests/testing/server_process.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/admin_client.h"
#include "client/client.h"
#include "tests/testing/status_matchers.h"

namespace varkeep {

ServerProcess::ServerProcess()
    : address_("unix:" + directory_.path() + "/socket") {
  Start();
  WaitUntilServing();
}

ServerProcess::~ServerProcess() { Kill(); }

void ServerProcess::Start() {
  std::string data = directory_.path() + "/data";
  pid_ = fork();
  if (pid_ != 0) return;
  execl(VARKEEPD, "varkeepd", "--listen", address_.c_str(), "--data-dir",
        data.c_str(), "--log-level", "error", "--checkpoint-interval", "0",
        nullptr);
  _exit(127);
}

void ServerProcess::Kill() {
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void ServerProcess::WaitUntilServing() {
  auto connected = client::Client::Connect(address_);
  ASSERT_OK(connected);
  ASSERT_OK(client::AdminClient(**connected).Status());
}

}  // namespace varkeep
