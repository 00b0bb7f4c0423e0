// SPDX-License-Identifier: Apache-2.0
//
// varkeep: look at a variable server and look after it.
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "client/cli/context.h"
#include "client/cli/import_verb.h"
#include "client/cli/offline_verbs.h"

namespace varkeep::cli {
namespace {

// A message of one line on stderr.
void PrintError(std::string message) {
  for (char& c : message) {
    if (c == '\n' || c == '\r') c = ' ';
  }
  std::cerr << "varkeep: " << message << "\n";
}

void AddGlobalOptions(CLI::App* app, Context* context) {
  app->add_option("--server", context->server,
                  "host:port or unix:path of the server")
      ->envname("VARKEEP_SERVER")
      ->capture_default_str();
  app->add_option("--container", context->container,
                  "container of the variables")
      ->envname("VARKEEP_CONTAINER");
  app->add_option("-o,--output", context->output, "table or json")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  app->add_option("--timeout", context->timeout_seconds,
                  "how long to wait for the server: 5, 5s, 500ms, 2m")
      ->transform(CLI::AsNumberWithUnit(
          std::map<std::string, double>{{"ms", 0.001}, {"s", 1}, {"m", 60}}))
      ->check(CLI::PositiveNumber)
      ->capture_default_str()
      ->type_name("DURATION");
  app->set_version_flag("--version", "varkeep " VARKEEP_VERSION);
  app->require_subcommand(1);
  app->footer(std::string(kExitCodesHelp) +
              "\nHelp for a verb: varkeep VERB --help");
}

// CLI11's message, or for an unknown verb one that suggests another.
std::string Explain(const CLI::App& app, const CLI::ParseError& error,
                    const std::vector<std::string>& arguments) {
  std::vector<std::string> verbs;
  for (const CLI::App* verb : app.get_subcommands({})) {
    verbs.push_back(verb->get_name());
    if (verb->parsed()) return error.what();
  }
  for (const std::string& argument : arguments) {
    if (argument.empty() || argument[0] == '-') continue;
    std::string nearest = NearestVerb(argument, verbs);
    return "unknown verb '" + argument + "'" +
           (nearest.empty() ? "; see varkeep --help"
                            : "; did you mean '" + nearest + "'?");
  }
  return error.what();
}

int Run(int argc, char** argv) {
  CLI::App app("Look at a Varkeep variable server and look after it.",
               "varkeep");
  Context context;
  AddGlobalOptions(&app, &context);
  AddListVerbs(&app, &context);
  AddVariableVerbs(&app, &context);
  AddValueVerbs(&app, &context);
  AddCheckpointVerbs(&app, &context);
  AddServerVerbs(&app, &context);
  AddImportVerb(&app, &context);
  AddOfflineVerbs(&app, &context);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {  // --help, --version
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    PrintError(Explain(app, error, {argv + 1, argv + argc}));
    return 2;
  }
  absl::Status status = context.run();
  std::cout.flush();
  if (absl::IsUnavailable(status)) {
    PrintError(context.server + ": " + std::string(status.message()));
  } else if (!status.ok()) {
    PrintError(std::string(status.message()));
  }
  return ExitCode(status);
}

}  // namespace
}  // namespace varkeep::cli

int main(int argc, char** argv) {
  signal(SIGINT, [](int) { _exit(130); });
  return varkeep::cli::Run(argc, argv);
}
