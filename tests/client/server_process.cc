// SPDX-License-Identifier: Apache-2.0
#include "tests/client/server_process.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "client/admin_client.h"
#include "client/client.h"
#include "tests/testing/status_matchers.h"

namespace varkeep {
namespace {

// A port that nobody listens on now.
int FreePort() {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(fd, generic, size) != 0 || getsockname(fd, generic, &size) != 0) {
    std::abort();
  }
  close(fd);
  return ntohs(address.sin_port);
}

}  // namespace

ServerProcess::ServerProcess()
    : address_(absl::StrCat("127.0.0.1:", FreePort())) {
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
