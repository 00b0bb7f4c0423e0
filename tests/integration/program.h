// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TESTS_INTEGRATION_PROGRAM_H_
#define VARKEEP_TESTS_INTEGRATION_PROGRAM_H_

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <vector>

#include "client/client.h"
#include "tests/testing/in_process_server.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/tensors.h"

namespace varkeep {

// One program, as TensorFlow's introductions show them: a server of its own, an
// empty container and one session.
class ProgramTest : public ::testing::Test {
 protected:
  ProgramTest() { session_ = Open(); }

  std::shared_ptr<client::Session> Open(
      const client::SessionOptions& options = {}) {
    auto client = client::Client::Connect(server_.address());
    EXPECT_TRUE(client.ok()) << client.status();
    auto session = (*client)->OpenSession(options);
    EXPECT_TRUE(session.ok()) << session.status();
    return *session;
  }

  // Names in a collection, in its order.
  std::vector<std::string> Names(const std::string& key) {
    std::vector<std::string> names;
    auto variables = session_->Collection(key);
    EXPECT_TRUE(variables.ok()) << variables.status();
    for (const client::Variable& variable : *variables) {
      names.push_back(variable.name());
    }
    return names;
  }

  // Declares by `initializer` under a name of its own, initializes, and reads.
  std::vector<float> Draw(const Shape& shape,
                          const client::Initializer& initializer) {
    auto variable = session_->CreateVariable("drawn", shape, initializer);
    EXPECT_TRUE(variable.ok()) << variable.status();
    absl::Status initialized = variable->Initialize();
    EXPECT_TRUE(initialized.ok()) << initialized;
    return Floats(*variable);
  }

  static std::vector<float> Floats(const client::Variable& variable) {
    auto value = variable.Read();
    EXPECT_TRUE(value.ok()) << value.status();
    return value.ok() ? Values<float>(**value) : std::vector<float>();
  }

  InProcessServer server_;
  std::shared_ptr<client::Session> session_;
};

}  // namespace varkeep

#endif  // VARKEEP_TESTS_INTEGRATION_PROGRAM_H_
