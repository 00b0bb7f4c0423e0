// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TESTS_BENCHMARKS_SERVER_PROCESS_H_
#define VARKEEP_TESTS_BENCHMARKS_SERVER_PROCESS_H_

#include <sys/types.h>

#include <cstdint>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/testing/temp_dir.h"

namespace varkeep::benchmarks {

// The result, or the end of the program with its error.
template <typename T>
T Must(absl::StatusOr<T> result) {
  if (result.ok()) return *std::move(result);
  std::cerr << result.status() << "\n";
  std::exit(1);
}

// A port that nobody listens on now.
int FreePort();

// Another program, killed at the end. REQUIRES: made before any thread.
class ChildProcess {
 public:
  explicit ChildProcess(const std::vector<std::string>& command);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  pid_t pid() const { return pid_; }
  // Until it ends by itself; whether with exit code 0.
  bool Wait();

 private:
  pid_t pid_ = -1;
};

// A varkeepd that saves only when it is told to, on a free port of 127.0.0.1
// and on a unix socket, whose changes are acknowledged when the log has them,
// in the page cache.
class ServerProcess {
 public:
  ServerProcess();

  const std::string& address() const { return address_; }
  const std::string& unix_address() const { return unix_address_; }
  // A file on the disk that the log is on.
  std::string NeighbourFile() const { return directory_.path() + "/file"; }

  // Bytes in memory, now and at most since the last reset.
  int64_t ResidentBytes() const;
  int64_t PeakResidentBytes() const;
  void ResetPeak() const;

 private:
  TempDir directory_;
  const std::string address_;
  const std::string unix_address_;
  ChildProcess process_;
};

}  // namespace varkeep::benchmarks

#endif  // VARKEEP_TESTS_BENCHMARKS_SERVER_PROCESS_H_
