// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_DURABILITY_MUTATION_CODEC_H_
#define VARKEEP_SERVER_DURABILITY_MUTATION_CODEC_H_

#include <optional>

#include "absl/status/statusor.h"
#include "server/variables/mutation.h"
#include "storage/log/log.h"

namespace varkeep {

// What a mutation is inside a log record: one JSON object, described in
// docs/log_format.md, and its tensors beside it. Initialize keeps names, not
// numbers: specs and seeds are with the variables, and every machine draws the
// same.
storage::LogEntry EncodeMutation(const Mutation& mutation,
                                 const std::optional<RequestId>& request);

struct LoggedMutation {
  Mutation mutation;
  std::optional<RequestId> request;
};

// The inverse. DATA_LOSS names what is not understood.
absl::StatusOr<LoggedMutation> DecodeMutation(const storage::LogEntry& entry);

}  // namespace varkeep

#endif  // VARKEEP_SERVER_DURABILITY_MUTATION_CODEC_H_
