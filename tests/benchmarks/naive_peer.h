// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TESTS_BENCHMARKS_NAIVE_PEER_H_
#define VARKEEP_TESTS_BENCHMARKS_NAIVE_PEER_H_

#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <span>

namespace varkeep::benchmarks {

// The yardstick of what the streams, the borrowed memory and the tuned malloc
// are for: unary calls of gRPC with the value as protobuf `bytes`, in a process
// of their own with the C library's defaults. A program stops when a call
// fails.
class NaivePeer {
 public:
  // REQUIRES: before any thread. The value has `bytes` bytes at first.
  explicit NaivePeer(size_t bytes);
  ~NaivePeer();
  NaivePeer(const NaivePeer&) = delete;
  NaivePeer& operator=(const NaivePeer&) = delete;

  void Read(std::span<std::byte> memory);
  void Assign(std::span<const std::byte> memory);

 private:
  struct Client;
  Client* Connected();

  const int port_;
  pid_t pid_ = -1;
  std::unique_ptr<Client> client_;
};

}  // namespace varkeep::benchmarks

#endif  // VARKEEP_TESTS_BENCHMARKS_NAIVE_PEER_H_
