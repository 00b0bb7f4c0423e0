// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_CLIENT_CLIENT_H_
#define VARKEEP_CLIENT_CLIENT_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/durability.h"
#include "client/retry_policy.h"
#include "client/selection.h"
#include "client/session.h"
#include "client/variable.h"
#include "client/variable_options.h"

namespace varkeep::client {

struct ClientOptions {
  RetryPolicy retry;
  // How safe a change of a value is when its call returns, unless the call says
  // otherwise; unset: as the server is set.
  std::optional<Durability> durability = {};
};

// A connection to a server. Thread-safe; what it made keeps working after it
// is gone.
//
//   auto client = Client::Connect("localhost:7700").value();
//   auto session = client->OpenSession().value();
//   Variable w = session->GetVariable("w", {2, 3}, Ones()).value();
//   session->Initialize().value();
//   TensorRef value = w.Read().value();
class Client {
 public:
  // `address` is "host:port" or "unix:path"; INVALID_ARGUMENT for another form.
  // Connects with the first call: the server need not be up yet.
  static absl::StatusOr<std::shared_ptr<Client>> Connect(
      const std::string& address, const ClientOptions& options = {});

  // What a program that declares variables starts with.
  absl::StatusOr<std::shared_ptr<Session>> OpenSession(
      const SessionOptions& options = {});

  // Without a session, by full name ("foo/v"; ":0" may follow), judged against
  // the container itself.

  // NOT_FOUND when the container has no such variable.
  absl::StatusOr<Variable> FindVariable(const std::string& name,
                                        const std::string& container = "");
  // tf.get_variable: ALREADY_EXISTS when the container has one and `reuse` is
  // not set.
  absl::StatusOr<Variable> GetVariable(const std::string& name,
                                       const std::optional<Shape>& shape,
                                       const VariableOptions& options = {},
                                       Reuse reuse = Reuse::kInherit,
                                       const std::string& container = "");
  // Op names that got a value. NOT_FOUND when one does not exist.
  absl::StatusOr<std::vector<std::string>> Initialize(
      const Selection& selection, bool force = false,
      const std::string& container = "");

  // Public for AdminClient.
  const std::shared_ptr<Connection>& connection() const { return connection_; }
  explicit Client(std::shared_ptr<Connection> connection);

 private:
  const std::shared_ptr<Connection> connection_;
};

}  // namespace varkeep::client

#endif  // VARKEEP_CLIENT_CLIENT_H_
