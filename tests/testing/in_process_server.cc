// SPDX-License-Identifier: Apache-2.0
#include "tests/testing/in_process_server.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

namespace varkeep {

InProcessServer::InProcessServer(
    const std::function<void(ServerOptions*)>& change) {
  options_.listen = {"127.0.0.1:0"};
  options_.data_directory = directory_.path() + "/data";
  options_.checkpoint_interval = absl::ZeroDuration();
  options_.grace = absl::Seconds(1);
  if (change) change(&options_);
  Start();
  address_ = server_->addresses()[0];
  options_.listen[0] = address_;
}

InProcessServer::~InProcessServer() = default;

void InProcessServer::Restart() {
  absl::Status stopped = server_->Stop();
  EXPECT_TRUE(stopped.ok()) << stopped;
  server_.reset();
  Start();
}

void InProcessServer::Start() {
  absl::StatusOr<std::unique_ptr<Server>> server = Server::Start(options_);
  if (!server.ok()) {
    std::cerr << "cannot start a server: " << server.status() << "\n";
    std::abort();
  }
  server_ = *std::move(server);
}

}  // namespace varkeep
