// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_CLIENT_CLI_CONTEXT_H_
#define VARKEEP_CLIENT_CLI_CONTEXT_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/admin_client.h"
#include "client/client.h"

namespace CLI {
class App;
}

namespace varkeep::cli {

// What all verbs share: the global options, and the verb to run, which parsing
// sets.
struct Context {
  std::string server = "localhost:7700";
  std::string container;
  std::string output = "table";  // or json
  double timeout_seconds = 60;
  std::function<absl::Status()> run;

  bool json() const { return output == "json"; }
  // A client that sends calls once: a person would rather know.
  absl::StatusOr<std::shared_ptr<client::Client>> Connect() const;
  absl::StatusOr<client::AdminClient> ConnectAdmin() const;
};

// An error of what was typed, not of the server: exit code 2.
absl::Status UsageError(absl::string_view message);

// The exit code that --help documents.
int ExitCode(const absl::Status& status);
extern const char kExitCodesHelp[];

// The verb of `known` that `typed` is most like; "" when none is close.
std::string NearestVerb(const std::string& typed,
                        const std::vector<std::string>& known);

// A verb with its description and an example for --help; `run` is what it does.
CLI::App* AddVerb(CLI::App* app, const std::string& name,
                  const std::string& description, const std::string& example,
                  Context* context, std::function<absl::Status()> run);

// Each group of verbs adds itself.
void AddVariableVerbs(CLI::App* app, Context* context);
void AddListVerbs(CLI::App* app, Context* context);
void AddValueVerbs(CLI::App* app, Context* context);
void AddCheckpointVerbs(CLI::App* app, Context* context);
void AddServerVerbs(CLI::App* app, Context* context);

}  // namespace varkeep::cli

#endif  // VARKEEP_CLIENT_CLI_CONTEXT_H_
