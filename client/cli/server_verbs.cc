// SPDX-License-Identifier: Apache-2.0
//
// status, health, sessions, reset, log-level, drain, resume: the server itself.
#include <CLI/CLI.hpp>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/status_macros.h"
#include "client/cli/context.h"
#include "client/cli/format.h"

namespace varkeep::cli {
namespace {

// "3 minutes ago" is not worth a library: seconds, cut.
std::string Ago(absl::Time time) {
  return absl::StrCat(
      absl::FormatDuration(absl::Trunc(absl::Now() - time, absl::Seconds(1))),
      " ago");
}

std::string LastCheckpoint(const client::ServerStatus& status) {
  if (!status.last_checkpoint) return "none";
  uint64_t behind = status.revision > status.last_checkpoint_revision
                        ? status.revision - status.last_checkpoint_revision
                        : 0;
  return absl::StrCat("id ", status.last_checkpoint->id, ", ",
                      Ago(status.last_checkpoint->created), ", ", behind,
                      " revisions behind");
}

std::string Unsynced(const client::ServerStatus& status) {
  if (status.synced_revision >= status.revision) return "all on the disk";
  return absl::StrCat(status.revision - status.synced_revision,
                      " revisions not synced");
}

absl::Status Status(const Context& context) {
  ASSIGN_OR_RETURN(client::AdminClient admin, context.ConnectAdmin());
  ASSIGN_OR_RETURN(client::ServerStatus status, admin.Status());
  if (context.json()) {
    PrintJson(ToJson(status));
    return absl::OkStatus();
  }
  std::string state = status.draining ? "draining" : "serving";
  if (!status.log_error.empty()) state = "reading only";
  if (status.saving) state += ", saving";
  Print(absl::StrCat("server:          ", context.server, ", version ",
                     status.version));
  Print(absl::StrCat("state:           ", state));
  Print(absl::StrCat("started:         ", TimeText(status.started), ", ",
                     Ago(status.started)));
  Print(absl::StrCat("data directory:  ", status.data_directory));
  Print(absl::StrCat("revision:        ", status.revision));
  Print(absl::StrCat("variables:       ", status.variables, ", ",
                     status.uninitialized, " uninitialized"));
  Print(absl::StrCat("values:          ", FormatBytes(status.value_bytes),
                     status.memory_limit_bytes == 0 ? "" : " of ",
                     status.memory_limit_bytes == 0
                         ? ""
                         : FormatBytes(status.memory_limit_bytes)));
  if (status.replaced_value_bytes > 0) {
    Print(absl::StrCat(
        "replaced values: ", FormatBytes(status.replaced_value_bytes),
        " held by reads or saves"));
  }
  Print(absl::StrCat("calls under way: ", FormatBytes(status.call_bytes),
                     " of ", FormatBytes(status.call_limit_bytes)));
  Print(absl::StrCat("sessions:        ", status.sessions));
  Print(absl::StrCat("log:             ", FormatBytes(status.log_bytes), " in ",
                     status.log_segments, " segments, durability ",
                     DurabilityName(status.durability), ", ",
                     Unsynced(status)));
  if (!status.log_error.empty()) {
    Print(absl::StrCat("log:             FAILED: ", status.log_error));
  }
  Print(absl::StrCat("last checkpoint: ", LastCheckpoint(status)));
  if (!status.last_save_error.empty()) {
    Print(absl::StrCat("last save:       FAILED: ", status.last_save_error));
  }
  Print(absl::StrCat("saves every:     ",
                     status.checkpoint_interval == absl::ZeroDuration()
                         ? "never by itself"
                         : absl::FormatDuration(status.checkpoint_interval)));
  Print(absl::StrCat("log level:       ", status.log_level));
  return absl::OkStatus();
}

absl::Status Health(const Context& context) {
  ASSIGN_OR_RETURN(client::AdminClient admin, context.ConnectAdmin());
  ASSIGN_OR_RETURN(std::string health, admin.Health());
  if (context.json()) {
    PrintJson(Json{{"status", health}});
  } else {
    Print(health);
  }
  if (health == "SERVING") return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("the server is ", health));
}

absl::Status Sessions(const Context& context) {
  ASSIGN_OR_RETURN(client::AdminClient admin, context.ConnectAdmin());
  ASSIGN_OR_RETURN(std::vector<client::SessionInfo> sessions,
                   admin.ListSessions());
  Json list = Json::array();
  Table table(
      {"ID", "CONTAINER", "VARIABLES", "OPENED", "LAST USED", "CREATOR"});
  for (const client::SessionInfo& session : sessions) {
    list.push_back(ToJson(session));
    table.Add({session.id, session.container, absl::StrCat(session.variables),
               TimeText(session.opened), TimeText(session.last_used),
               session.creator});
  }
  if (context.json()) {
    PrintJson(Json{{"sessions", list}});
  } else {
    Print(table.ToString());
  }
  return absl::OkStatus();
}

absl::Status Reset(const Context& context, const std::string& container) {
  ASSIGN_OR_RETURN(client::AdminClient admin, context.ConnectAdmin());
  ASSIGN_OR_RETURN(client::AdminClient::Dropped dropped,
                   admin.ResetContainer(container));
  if (context.json()) {
    PrintJson(Json{{"dropped_variables", dropped.variables},
                   {"closed_sessions", dropped.sessions}});
  } else {
    Print(absl::StrCat("dropped ", dropped.variables, " variables, closed ",
                       dropped.sessions, " sessions"));
  }
  return absl::OkStatus();
}

absl::Status LogLevel(const Context& context, const std::string& level) {
  ASSIGN_OR_RETURN(client::AdminClient admin, context.ConnectAdmin());
  std::string previous;
  if (level.empty()) {
    ASSIGN_OR_RETURN(client::ServerStatus status, admin.Status());
    previous = status.log_level;
  } else {
    ASSIGN_OR_RETURN(previous, admin.SetLogLevel(level));
  }
  std::string now = level.empty() ? previous : level;
  if (context.json()) {
    PrintJson(Json{{"log_level", now}, {"previous", previous}});
  } else {
    Print(level.empty() ? now : absl::StrCat(previous, " -> ", now));
  }
  return absl::OkStatus();
}

absl::Status Drain(const Context& context, bool resume) {
  ASSIGN_OR_RETURN(client::AdminClient admin, context.ConnectAdmin());
  RETURN_IF_ERROR(resume ? admin.Resume() : admin.Drain());
  if (context.json()) {
    PrintJson(Json{{"draining", !resume}});
  } else {
    Print(resume ? "serving" : "draining");
  }
  return absl::OkStatus();
}

}  // namespace

void AddServerVerbs(CLI::App* app, Context* context) {
  AddVerb(app, "status", "Show how the server is", "varkeep status -o json",
          context, [context] { return Status(*context); });
  AddVerb(app, "health", "Exit with 0 when the server is serving, else 3",
          "varkeep --timeout 2 health", context,
          [context] { return Health(*context); });
  AddVerb(app, "sessions", "List open sessions", "varkeep sessions", context,
          [context] { return Sessions(*context); });

  auto container = std::make_shared<std::string>();
  AddVerb(app, "reset", "Drop all variables of a container",
          "varkeep reset experiment7", context,
          [context, container] { return Reset(*context, *container); })
      ->add_option("CONTAINER", *container, "'' is the default container")
      ->required();

  auto level = std::make_shared<std::string>();
  AddVerb(app, "log-level", "Show or change what the server logs",
          "varkeep log-level debug", context,
          [context, level] { return LogLevel(*context, *level); })
      ->add_option("LEVEL", *level, "trace, debug, info, warn or error");

  AddVerb(app, "drain", "Refuse changes until resumed; reading goes on",
          "varkeep drain && varkeep save", context,
          [context] { return Drain(*context, false); });
  AddVerb(app, "resume", "Take changes again after drain", "varkeep resume",
          context, [context] { return Drain(*context, true); });
}

}  // namespace varkeep::cli
