// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_SERVICE_CHANGES_H_
#define VARKEEP_SERVER_SERVICE_CHANGES_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "server/service/services.h"
#include "server/variables/mutation.h"
#include "varkeep/v1/variable_service.pb.h"

namespace varkeep {

// Applying more than this takes longer than handing it to a worker.
inline constexpr int64_t kInlineBytes = 256 << 10;

// Applies what was received and says what the client is told. `draft`: of the
// mutation; may be null.
absl::StatusOr<v1::AssignResponse> ApplyAssignWith(
    storage::LogDraft* draft, const ServiceContext& services,
    const Mutation& mutation, const Request& request);
absl::StatusOr<v1::AssignResponse> ApplyAssign(const ServiceContext& services,
                                               const Mutation& mutation,
                                               const Request& request);
absl::StatusOr<v1::TransactionResponse> ApplyTransaction(
    const ServiceContext& services, const Mutation& mutation,
    const Request& request);

}  // namespace varkeep

#endif  // VARKEEP_SERVER_SERVICE_CHANGES_H_
