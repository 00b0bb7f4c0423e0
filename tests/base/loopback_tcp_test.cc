// SPDX-License-Identifier: Apache-2.0
#include "base/loopback_tcp.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

namespace varkeep {
namespace {

// Listens on a free port of the address.
int Listener(in_addr_t host) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(host);
  EXPECT_EQ(bind(listener, reinterpret_cast<const sockaddr*>(&address),
                 sizeof(address)),
            0);
  EXPECT_EQ(listen(listener, 1), 0);
  return listener;
}

std::string ControlOf(int fd) {
  char control[64] = {};
  socklen_t size = sizeof(control);
  EXPECT_EQ(getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, control, &size), 0);
  return control;
}

TEST(LoopbackTcpTest, ConnectionsToLoopbackAreNotPaced) {
  const int listener = Listener(INADDR_LOOPBACK);
  UnpaceLoopbackListeners();
  sockaddr_in address = {};
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(getsockname(listener, generic, &size), 0);
  const int client = socket(AF_INET, SOCK_STREAM, 0);
  ASSERT_EQ(connect(client, generic, size), 0);
  const int accepted = accept(listener, nullptr, nullptr);

  EXPECT_EQ(ControlOf(accepted), "reno");

  for (int fd : {listener, client, accepted}) close(fd);
}

TEST(LoopbackTcpTest, OtherSocketsKeepWhatTheSystemGivesThem) {
  const int everywhere = Listener(INADDR_ANY);
  const int idle = socket(AF_INET, SOCK_STREAM, 0);
  const std::string before = ControlOf(idle);
  UnpaceLoopbackListeners();

  EXPECT_EQ(ControlOf(everywhere), before);
  EXPECT_EQ(ControlOf(idle), before);

  for (int fd : {everywhere, idle}) close(fd);
}

}  // namespace
}  // namespace varkeep
