// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TESTS_CLIENT_SERVER_PROCESS_H_
#define VARKEEP_TESTS_CLIENT_SERVER_PROCESS_H_

#include <sys/types.h>

#include <string>

#include "tests/testing/temp_dir.h"

namespace varkeep {

// A varkeepd of its own on a free port of this machine, which can be killed and
// started again on the same port and data.
class ServerProcess {
 public:
  // Starts it and waits until it serves.
  ServerProcess();
  ~ServerProcess();

  const std::string& address() const { return address_; }
  void Kill();   // kill -9
  void Start();  // after Kill; does not wait until it serves
  void WaitUntilServing();

 private:
  TempDir directory_;
  std::string address_;
  pid_t pid_ = -1;
};

}  // namespace varkeep

#endif  // VARKEEP_TESTS_CLIENT_SERVER_PROCESS_H_
