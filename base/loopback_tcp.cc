// SPDX-License-Identifier: Apache-2.0
//
// gRPC does not say which sockets are its own, and gives no way to set them up;
// /proc does.
#include "base/loopback_tcp.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace varkeep {
namespace {

bool IsLoopback(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    return ntohl(v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
  }
  if (address.ss_family != AF_INET6) return false;
  const in6_addr& v6 = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
  return IN6_IS_ADDR_LOOPBACK(&v6) ||
         (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == IN_LOOPBACKNET);
}

bool IsLoopbackListener(int fd) {
  int listens = 0;
  socklen_t size = sizeof(listens);
  if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 ||
      listens == 0) {
    return false;
  }
  sockaddr_storage address = {};
  size = sizeof(address);
  return getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0 &&
         IsLoopback(address);
}

}  // namespace

void UnpaceLoopbackListeners() {
  constexpr char kControl[] = "reno";
  std::error_code error;
  std::filesystem::directory_iterator entry("/proc/self/fd", error);
  for (; !error && entry != end(entry); entry.increment(error)) {
    const int fd = std::atoi(entry->path().filename().c_str());
    if (IsLoopbackListener(fd)) {
      setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, kControl, sizeof(kControl));
    }
  }
}

}  // namespace varkeep
