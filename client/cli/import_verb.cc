// SPDX-License-Identifier: Apache-2.0
//
// import reads the file twice: first all of it, to know that it is whole and
// what is in it, before anything is changed; then each value again, to send it.
// So one value is in memory at a time, however large the file is.
#include "client/cli/import_verb.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <map>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/crc32c.h"
#include "base/status_annotate.h"
#include "base/status_macros.h"
#include "client/cli/format.h"
#include "client/cli/import_names.h"
#include "client/cli/progress.h"
#include "storage/import/hdf5_import.h"

namespace varkeep::cli {
namespace {

using storage::ImportedDataset;

struct ImportArguments {
  std::string file;
  std::string scope;
  std::vector<std::string> only;
  bool dry_run = false;
  bool overwrite = false;
  bool create = false;
};

// One dataset, and what becomes of it.
struct Item {
  enum class Action { kSkip, kCreate, kAssign, kOverwrite, kConflict };
  std::string dataset;
  std::string name;  // "": of none
  DType dtype = DType::kFloat32;
  Shape shape;
  int64_t size_bytes = 0;
  uint32_t crc = 0;
  Action action = Action::kSkip;
  std::string note;  // why, when that is not plain
  uint64_t version = 0;
};
using Action = Item::Action;

const char* ActionName(Action action) {
  switch (action) {
    case Action::kSkip:
      return "skip";
    case Action::kCreate:
      return "create";
    case Action::kAssign:
      return "assign";
    case Action::kOverwrite:
      return "overwrite";
    case Action::kConflict:
      break;
  }
  return "conflict";
}

storage::ImportOptions Options(const ImportArguments& arguments,
                               ProgressBar* progress) {
  storage::ImportOptions options;
  options.only = arguments.only;
  options.progress = [progress](int64_t done, int64_t total) {
    progress->Update(done, total);
  };
  return options;
}

// The first reading.
absl::StatusOr<std::vector<Item>> ReadItems(const ImportArguments& arguments) {
  std::vector<Item> items;
  std::vector<std::string> datasets;
  ProgressBar progress("check " + arguments.file);
  auto summary =
      storage::ImportHdf5(arguments.file, Options(arguments, &progress),
                          [&](const ImportedDataset& dataset) {
                            Item item;
                            item.dataset = dataset.path;
                            if (dataset.value == nullptr) {
                              item.note = "has no value";
                            } else {
                              item.dtype = dataset.value->dtype();
                              item.shape = dataset.value->shape();
                              item.size_bytes = dataset.value->size_bytes();
                              item.crc = Crc32c(dataset.value->bytes());
                              datasets.push_back(dataset.path);
                            }
                            items.push_back(std::move(item));
                            return absl::OkStatus();
                          });
  RETURN_IF_ERROR(summary.status());
  ASSIGN_OR_RETURN(auto names, VariableNames(datasets, arguments.scope));
  for (Item& item : items) {
    if (!item.note.empty()) continue;
    item.name = names[item.dataset];
    if (item.name.empty()) item.note = "not a variable of the checkpoint";
  }
  return items;
}

// What to do with `item` when the server has `there`, which may be null.
void Decide(const ImportArguments& arguments, const client::VariableInfo* there,
            Item* item) {
  if (there == nullptr) {
    item->action = Action::kCreate;
    return;
  }
  item->action = Action::kConflict;
  if (there->dtype != item->dtype) {
    item->note = absl::StrCat("the server has dtype ", DTypeName(there->dtype));
  } else if (!(there->shape == item->shape)) {
    item->note =
        absl::StrCat("the server has shape ", there->shape.ToTupleString());
  } else if (arguments.create) {
    item->note = "exists";
  } else if (!there->initialized) {
    item->action = Action::kAssign;
  } else if (arguments.overwrite) {
    item->action = Action::kOverwrite;
  } else {
    item->note = "has a value; --overwrite replaces it";
  }
}

absl::Status DecideAll(const Context& context, const ImportArguments& arguments,
                       const client::Client& client, std::vector<Item>* items) {
  ASSIGN_OR_RETURN(
      std::vector<client::VariableInfo> infos,
      client::AdminClient(client).ListVariables(context.container));
  std::map<std::string, const client::VariableInfo*> there;
  for (const client::VariableInfo& info : infos) there[info.op_name] = &info;
  for (Item& item : *items) {
    if (item.name.empty()) continue;
    auto found = there.find(item.name);
    Decide(arguments, found == there.end() ? nullptr : found->second, &item);
  }
  return absl::OkStatus();
}

absl::Status Conflicts(const std::vector<Item>& items) {
  std::vector<std::string> texts;
  for (const Item& item : items) {
    if (item.action != Action::kConflict) continue;
    texts.push_back(absl::StrCat("'", item.name, "' ", item.note));
  }
  if (texts.empty()) return absl::OkStatus();
  const size_t count = texts.size();
  if (count > 3) texts.resize(3);
  return absl::FailedPreconditionError(absl::StrCat(
      "nothing was imported, ", count, " of ", items.size(),
      count == 1 ? " conflicts: " : " conflict: ", absl::StrJoin(texts, "; "),
      count > 3 ? "; ..." : ""));
}

absl::Status Apply(const Context& context, client::Client* client,
                   TensorRef value, Item* item) {
  absl::StatusOr<client::Variable> variable;
  if (item->action == Action::kCreate) {
    client::VariableOptions options;
    options.dtype = item->dtype;
    options.initializer = client::Zeros();
    variable = client->GetVariable(item->name, item->shape, options,
                                   client::Reuse::kInherit, context.container);
  } else {
    variable = client->FindVariable(item->name, context.container);
  }
  RETURN_IF_ERROR(variable.status());
  ASSIGN_OR_RETURN(item->version, variable->Assign(std::move(value)));
  return absl::OkStatus();
}

// The second reading: sends what the first one saw.
absl::Status ApplyAll(const Context& context, const ImportArguments& arguments,
                      client::Client* client, std::vector<Item>* items) {
  std::map<std::string, Item*> planned;
  for (Item& item : *items) planned[item.dataset] = &item;
  int64_t done = 0;
  ProgressBar progress("import " + arguments.file);
  auto summary = storage::ImportHdf5(
      arguments.file, Options(arguments, &progress),
      [&](const ImportedDataset& dataset) {
        auto found = planned.find(dataset.path);
        Item* item = found == planned.end() ? nullptr : found->second;
        if (item != nullptr && item->action == Action::kSkip) {
          return absl::OkStatus();
        }
        if (item == nullptr || dataset.value == nullptr ||
            dataset.value->dtype() != item->dtype ||
            !(dataset.value->shape() == item->shape) ||
            Crc32c(dataset.value->bytes()) != item->crc) {
          return absl::AbortedError(
              absl::StrCat("file '", arguments.file, "': '", dataset.path,
                           "' changed while the file was imported"));
        }
        RETURN_IF_ERROR(Apply(context, client, dataset.value, item));
        ++done;
        return absl::OkStatus();
      });
  if (summary.ok()) return absl::OkStatus();
  return Annotate(summary.status(),
                  absl::StrCat("after ", done, " variables were imported"));
}

Json ToJson(const Item& item) {
  Json shape = Json::array();
  for (int64_t dim : item.shape.dims()) shape.push_back(dim);
  return {{"dataset", item.dataset},
          {"name", item.name},
          {"dtype", std::string(DTypeName(item.dtype))},
          {"shape", shape},
          {"size_bytes", item.size_bytes},
          {"action", ActionName(item.action)},
          {"note", item.note},
          {"version", item.version}};
}

void Report(const Context& context, const ImportArguments& arguments,
            const std::vector<Item>& items, bool changed) {
  int64_t count = 0;
  uint64_t bytes = 0;
  Json list = Json::array();
  Table table({"DATASET", "VARIABLE", "DTYPE", "SHAPE", "SIZE", "ACTION"});
  for (const Item& item : items) {
    list.push_back(ToJson(item));
    std::string action = ActionName(item.action);
    if (!item.note.empty()) absl::StrAppend(&action, ": ", item.note);
    if (item.name.empty()) {
      table.Add({item.dataset, "-", "-", "-", "-", action});
      continue;
    }
    ++count;
    bytes += static_cast<uint64_t>(item.size_bytes);
    table.Add({item.dataset, item.name, std::string(DTypeName(item.dtype)),
               item.shape.ToTupleString(),
               FormatBytes(static_cast<uint64_t>(item.size_bytes)), action});
  }
  if (context.json()) {
    PrintJson(Json{
        {"file", arguments.file}, {"imported", changed}, {"datasets", list}});
    return;
  }
  Print(table.ToString());
  if (changed || arguments.dry_run) {
    Print(absl::StrCat(changed ? "imported " : "would import ", count,
                       " variables, ", FormatBytes(bytes)));
  }
}

absl::Status Import(const Context& context, const ImportArguments& arguments) {
  if (arguments.overwrite && arguments.create) {
    return UsageError("give --overwrite or --create, not both");
  }
  ASSIGN_OR_RETURN(auto connected, context.Connect());
  ASSIGN_OR_RETURN(std::vector<Item> items, ReadItems(arguments));
  RETURN_IF_ERROR(DecideAll(context, arguments, *connected, &items));
  absl::Status conflicts = Conflicts(items);
  if (!conflicts.ok() || arguments.dry_run) {
    Report(context, arguments, items, false);
    return conflicts;
  }
  RETURN_IF_ERROR(ApplyAll(context, arguments, connected.get(), &items));
  Report(context, arguments, items, true);
  return absl::OkStatus();
}

}  // namespace

void AddImportVerb(CLI::App* app, Context* context) {
  auto arguments = std::make_shared<ImportArguments>();
  CLI::App* verb =
      AddVerb(app, "import",
              "Bring the values of an HDF5 file from elsewhere into the server",
              "varkeep import weights.h5 --scope teacher --dry-run", context,
              [context, arguments] { return Import(*context, *arguments); });
  verb->add_option("FILE", arguments->file,
                   "weights that Keras or h5py wrote, or a checkpoint; the "
                   "file is read in a sandbox")
      ->required();
  verb->add_option("--scope", arguments->scope,
                   "put the variables beneath this name");
  verb->add_option("--only", arguments->only,
                   "only this dataset or group of the file, as h5ls names it; "
                   "repeatable");
  verb->add_flag("--dry-run", arguments->dry_run,
                 "check and report, change nothing");
  verb->add_flag("--overwrite", arguments->overwrite,
                 "also variables that have a value");
  verb->add_flag("--create", arguments->create,
                 "only new variables: any that exists is a conflict");
}

}  // namespace varkeep::cli
