// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TESTS_TESTING_SERVER_PROCESS_H_
#define VARKEEP_TESTS_TESTING_SERVER_PROCESS_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/thread_pool.h"
#include "tests/testing/temp_dir.h"

namespace varkeep {

// A varkeepd of its own, which can be killed and started again on the same
// address and data. The address is a unix socket: no other process can take it
// while the server is down. It dies with this process, however that ends, and
// holds none of its pipes: what it says is in a file and repeated at the end.
class ServerProcess {
 public:
  // Starts it and waits until it serves. `flags` are those of varkeepd beyond
  // the address and the data; without them it saves only when asked.
  explicit ServerProcess(std::vector<std::string> flags = {});
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  const std::string& address() const { return address_; }
  std::string data_directory() const { return directory_.path() + "/data"; }
  void Kill();   // kill -9
  void Start();  // after Kill; does not wait until it serves
  void Pause();  // until Resume it does nothing, as on a machine that hangs
  void Resume();
  void WaitUntilServing();
  pid_t pid() const { return pid_; }  // -1: it was killed
  // False when it ended by itself.
  bool IsRunning();

 private:
  std::string OutputFile() const { return directory_.path() + "/output"; }
  pid_t Spawn();
  void RepeatOutput() const;

  const std::vector<std::string> flags_;
  TempDir directory_;
  std::string address_;
  // A process dies with the thread that made it, so that is this one.
  ThreadPool spawner_{1};
  pid_t pid_ = -1;
};

}  // namespace varkeep

#endif  // VARKEEP_TESTS_TESTING_SERVER_PROCESS_H_
