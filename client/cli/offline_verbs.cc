// SPDX-License-Identifier: Apache-2.0
#include "client/cli/offline_verbs.h"

#include <CLI/CLI.hpp>
#include <memory>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "client/admin_client.h"
#include "client/cli/context.h"
#include "client/cli/format.h"
#include "client/cli/offline_log.h"
#include "client/cli/progress.h"
#include "storage/posix_file_system.h"
#include "storage/verify_directory.h"

namespace varkeep::cli {
namespace {

using storage::DirectoryReport;

Json DamageToJson(const storage::Damage& damage) {
  return {{"file", damage.file},
          {"entry", damage.entry},
          {"offset", damage.offset},
          {"size_bytes", damage.size_bytes},
          {"message", damage.message}};
}

Json ReportToJson(const DirectoryReport& report) {
  Json checkpoints = Json::array();
  for (const DirectoryReport::Checkpoint& checkpoint : report.checkpoints) {
    Json damage = Json::array();
    for (const storage::Damage& one : checkpoint.report.damage) {
      damage.push_back(DamageToJson(one));
    }
    checkpoints.push_back({{"id", checkpoint.info.id},
                           {"file", checkpoint.info.file},
                           {"revision", checkpoint.info.revision},
                           {"listed", checkpoint.listed},
                           {"values", checkpoint.report.values},
                           {"verified_bytes", checkpoint.report.bytes},
                           {"damage", damage}});
  }
  Json newest;
  if (report.newest_good) newest = *report.newest_good;
  return {{"checkpoints", checkpoints},
          {"newest_good", newest},
          {"manifest_problem", report.manifest_problem},
          {"litter", report.litter},
          {"quarantined", report.quarantined},
          {"others", report.others}};
}

void PrintReport(const DirectoryReport& report) {
  Table table({"ID", "REVISION", "FILE", "VALUES", "VERIFIED", "STATE"});
  for (const DirectoryReport::Checkpoint& checkpoint : report.checkpoints) {
    const auto& damage = checkpoint.report.damage;
    std::string state = damage.empty() ? "good" : "DAMAGED";
    if (!checkpoint.listed) state += ", not in the manifest";
    table.Add({absl::StrCat(checkpoint.info.id),
               absl::StrCat(checkpoint.info.revision), checkpoint.info.file,
               absl::StrCat(checkpoint.report.values),
               FormatBytes(static_cast<uint64_t>(checkpoint.report.bytes)),
               state});
  }
  Print(table.ToString());
  for (const DirectoryReport::Checkpoint& checkpoint : report.checkpoints) {
    for (const storage::Damage& damage : checkpoint.report.damage) {
      Print(absl::StrCat("damage: ", damage.message));
    }
  }
  if (!report.manifest_problem.empty()) {
    Print(absl::StrCat("manifest: ", report.manifest_problem));
  }
  for (const std::string& name : report.quarantined) {
    Print(absl::StrCat("in quarantine: ", name));
  }
}

// The first thing that is wrong, and what can be used in spite of it.
absl::Status DamageIn(const std::string& directory,
                      const DirectoryReport& report) {
  const std::string newest =
      report.newest_good ? absl::StrCat("; the newest good checkpoint is ",
                                        *report.newest_good)
                         : "; no checkpoint is good";
  for (const DirectoryReport::Checkpoint& checkpoint : report.checkpoints) {
    if (checkpoint.report.damage.empty()) continue;
    return absl::DataLossError(absl::StrCat(
        "checkpoint ", checkpoint.info.id, " in '", directory,
        "' is damaged: ", checkpoint.report.damage[0].message, newest));
  }
  if (report.manifest_problem.empty() || report.checkpoints.empty()) {
    return absl::OkStatus();
  }
  return absl::DataLossError(absl::StrCat(
      "the manifest of '", directory, "': ", report.manifest_problem, newest));
}

// What a server keeps, each checkpoint with a progress of its own.
absl::Status VerifyServer(const Context& context) {
  ASSIGN_OR_RETURN(client::AdminClient admin, context.ConnectAdmin());
  ASSIGN_OR_RETURN(std::vector<client::CheckpointInfo> checkpoints,
                   admin.ListCheckpoints());
  Json list = Json::array();
  Table table({"ID", "REVISION", "FILE", "VALUES", "VERIFIED", "STATE"});
  absl::Status damaged;
  for (const client::CheckpointInfo& checkpoint : checkpoints) {
    ProgressBar progress("verify " + checkpoint.file);
    ASSIGN_OR_RETURN(
        client::VerifyReport report,
        admin.VerifyCheckpoint(checkpoint.id, [&](int64_t done, int64_t total) {
          progress.Update(done, total);
        }));
    Json damage = Json::array();
    for (const client::VerifyReport::Damage& one : report.damage) {
      damage.push_back({{"file", one.file},
                        {"entry", one.entry},
                        {"offset", one.offset},
                        {"message", one.message}});
      damaged.Update(absl::DataLossError(absl::StrCat(
          "checkpoint ", checkpoint.id, " is damaged: ", one.message)));
    }
    list.push_back({{"id", checkpoint.id},
                    {"file", checkpoint.file},
                    {"revision", checkpoint.revision},
                    {"values", report.values},
                    {"verified_bytes", report.bytes},
                    {"damage", damage}});
    table.Add({absl::StrCat(checkpoint.id), absl::StrCat(checkpoint.revision),
               checkpoint.file, absl::StrCat(report.values),
               FormatBytes(report.bytes),
               report.damage.empty() ? "good" : "DAMAGED"});
  }
  if (context.json()) {
    PrintJson(Json{{"checkpoints", list}});
  } else {
    Print(table.ToString());
  }
  return damaged;
}

absl::Status VerifyOffline(const Context& context,
                           const std::string& directory) {
  storage::PosixFileSystem files;
  absl::StatusOr<DirectoryReport> report;
  {
    ProgressBar progress("verify " + directory);
    report = storage::VerifyDirectory(&files, directory,
                                      [&](int64_t done, int64_t total) {
                                        progress.Update(done, total);
                                        return true;
                                      });
  }
  RETURN_IF_ERROR(report.status());
  ASSIGN_OR_RETURN(std::string log, LogDirectory(&files, directory));
  std::vector<storage::SegmentReport> segments;
  absl::StatusOr<std::vector<storage::SegmentReport>> inspected =
      storage::InspectLog(&files, log);
  if (inspected.ok()) {
    segments = *std::move(inspected);
  } else if (!absl::IsNotFound(inspected.status())) {
    return inspected.status();
  }
  if (context.json()) {
    Json result = ReportToJson(*report);
    result["log"] = Json::array();
    for (const storage::SegmentReport& segment : segments) {
      result["log"].push_back(ToJson(segment));
    }
    PrintJson(result);
  } else {
    PrintReport(*report);
    if (!segments.empty()) PrintSegments(segments);
  }
  RETURN_IF_ERROR(DamageIn(directory, *report));
  return DamageOf(log, segments);
}

void AddLogVerbs(CLI::App* app, Context* context) {
  CLI::App* log = app->add_subcommand(
      "log", "Look at the log of a data directory without a server");
  log->fallthrough();
  log->require_subcommand(1);
  log->footer(
      "Example: varkeep log inspect /var/lib/varkeep\n"
      "When a start finds damage in the log, its message has the command that "
      "cuts there.");

  auto inspect = std::make_shared<InspectArguments>();
  CLI::App* verb = AddVerb(
      log, "inspect",
      "Show the segments of a log, how far each is good, and why no further",
      "varkeep log inspect /var/lib/varkeep --records", context,
      [context, inspect] { return InspectLog(*context, *inspect); });
  verb->add_option("DIR", inspect->directory,
                   "data directory, or the log in it; is only read")
      ->required();
  verb->add_flag("--records", inspect->records, "every record too");

  auto truncate = std::make_shared<TruncateArguments>();
  verb = AddVerb(
      log, "truncate",
      "Give up what a log holds from an offset on; keeps it in a backup",
      "varkeep log truncate /var/lib/varkeep --at "
      "log-00000000000000000001:8192",
      context,
      [context, truncate] { return TruncateLog(*context, *truncate); });
  verb->add_option("DIR", truncate->directory,
                   "data directory that no server uses, or the log in it")
      ->required();
  verb->add_option("--at", truncate->at,
                   "FILE:OFFSET, the first byte to give up; later files go "
                   "with it")
      ->required();
}

}  // namespace

void AddOfflineVerbs(CLI::App* app, Context* context) {
  auto directory = std::make_shared<std::string>();
  AddVerb(app, "verify",
          "Read every checkpoint of the server and compare all checksums; with "
          "DIR those of a data directory and its log, without a server",
          "varkeep verify /var/lib/varkeep", context,
          [context, directory] {
            return directory->empty() ? VerifyServer(*context)
                                      : VerifyOffline(*context, *directory);
          })
      ->add_option("DIR", *directory, "data directory; is only read");
  AddLogVerbs(app, context);
}

}  // namespace varkeep::cli
