// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_METRICS_METRICS_H_
#define VARKEEP_SERVER_METRICS_METRICS_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/durability/checkpointer.h"
#include "server/durability/committer.h"
#include "server/durability/scrubber.h"
#include "server/variables/call_memory.h"
#include "server/variables/variable_store.h"
#include "storage/log/log.h"

namespace varkeep {

// What is measured; everything must live longer than the endpoint.
struct MetricsSources {
  const VariableStore* store = nullptr;
  const CallMemory* call_memory = nullptr;
  const Committer* committer = nullptr;
  const Checkpointer* checkpointer = nullptr;
  const Scrubber* scrubber = nullptr;
  const storage::Log* log = nullptr;
};

// Serves http://ADDRESS/metrics for Prometheus, on threads of its own. Values
// are read when they are asked for: a server that is not scraped pays nothing.
// Thread-safe.
class MetricsEndpoint {
 public:
  // `address` is "host:port"; port 0 takes a free one. UNAVAILABLE when it
  // cannot be listened on.
  static absl::StatusOr<std::unique_ptr<MetricsEndpoint>> Start(
      const std::string& address, const MetricsSources& sources);
  virtual ~MetricsEndpoint() = default;

  virtual int port() const = 0;
};

}  // namespace varkeep

#endif  // VARKEEP_SERVER_METRICS_METRICS_H_
