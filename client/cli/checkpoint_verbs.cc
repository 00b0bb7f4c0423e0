// SPDX-License-Identifier: Apache-2.0
//
// save, restore, checkpoints: keeping values and bringing them back.
#include <CLI/CLI.hpp>
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "client/cli/context.h"
#include "client/cli/format.h"
#include "client/cli/progress.h"

namespace varkeep::cli {
namespace {

using client::CheckpointInfo;

struct RestoreArguments {
  client::RestoreOptions options;
  std::vector<std::string> map;
};

absl::Status Save(const Context& context) {
  ASSIGN_OR_RETURN(client::AdminClient admin, context.ConnectAdmin());
  CheckpointInfo saved;
  {
    ProgressBar progress("save");
    ASSIGN_OR_RETURN(saved, admin.Save([&](int64_t done, int64_t total) {
      progress.Update(done, total);
    }));
  }
  if (context.json()) {
    PrintJson(ToJson(saved));
  } else {
    Print(absl::StrCat("checkpoint ", saved.id, " at revision ", saved.revision,
                       ": ", saved.entries, " entries, ",
                       FormatBytes(saved.size_bytes), ", ", saved.file));
  }
  return absl::OkStatus();
}

absl::Status Restore(const Context& context,
                     const RestoreArguments& arguments) {
  client::RestoreOptions options = arguments.options;
  options.container = context.container;
  for (const std::string& pair : arguments.map) {
    size_t equals = pair.find('=');
    if (equals == std::string::npos || equals == 0 ||
        equals + 1 == pair.size()) {
      return UsageError(absl::StrCat("--map '", pair, "' is not FROM=TO"));
    }
    options.name_map[pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  ASSIGN_OR_RETURN(client::AdminClient admin, context.ConnectAdmin());
  ASSIGN_OR_RETURN(client::RestoreReport report, admin.Restore(options));
  if (context.json()) {
    PrintJson(ToJson(report));
    return absl::OkStatus();
  }
  if (report.duplicate) {
    Print(absl::StrCat("restored at revision ", report.revision,
                       "; the answer was lost on the way"));
    return absl::OkStatus();
  }
  Table table({"CHECKPOINT NAME", "VARIABLE", "SIZE", "NOTE"});
  for (const client::RestoreReport::Item& item : report.variables) {
    std::string note = item.declared ? "declared" : "";
    if (!item.has_value) note += note.empty() ? "no value" : ", no value";
    table.Add(
        {item.checkpoint_name, item.name, FormatBytes(item.size_bytes), note});
  }
  Print(table.ToString());
  Print(absl::StrCat(
      options.dry_run ? "would restore " : "restored ", report.variables.size(),
      " variables from checkpoint ", report.checkpoint.id,
      options.dry_run ? "" : absl::StrCat(" at revision ", report.revision)));
  return absl::OkStatus();
}

absl::Status ShowCheckpoint(const Context& context, int64_t id,
                            client::AdminClient* admin) {
  ASSIGN_OR_RETURN(std::vector<client::VariableInfo> infos,
                   admin->DescribeCheckpoint(id));
  Json list = Json::array();
  Table table({"NAME", "CONTAINER", "DTYPE", "SHAPE", "SIZE", "VERSION"});
  for (const client::VariableInfo& info : infos) {
    list.push_back(ToJson(info));
    table.Add({info.name, info.container, std::string(DTypeName(info.dtype)),
               info.shape.ToTupleString(), FormatBytes(info.size_bytes),
               absl::StrCat(info.version)});
  }
  if (context.json()) {
    PrintJson(Json{{"variables", list}});
  } else {
    Print(table.ToString());
  }
  return absl::OkStatus();
}

absl::Status Checkpoints(const Context& context, int64_t id) {
  ASSIGN_OR_RETURN(client::AdminClient admin, context.ConnectAdmin());
  if (id > 0) return ShowCheckpoint(context, id, &admin);
  ASSIGN_OR_RETURN(std::vector<CheckpointInfo> checkpoints,
                   admin.ListCheckpoints());
  Json list = Json::array();
  const bool damaged = std::ranges::any_of(
      checkpoints, [](const auto& info) { return !info.damage.empty(); });
  std::vector<std::string> titles = {"ID",      "REVISION", "CREATED",
                                     "ENTRIES", "SIZE",     "FILE"};
  if (damaged) titles.push_back("DAMAGE");
  Table table(titles);
  for (const CheckpointInfo& checkpoint : checkpoints) {
    list.push_back(ToJson(checkpoint));
    std::vector<std::string> row = {
        absl::StrCat(checkpoint.id),        absl::StrCat(checkpoint.revision),
        TimeText(checkpoint.created),       absl::StrCat(checkpoint.entries),
        FormatBytes(checkpoint.size_bytes), checkpoint.file};
    if (damaged) row.push_back(checkpoint.damage);
    table.Add(std::move(row));
  }
  if (context.json()) {
    PrintJson(Json{{"checkpoints", list}});
  } else {
    Print(table.ToString());
  }
  return absl::OkStatus();
}

}  // namespace

void AddCheckpointVerbs(CLI::App* app, Context* context) {
  AddVerb(app, "save", "Write a checkpoint now", "varkeep save", context,
          [context] { return Save(*context); });

  auto restore = std::make_shared<RestoreArguments>();
  CLI::App* verb =
      AddVerb(app, "restore", "Bring values back from a checkpoint",
              "varkeep restore 7 --dry-run --map hidden/w=copy/w", context,
              [context, restore] { return Restore(*context, *restore); });
  verb->add_option("ID", restore->options.id, "checkpoint; default the newest");
  verb->add_flag("--dry-run", restore->options.dry_run,
                 "check and report, change nothing");
  verb->add_option("--name", restore->options.names,
                   "only this variable of the checkpoint; repeatable");
  verb->add_option("--map", restore->map,
                   "FROM=TO: into another variable; repeatable");

  auto id = std::make_shared<int64_t>(0);
  AddVerb(app, "checkpoints", "List checkpoints, or what is in one",
          "varkeep checkpoints", context,
          [context, id] { return Checkpoints(*context, *id); })
      ->add_option("ID", *id, "checkpoint to look into");
}

}  // namespace varkeep::cli
