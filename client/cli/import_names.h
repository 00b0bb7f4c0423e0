// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_CLIENT_CLI_IMPORT_NAMES_H_
#define VARKEEP_CLIENT_CLI_IMPORT_NAMES_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace varkeep::cli {

// The variable that each dataset of a file becomes, by its path: the path
// without ":0" at the end, "_" for what a name cannot have, beneath `scope`
// unless that is "". In a checkpoint of ours, known by "variables/.../v:0", the
// variables of the default container without "variables/"; its other datasets
// become nothing. INVALID_ARGUMENT names two that would become the same, and
// one whose name the server would not take.
absl::StatusOr<std::map<std::string, std::string>> VariableNames(
    const std::vector<std::string>& datasets, const std::string& scope);

}  // namespace varkeep::cli

#endif  // VARKEEP_CLIENT_CLI_IMPORT_NAMES_H_
