// SPDX-License-Identifier: Apache-2.0
//
// create, init, rm: declaring, initializing and deleting variables.
#include <CLI/CLI.hpp>
#include <iostream>
#include <optional>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "client/cli/context.h"
#include "client/cli/format.h"
#include "client/cli/parse.h"

namespace varkeep::cli {
namespace {

struct CreateArguments {
  std::string name;
  std::string shape;
  std::string dtype = "float32";
  std::string initializer;
  std::optional<int64_t> seed;
  std::vector<std::string> collections;
  bool not_trainable = false;
  bool initialize = false;
};

struct InitArguments {
  std::vector<std::string> names;
  std::string collection;
  bool all = false;
  bool force = false;
};

absl::StatusOr<client::VariableOptions> Options(
    const CreateArguments& arguments) {
  client::VariableOptions options;
  ASSIGN_OR_RETURN(options.dtype, ParseDType(arguments.dtype));
  if (!arguments.initializer.empty()) {
    ASSIGN_OR_RETURN(options.initializer,
                     ParseInitializer(arguments.initializer, arguments.seed));
  } else if (arguments.seed) {
    options.initializer = client::GlorotUniform(*arguments.seed);
  }
  if (arguments.not_trainable) options.trainable = false;
  if (!arguments.collections.empty()) {
    options.collections = arguments.collections;
  }
  return options;
}

absl::Status Create(const Context& context, const CreateArguments& arguments) {
  absl::StatusOr<Shape> shape = ParseShape(arguments.shape);
  if (!shape.ok()) return UsageError(shape.status().message());
  absl::StatusOr<client::VariableOptions> options = Options(arguments);
  if (!options.ok()) return UsageError(options.status().message());
  ASSIGN_OR_RETURN(auto connected, context.Connect());
  ASSIGN_OR_RETURN(
      client::Variable variable,
      connected->GetVariable(arguments.name, *shape, *options,
                             client::Reuse::kInherit, context.container));
  if (arguments.initialize) {
    RETURN_IF_ERROR(variable.Initialize());
    ASSIGN_OR_RETURN(variable, connected->FindVariable(variable.op_name(),
                                                       context.container));
  }
  if (context.json()) {
    PrintJson(ToJson(variable.info()));
  } else {
    Print(variable.ToString());
  }
  return absl::OkStatus();
}

absl::Status Init(const Context& context, const InitArguments& arguments) {
  int ways = (arguments.names.empty() ? 0 : 1) +
             (arguments.collection.empty() ? 0 : 1) + (arguments.all ? 1 : 0);
  if (ways > 1) {
    return UsageError("give names, or --collection, or --all");
  }
  client::Selection selection = client::Selection::GlobalVariables();
  if (!arguments.names.empty()) {
    selection = client::Selection::Named(arguments.names);
  } else if (!arguments.collection.empty()) {
    selection = client::Selection::Collection(arguments.collection);
  } else if (arguments.all) {
    selection = client::Selection::All();
  }
  ASSIGN_OR_RETURN(auto connected, context.Connect());
  ASSIGN_OR_RETURN(
      std::vector<std::string> initialized,
      connected->Initialize(selection, arguments.force, context.container));
  if (context.json()) {
    PrintJson(Json{{"initialized", initialized}});
    return absl::OkStatus();
  }
  for (const std::string& name : initialized) Print(name);
  if (initialized.empty()) std::cerr << "nothing to initialize\n";
  return absl::OkStatus();
}

absl::Status Remove(const Context& context,
                    const std::vector<std::string>& names) {
  ASSIGN_OR_RETURN(client::AdminClient admin, context.ConnectAdmin());
  std::vector<std::string> removed;
  absl::Status status;
  for (const std::string& name : names) {
    status = admin.DeleteVariable(context.container, name);
    if (!status.ok()) break;
    removed.push_back(name);
    if (!context.json()) Print("removed " + name);
  }
  if (context.json()) PrintJson(Json{{"removed", removed}});
  return status;
}

void AddCreate(CLI::App* app, Context* context) {
  auto arguments = std::make_shared<CreateArguments>();
  CLI::App* create = AddVerb(
      app, "create", "Declare a variable",
      "varkeep create w --shape 2,3 --initializer 'random_normal(stddev=0.35)'",
      context, [context, arguments] { return Create(*context, *arguments); });
  create->add_option("NAME", arguments->name, "name of the variable")
      ->required();
  create->add_option("--shape", arguments->shape, "such as 2,3; '' is a scalar")
      ->required();
  create->add_option("--dtype", arguments->dtype, "type of the elements")
      ->capture_default_str();
  create->add_option("--initializer", arguments->initializer,
                     "such as zeros, 'constant(1,2,3)', glorot_uniform "
                     "(default), 'random_normal(stddev=0.35,seed=7)'");
  create->add_option("--seed", arguments->seed, "seed of the initializer");
  create->add_option("--collection", arguments->collections,
                     "collection to be in instead of 'variables'; repeatable");
  create->add_flag("--not-trainable", arguments->not_trainable,
                   "not in trainable_variables");
  create->add_flag("--init", arguments->initialize, "initialize it too");
}

}  // namespace

void AddVariableVerbs(CLI::App* app, Context* context) {
  AddCreate(app, context);

  auto init = std::make_shared<InitArguments>();
  CLI::App* verb =
      AddVerb(app, "init", "Run initializers on the server",
              "varkeep init --collection trainable_variables", context,
              [context, init] { return Init(*context, *init); });
  verb->add_option("NAME", init->names,
                   "variables; without any, the collection 'variables'");
  verb->add_option("--collection", init->collection, "a whole collection");
  verb->add_flag("--all", init->all, "everything in the container");
  verb->add_flag("--force", init->force,
                 "also those that have a value: it is drawn anew");

  auto names = std::make_shared<std::vector<std::string>>();
  AddVerb(app, "rm", "Delete variables", "varkeep rm old/w old/b", context,
          [context, names] { return Remove(*context, *names); })
      ->add_option("NAME", *names, "variables to delete")
      ->required();
}

}  // namespace varkeep::cli
