// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_SERVER_H_
#define VARKEEP_SERVER_SERVER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/server_options.h"

namespace varkeep {

// A whole server: the composition root. Builds every long-lived object in
// order, recovers, and serves. Thread-safe.
class Server {
 public:
  // Recovers from the data directory and listens. FAILED_PRECONDITION when
  // another server uses the directory; DATA_LOSS when the newest checkpoint is
  // damaged; UNAVAILABLE when an address cannot be listened on.
  static absl::StatusOr<std::unique_ptr<Server>> Start(
      const ServerOptions& options);
  // As Stop, when it was not called.
  ~Server();

  // One for each listen option, with the port that was taken.
  const std::vector<std::string>& addresses() const;
  // Of the metrics, with the port that was taken; "": there are none.
  const std::string& metrics_address() const;

  // Refuses changes, gives calls under way the grace time, saves, and stops.
  // The error is that of the last save. Later calls do nothing.
  absl::Status Stop();

 private:
  struct Parts;
  explicit Server(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace varkeep

#endif  // VARKEEP_SERVER_SERVER_H_
