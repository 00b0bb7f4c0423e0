// SPDX-License-Identifier: Apache-2.0
#include "client/cli/context.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>

#include "absl/strings/cord.h"
#include "base/status_macros.h"

namespace varkeep::cli {
namespace {

constexpr char kUsagePayload[] = "varkeep/usage";

// Levenshtein.
size_t EditDistance(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal =
          std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, change}));
    }
  }
  return row[b.size()];
}

}  // namespace

const char kExitCodesHelp[] =
    "Exit codes: 0 ok, 1 error, 2 usage, 3 server unavailable or too slow,\n"
    "4 denied, 5 data loss, 6 not found, 7 conflict (exists, aborted,\n"
    "precondition), 8 resources exhausted, 130 interrupted.";

absl::StatusOr<std::shared_ptr<client::Client>> Context::Connect() const {
  client::ClientOptions options;
  options.retry.repeat = false;
  options.retry.timeout = absl::Seconds(timeout_seconds);
  absl::StatusOr<std::shared_ptr<client::Client>> result =
      client::Client::Connect(server, options);
  if (!result.ok()) return UsageError(result.status().message());
  return result;
}

absl::StatusOr<client::AdminClient> Context::ConnectAdmin() const {
  ASSIGN_OR_RETURN(std::shared_ptr<client::Client> connected, Connect());
  return client::AdminClient(*connected);
}

absl::Status UsageError(absl::string_view message) {
  absl::Status status = absl::InvalidArgumentError(message);
  status.SetPayload(kUsagePayload, absl::Cord());
  return status;
}

int ExitCode(const absl::Status& status) {
  if (status.GetPayload(kUsagePayload)) return 2;
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return 0;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
      return 3;
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
      return 4;
    case absl::StatusCode::kDataLoss:
      return 5;
    case absl::StatusCode::kNotFound:
      return 6;
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kFailedPrecondition:
      return 7;
    case absl::StatusCode::kResourceExhausted:
      return 8;
    default:
      return 1;
  }
}

std::string NearestVerb(const std::string& typed,
                        const std::vector<std::string>& known) {
  std::string nearest;
  size_t best = std::max<size_t>(2, typed.size() / 2) + 1;
  for (const std::string& verb : known) {
    size_t distance = EditDistance(typed, verb);
    if (distance < best) {
      best = distance;
      nearest = verb;
    }
  }
  return nearest;
}

CLI::App* AddVerb(CLI::App* app, const std::string& name,
                  const std::string& description, const std::string& example,
                  Context* context, std::function<absl::Status()> run) {
  CLI::App* verb = app->add_subcommand(name, description);
  verb->fallthrough();
  verb->footer("Example: " + example);
  verb->callback(
      [context, run = std::move(run)]() mutable { context->run = run; });
  return verb;
}

}  // namespace varkeep::cli
