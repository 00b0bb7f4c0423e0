// SPDX-License-Identifier: Apache-2.0
//
// ls, tree, describe, collections: what a server has.
#include <CLI/CLI.hpp>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"
#include "client/cli/context.h"
#include "client/cli/format.h"

namespace varkeep::cli {
namespace {

using client::VariableInfo;

struct ListArguments {
  std::string scope;
  bool details = false;
  bool all_containers = false;
};

absl::StatusOr<std::vector<VariableInfo>> List(const Context& context,
                                               const ListArguments& arguments) {
  ASSIGN_OR_RETURN(client::AdminClient admin, context.ConnectAdmin());
  std::optional<std::string> container = context.container;
  if (arguments.all_containers) container.reset();
  return admin.ListVariables(container, arguments.scope);
}

void PrintInfos(const Context& context, const std::vector<VariableInfo>& infos,
                const ListArguments& arguments) {
  if (context.json()) {
    Json list = Json::array();
    for (const VariableInfo& info : infos) list.push_back(ToJson(info));
    return PrintJson(Json{{"variables", list}});
  }
  auto name = [&](const VariableInfo& info) {
    return arguments.all_containers
               ? absl::StrCat(info.container, "|", info.name)
               : info.name;
  };
  if (!arguments.details) {
    for (const VariableInfo& info : infos) Print(name(info));
    return;
  }
  Table table({"NAME", "DTYPE", "SHAPE", "SIZE", "STATE", "VERSION",
               "INITIALIZER", "COLLECTIONS"});
  for (const VariableInfo& info : infos) {
    table.Add({name(info), std::string(DTypeName(info.dtype)),
               info.shape.ToTupleString(), FormatBytes(info.size_bytes),
               info.initialized ? "initialized" : "uninitialized",
               absl::StrCat(info.version), info.initializer,
               absl::StrJoin(info.collections, ",")});
  }
  Print(table.ToString());
}

absl::Status Ls(const Context& context, const ListArguments& arguments) {
  ASSIGN_OR_RETURN(std::vector<VariableInfo> infos, List(context, arguments));
  PrintInfos(context, infos, arguments);
  return absl::OkStatus();
}

// A scope with what is in it; ordered by name.
struct Node {
  std::map<std::string, Node> children;
  const VariableInfo* variable = nullptr;
  uint64_t bytes = 0;
};

void PrintNode(const Node& node, const std::string& indent, std::string* out) {
  size_t left = node.children.size();
  for (const auto& [name, child] : node.children) {
    bool last = --left == 0;
    absl::StrAppend(out, indent, last ? "`-- " : "|-- ", name);
    if (child.variable != nullptr) {
      absl::StrAppend(out, "  ", DTypeName(child.variable->dtype), " ",
                      child.variable->shape.ToTupleString(),
                      child.variable->initialized ? "" : "  uninitialized");
    } else {
      absl::StrAppend(out, "/  ", FormatBytes(child.bytes));
    }
    out->push_back('\n');
    PrintNode(child, indent + (last ? "    " : "|   "), out);
  }
}

absl::Status Tree(const Context& context, const ListArguments& arguments) {
  ASSIGN_OR_RETURN(std::vector<VariableInfo> infos, List(context, arguments));
  if (context.json()) {
    PrintInfos(context, infos, arguments);
    return absl::OkStatus();
  }
  Node root;
  uint64_t bytes = 0;
  for (const VariableInfo& info : infos) {
    Node* node = &root;
    std::string path = info.op_name;
    if (arguments.all_containers)
      path = absl::StrCat(info.container, "|", path);
    for (const std::string& part :
         std::vector<std::string>(absl::StrSplit(path, '/'))) {
      node = &node->children[part];
      node->bytes += info.size_bytes;
    }
    node->variable = &info;
    bytes += info.size_bytes;
  }
  std::string text;
  PrintNode(root, "", &text);
  absl::StrAppend(&text, infos.size(), " variables, ", FormatBytes(bytes));
  Print(text);
  return absl::OkStatus();
}

absl::Status Describe(const Context& context, const std::string& name) {
  ASSIGN_OR_RETURN(auto connected, context.Connect());
  ASSIGN_OR_RETURN(client::Variable variable,
                   connected->FindVariable(name, context.container));
  const VariableInfo& info = variable.info();
  if (context.json()) {
    PrintJson(ToJson(info));
    return absl::OkStatus();
  }
  Print(info.ToString());
  auto line = [](absl::string_view label, const std::string& value) {
    if (!value.empty()) Print(absl::StrCat(label, value));
  };
  line("container:      ", info.container);
  line("size:           ",
       absl::StrCat(info.shape.num_elements(), " elements, ",
                    FormatBytes(info.size_bytes)));
  line("state:          ", info.initialized
                               ? absl::StrCat("version ", info.version)
                               : "uninitialized");
  line("trainable:      ", info.trainable ? "yes" : "no");
  line("collections:    ", absl::StrJoin(info.collections, ", "));
  line("initializer:    ",
       absl::StrCat(info.initializer, ", drawn ", info.run,
                    " times with seeds ", info.seed, " ", info.seed2));
  line("regularizer:    ", info.regularizer);
  line("caching device: ", info.caching_device);
  line("constraint:     ", info.constraint);
  line("declared:       ",
       absl::StrCat("at revision ", info.declared,
                    info.creator.empty() ? "" : " by ", info.creator));
  return absl::OkStatus();
}

absl::Status Collections(const Context& context, const std::string& key) {
  ASSIGN_OR_RETURN(client::AdminClient admin, context.ConnectAdmin());
  if (!key.empty()) {
    ASSIGN_OR_RETURN(std::vector<VariableInfo> members,
                     admin.Collection(context.container, key));
    PrintInfos(context, members, {});
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(std::vector<VariableInfo> infos,
                   admin.ListVariables(context.container));
  std::map<std::string, int64_t> counts;
  for (const VariableInfo& info : infos) {
    for (const std::string& collection : info.collections) ++counts[collection];
  }
  if (context.json()) {
    Json list = Json::array();
    for (const auto& [name, count] : counts) {
      list.push_back({{"key", name}, {"variables", count}});
    }
    PrintJson(Json{{"collections", list}});
    return absl::OkStatus();
  }
  Table table({"COLLECTION", "VARIABLES"});
  for (const auto& [name, count] : counts) {
    table.Add({name, absl::StrCat(count)});
  }
  Print(table.ToString());
  return absl::OkStatus();
}

void AddListOptions(CLI::App* verb, ListArguments* arguments) {
  verb->add_option("SCOPE", arguments->scope,
                   "only the variable of this name and those under it");
  verb->add_flag("-A,--all-containers", arguments->all_containers,
                 "of every container");
}

}  // namespace

void AddListVerbs(CLI::App* app, Context* context) {
  auto list = std::make_shared<ListArguments>();
  CLI::App* ls =
      AddVerb(app, "ls", "List variables", "varkeep ls -l hidden", context,
              [context, list] { return Ls(*context, *list); });
  AddListOptions(ls, list.get());
  ls->add_flag("-l,--long", list->details, "with dtype, shape, state, ...");

  auto tree_list = std::make_shared<ListArguments>();
  CLI::App* tree = AddVerb(
      app, "tree", "Show scopes and variables as a tree", "varkeep tree",
      context, [context, tree_list] { return Tree(*context, *tree_list); });
  AddListOptions(tree, tree_list.get());

  auto name = std::make_shared<std::string>();
  AddVerb(app, "describe", "Show all that is known of a variable",
          "varkeep describe hidden/weights", context,
          [context, name] { return Describe(*context, *name); })
      ->add_option("NAME", *name, "name of the variable")
      ->required();

  auto key = std::make_shared<std::string>();
  AddVerb(app, "collections", "List collections, or the members of one",
          "varkeep collections trainable_variables", context,
          [context, key] { return Collections(*context, *key); })
      ->add_option("KEY", *key, "collection to show");
}

}  // namespace varkeep::cli
