// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_CLIENT_CLI_IMPORT_VERB_H_
#define VARKEEP_CLIENT_CLI_IMPORT_VERB_H_

#include "client/cli/context.h"

namespace varkeep::cli {

// import: values of an HDF5 file into a server.
void AddImportVerb(CLI::App* app, Context* context);

}  // namespace varkeep::cli

#endif  // VARKEEP_CLIENT_CLI_IMPORT_VERB_H_
