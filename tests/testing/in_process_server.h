// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TESTS_TESTING_IN_PROCESS_SERVER_H_
#define VARKEEP_TESTS_TESTING_IN_PROCESS_SERVER_H_

#include <functional>
#include <memory>
#include <string>

#include "server/server.h"
#include "tests/testing/temp_dir.h"

namespace varkeep {

// A real server on a free loopback port with a data directory of its own, which
// is removed at the end. Fails the test when it cannot start.
class InProcessServer {
 public:
  // `change` may set options before the server starts.
  explicit InProcessServer(
      const std::function<void(ServerOptions*)>& change = nullptr);
  ~InProcessServer();

  // "127.0.0.1:<port>"; the same after Restart.
  const std::string& address() const { return address_; }
  const std::string& data_directory() const { return options_.data_directory; }
  Server* server() { return server_.get(); }

  // Stops cleanly, which saves, and starts again on the same directory and
  // port.
  void Restart();

 private:
  void Start();

  TempDir directory_;
  ServerOptions options_;
  std::string address_;
  std::unique_ptr<Server> server_;
};

}  // namespace varkeep

#endif  // VARKEEP_TESTS_TESTING_IN_PROCESS_SERVER_H_
