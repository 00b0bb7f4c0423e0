// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_PROTO_GRPC_LIFETIME_H_
#define VARKEEP_PROTO_GRPC_LIFETIME_H_

namespace varkeep {

// Keeps gRPC from shutting down when its last channel or server goes, for as
// long as the process lives: shutting down joins its backup poller, which takes
// up to ten seconds after a write that did not go through at once. Thread-safe.
void KeepGrpcRunning();

}  // namespace varkeep

#endif  // VARKEEP_PROTO_GRPC_LIFETIME_H_
