// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_SCOPES_SESSIONLESS_H_
#define VARKEEP_SERVER_SCOPES_SESSIONLESS_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/scopes/declarer.h"
#include "server/scopes/scope.h"

namespace varkeep {

// get_variable and Variable without a session, judged against the container:
// reuse looks there, and Variable makes its name unique there. The op seed
// alone, or else `entropy`, seeds random initializers. `scope` needs only the
// fields the caller cares for.
absl::StatusOr<Declared> GetVariableWithoutSession(
    Declarer* declarer, absl::string_view container, const Scope& scope,
    const VariableArguments& args, const Request& request,
    const std::function<uint64_t()>& entropy);
absl::StatusOr<Declared> CreateVariableWithoutSession(
    Declarer* declarer, absl::string_view container, const Scope& scope,
    const VariableArguments& args, const Request& request,
    const std::function<uint64_t()>& entropy);

// Keys that the variable is in already are not added again.
absl::StatusOr<VariableInfo> AddToCollectionsWithoutSession(
    Declarer* declarer, const std::string& container,
    const std::vector<std::string>& keys, const std::string& name,
    const Request& request);

}  // namespace varkeep

#endif  // VARKEEP_SERVER_SCOPES_SESSIONLESS_H_
