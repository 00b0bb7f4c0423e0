// SPDX-License-Identifier: Apache-2.0
#include "server/server_options.h"

#include <CLI/CLI.hpp>

#include "server/version.h"

namespace varkeep {
namespace {

// A CLI11 conversion for durations such as 90s, 1m30s, 12h; 0 is zero.
CLI::Option* AddDuration(CLI::App* app, const std::string& name,
                         absl::Duration* duration, const std::string& text,
                         const std::string& shown_default) {
  return app
      ->add_option_function<std::string>(
          name,
          [duration, name](const std::string& value) {
            if (!absl::ParseDuration(value, duration) ||
                *duration < absl::ZeroDuration()) {
              throw CLI::ValidationError(
                  name,
                  "'" + value + "' is not a duration such as 90s, 10m or 12h");
            }
          },
          text)
      ->default_str(shown_default)
      ->type_name("DURATION");
}

void AddSize(CLI::App* app, const std::string& name, int64_t* bytes,
             const std::string& text) {
  app->add_option(name, *bytes, text)
      ->transform(CLI::AsSizeValue(/*kb_is_1000=*/false))
      ->check(CLI::NonNegativeNumber)
      ->type_name("BYTES");
}

constexpr char kFooter[] = R"(
Sizes take units: 512MB, 64GB (powers of 1024). Durations: 90s, 10m, 12h.
Each option can also be given by an environment variable: --data-dir is
VARKEEP_DATA_DIR, and so on.

SIGTERM and SIGINT: finish the calls under way, save a checkpoint, exit 0.
A second signal: leave at once.

Exit codes: 0 stopped and saved; 1 could not start, or the last save failed;
2 wrong usage; 5 checkpoint or log is damaged: the message says what helps.

Example:
  varkeepd --data-dir /var/lib/varkeep --listen localhost:7700)";

}  // namespace

std::variant<ServerOptions, int> ParseServerOptions(int argc, char** argv) {
  ServerOptions options;
  CLI::App app(
      "varkeepd: shares named tensors with remote workers, with the variables "
      "of TensorFlow 1, and keeps them in HDF5 checkpoints.");
  app.footer(kFooter);
  app.set_version_flag("--version", kVersion);
  app.add_option("--listen", options.listen,
                 "Addresses: host:port, unix:/path; port 0 takes a free one")
      ->delimiter(',')
      ->capture_default_str();
  app.add_option("--metrics-listen", options.metrics_listen,
                 "host:port where http://host:port/metrics is served for "
                 "Prometheus; not set: nowhere");
  app.add_option("--data-dir", options.data_directory,
                 "Where checkpoints and log are kept; made when missing")
      ->capture_default_str();
  app.add_option(
         "--durability", options.durability,
         "When a change is acknowledged: fsync: it is on the disk; "
         "interval: it survives kill -9, and a power cut --sync-interval "
         "later; none: it survives kill -9. A request may ask for more "
         "or less")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, Durability>{{"none", Durability::kNone},
                                            {"interval", Durability::kInterval},
                                            {"fsync", Durability::kFsync}}))
      ->default_str("interval")
      ->type_name("none|interval|fsync");
  AddDuration(&app, "--sync-interval", &options.sync_interval,
              "Time between syncs of the log with --durability interval", "1s");
  AddSize(&app, "--log-limit", &options.log_limit_bytes,
          "Save when the log since the last checkpoint is longer; 0: no limit");
  app.add_option_function<double>(
         "--log-limit-seconds",
         [&options](double seconds) {
           options.log_limit_time =
               seconds > 0 ? absl::Seconds(seconds) : absl::InfiniteDuration();
         },
         "Save when replaying the log would take longer; 0: no limit")
      ->check(CLI::NonNegativeNumber)
      ->default_str("30")
      ->type_name("SECONDS");
  AddDuration(&app, "--checkpoint-interval", &options.checkpoint_interval,
              "Time between checkpoints, when something changed; 0: only on "
              "request and at the end",
              "1m");
  app.add_option("--max-to-keep", options.max_to_keep,
                 "Newest checkpoints to keep; 0: all")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  AddDuration(&app, "--keep-checkpoint-every", &options.keep_checkpoint_every,
              "Of the others keep one in this time for ever", "inf");
  AddDuration(&app, "--scrub-interval", &options.scrub_interval,
              "Time in which each checkpoint is read and verified once, in the "
              "background",
              "24h");
  app.add_flag("--allow-fallback", options.allow_fallback,
               "When the newest checkpoint is damaged and the log does not "
               "make up for it, start from what is left");
  AddSize(&app, "--max-variable-bytes", &options.max_variable_bytes,
          "Largest variable");
  AddSize(&app, "--memory-limit", &options.memory_limit_bytes,
          "Largest size of all values together, with replaced ones that reads "
          "and saves under way still hold; 0: four fifths of the memory that "
          "the machine, or its control group, lets the server use; 1EB: as "
          "good as none");
  AddSize(&app, "--call-memory-limit", &options.call_memory_limit_bytes,
          "Largest size of what uploads and answers under way hold beside the "
          "values; 0: half of the memory that the server may use, but not "
          "more than a --memory-limit that is given");
  AddDuration(&app, "--session-lease", &options.session_lease,
              "A session that is idle for longer is forgotten", "10m");
  AddDuration(&app, "--grace", &options.grace,
              "Time for calls under way when stopping", "5s");
  app.add_option("--threads", options.threads,
                 "Threads for initializers and large updates; 0: one for each "
                 "processor")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--log-level", options.log_level, "What to log on stderr")
      ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error"}))
      ->capture_default_str();
  for (CLI::Option* option : app.get_options()) {
    std::string name = option->get_single_name();
    if (name == "help" || name == "version") continue;
    for (char& c : name) {
      c = c == '-' ? '_' : static_cast<char>(std::toupper(c));
    }
    option->envname("VARKEEP_" + name);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return options;
}

}  // namespace varkeep
