// SPDX-License-Identifier: Apache-2.0
#include "tests/benchmarks/raw_socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <vector>

#include "base/loopback_tcp.h"

namespace varkeep::benchmarks {
namespace {

// What a request says: the direction and the number of bytes.
struct Request {
  uint64_t bytes = 0;
  bool to_peer = false;
};

void Check(bool ok, const char* what) {
  if (ok) return;
  perror(what);
  std::exit(1);
}

// False when the other side closed.
bool ReadAll(int socket, std::span<std::byte> memory) {
  while (!memory.empty()) {
    const ssize_t got = read(socket, memory.data(), memory.size());
    if (got == 0) return false;
    Check(got > 0, "read");
    memory = memory.subspan(static_cast<size_t>(got));
  }
  return true;
}

void WriteAll(int socket, std::span<const std::byte> memory) {
  while (!memory.empty()) {
    const ssize_t put = write(socket, memory.data(), memory.size());
    Check(put > 0, "write");
    memory = memory.subspan(static_cast<size_t>(put));
  }
}

// Two sockets that are connected with each other.
struct Ends {
  int here = -1;
  int there = -1;
};

void NoDelay(int socket) {
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

Ends ConnectTcp() {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  Check(bind(listener, generic, size) == 0, "bind");
  Check(listen(listener, 1) == 0, "listen");
  UnpaceLoopbackListeners();  // as the server does
  Check(getsockname(listener, generic, &size) == 0, "getsockname");
  Ends ends;
  ends.here = socket(AF_INET, SOCK_STREAM, 0);
  Check(connect(ends.here, generic, size) == 0, "connect");
  ends.there = accept(listener, nullptr, nullptr);
  Check(ends.there >= 0, "accept");
  close(listener);
  NoDelay(ends.here);
  NoDelay(ends.there);
  return ends;
}

Ends ConnectUnix() {
  int pair[2];
  Check(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0, "socketpair");
  return {pair[0], pair[1]};
}

void Serve(int socket, size_t largest) {
  std::vector<std::byte> memory(largest, std::byte{1});
  Request request;
  while (ReadAll(socket, std::as_writable_bytes(std::span(&request, 1)))) {
    const std::span<std::byte> part(memory.data(), request.bytes);
    if (request.to_peer) {
      ReadAll(socket, part);
      WriteAll(socket, std::span(memory).first(1));
    } else {
      WriteAll(socket, part);
    }
  }
}

}  // namespace

RawSocketPeer::RawSocketPeer(SocketKind kind, size_t largest) {
  const Ends ends = kind == SocketKind::kTcp ? ConnectTcp() : ConnectUnix();
  pid_ = fork();
  Check(pid_ >= 0, "fork");
  if (pid_ == 0) {
    close(ends.here);
    Serve(ends.there, largest);
    _exit(0);
  }
  close(ends.there);
  socket_ = ends.here;
}

RawSocketPeer::~RawSocketPeer() {
  close(socket_);
  waitpid(pid_, nullptr, 0);
}

void RawSocketPeer::Receive(std::span<std::byte> memory) {
  const Request request = {memory.size(), false};
  WriteAll(socket_, std::as_bytes(std::span(&request, 1)));
  Check(ReadAll(socket_, memory), "the peer closed");
}

void RawSocketPeer::Send(std::span<const std::byte> memory) {
  const Request request = {memory.size(), true};
  WriteAll(socket_, std::as_bytes(std::span(&request, 1)));
  WriteAll(socket_, memory);
  std::byte done;
  Check(ReadAll(socket_, std::span(&done, 1)), "the peer closed");
}

}  // namespace varkeep::benchmarks
