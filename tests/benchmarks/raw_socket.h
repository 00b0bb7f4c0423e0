// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TESTS_BENCHMARKS_RAW_SOCKET_H_
#define VARKEEP_TESTS_BENCHMARKS_RAW_SOCKET_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace varkeep::benchmarks {

enum class SocketKind { kTcp, kUnix };

// The yardstick: another process at the end of a socket, of TCP over loopback
// or a unix one, which moves bytes and does nothing else. A program stops when
// a call fails.
class RawSocketPeer {
 public:
  // `largest` bytes at most can be moved.
  RawSocketPeer(SocketKind kind, size_t largest);
  ~RawSocketPeer();
  RawSocketPeer(const RawSocketPeer&) = delete;
  RawSocketPeer& operator=(const RawSocketPeer&) = delete;

  // Asks for bytes and receives them all.
  void Receive(std::span<std::byte> memory);
  // Sends bytes and waits for one byte that tells they arrived.
  void Send(std::span<const std::byte> memory);

 private:
  int socket_ = -1;
  pid_t pid_ = -1;
};

}  // namespace varkeep::benchmarks

#endif  // VARKEEP_TESTS_BENCHMARKS_RAW_SOCKET_H_
