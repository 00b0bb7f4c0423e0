// SPDX-License-Identifier: Apache-2.0
#include "proto/grpc_lifetime.h"

#include <grpc/grpc.h>

namespace varkeep {

void KeepGrpcRunning() {
  static const bool once = [] {
    grpc_init();
    return true;
  }();
  static_cast<void>(once);
}

}  // namespace varkeep
