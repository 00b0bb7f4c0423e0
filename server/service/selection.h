// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_SERVICE_SELECTION_H_
#define VARKEEP_SERVER_SERVICE_SELECTION_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/service/services.h"
#include "varkeep/v1/variable_service.pb.h"

namespace varkeep {

// Op names, and the container they are in.
struct Selected {
  std::string container;
  std::vector<std::string> names;
};

// What a Selection stands for: in a session when there is an id (which renews
// its lease), in `container` otherwise. INVALID_ARGUMENT when nothing is
// selected.
absl::StatusOr<Selected> Select(const ServiceContext& services,
                                const std::string& session_id,
                                const std::string& container,
                                const v1::Selection& selection);

// tf.report_uninitialized_variables' default: global and local variables.
absl::StatusOr<Selected> SelectGlobalAndLocal(const ServiceContext& services,
                                              const std::string& session_id,
                                              const std::string& container);

}  // namespace varkeep

#endif  // VARKEEP_SERVER_SERVICE_SELECTION_H_
