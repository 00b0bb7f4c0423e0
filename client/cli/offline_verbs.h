// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_CLIENT_CLI_OFFLINE_VERBS_H_
#define VARKEEP_CLIENT_CLI_OFFLINE_VERBS_H_

#include "client/cli/context.h"

namespace varkeep::cli {

// verify, log inspect, log truncate: a data directory without a server.
void AddOfflineVerbs(CLI::App* app, Context* context);

}  // namespace varkeep::cli

#endif  // VARKEEP_CLIENT_CLI_OFFLINE_VERBS_H_
