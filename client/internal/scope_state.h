// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_CLIENT_INTERNAL_SCOPE_STATE_H_
#define VARKEEP_CLIENT_INTERNAL_SCOPE_STATE_H_

#include <memory>

#include "client/internal/session_core.h"
#include "client/variable_scope.h"
#include "varkeep/v1/variable.pb.h"

namespace varkeep::client {

// What a VariableScope holds: the server's description of the scope, handed
// back with every call made in it.
struct VariableScope::State {
  std::shared_ptr<SessionCore> session;
  v1::Scope scope;
};

}  // namespace varkeep::client

#endif  // VARKEEP_CLIENT_INTERNAL_SCOPE_STATE_H_
