// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_PROTO_GRPC_STATUS_H_
#define VARKEEP_PROTO_GRPC_STATUS_H_

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace varkeep {

// Between our errors and gRPC's, both ways: same codes, same message. A message
// travels in an HTTP/2 header whose size peers limit, so it is cut to 1 KiB,
// at the end of a character, with "..." at its end.
grpc::Status ToGrpc(const absl::Status& status);
// A code that gRPC does not define becomes UNKNOWN.
absl::Status FromGrpc(const grpc::Status& status);

}  // namespace varkeep

#endif  // VARKEEP_PROTO_GRPC_STATUS_H_
