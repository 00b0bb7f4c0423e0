// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TESTS_BENCHMARKS_NAIVE_PEER_H_
#define VARKEEP_TESTS_BENCHMARKS_NAIVE_PEER_H_

#include <sys/types.h>

#include <cstddef>

namespace varkeep::benchmarks {

// The yardstick of what streams, borrowed memory and a tuned malloc are for:
// unary calls of gRPC with the value as protobuf `bytes`. Client and server are
// processes of their own with the C library's defaults. A program stops when a
// call fails.
class NaivePeer {
 public:
  // REQUIRES: before any thread.
  NaivePeer();
  ~NaivePeer();
  NaivePeer(const NaivePeer&) = delete;
  NaivePeer& operator=(const NaivePeer&) = delete;

  // The client sends a value of this size.
  void Assign(size_t bytes);
  // The client receives the value that was sent last.
  void Read();

 private:
  void Do(size_t bytes_to_assign);

  pid_t server_ = -1;
  pid_t client_ = -1;
  int commands_ = -1;  // to the client: what to do; from it: that it is done
};

}  // namespace varkeep::benchmarks

#endif  // VARKEEP_TESTS_BENCHMARKS_NAIVE_PEER_H_
