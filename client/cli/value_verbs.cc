// SPDX-License-Identifier: Apache-2.0
//
// get, set and scatter: values out of a server and into it.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "client/cli/context.h"
#include "client/cli/format.h"
#include "client/cli/npy.h"
#include "client/cli/parse.h"
#include "client/cli/progress.h"

namespace varkeep::cli {
namespace {

struct GetArguments {
  std::string name;
  std::string slice;
  std::vector<int64_t> rows;
  int64_t axis = 0;
  std::string format;  // text, json, npy; "": by --out, else text
  std::string file;
};

struct SetArguments {
  std::string name;
  std::vector<std::string> values;
  std::string file;
};

struct ScatterArguments {
  std::string name;
  std::string indices;  // literals, .npy files, or - for one on stdin
  std::string updates;
  std::string how = "update";
  bool nd = false;
};

std::string Format(const Context& context, const GetArguments& arguments) {
  if (!arguments.format.empty()) return arguments.format;
  if (absl::EndsWith(arguments.file, ".npy")) return "npy";
  if (absl::EndsWith(arguments.file, ".json")) return "json";
  return context.json() ? "json" : "text";
}

absl::StatusOr<client::VersionedTensor> Read(const client::Variable& variable,
                                             const GetArguments& arguments) {
  if (!arguments.slice.empty()) {
    absl::StatusOr<SliceSpec> slice =
        ParseSlice(arguments.slice, variable.shape());
    if (!slice.ok()) return UsageError(slice.status().message());
    ASSIGN_OR_RETURN(TensorRef value, variable.Read(*slice));
    return client::VersionedTensor{std::move(value), variable.info().version};
  }
  if (!arguments.rows.empty()) {
    const auto count = static_cast<int64_t>(arguments.rows.size());
    ASSIGN_OR_RETURN(TensorRef rows,
                     MakeTensor<int64_t>({count}, arguments.rows));
    ASSIGN_OR_RETURN(TensorRef value, variable.Gather(*rows, arguments.axis));
    return client::VersionedTensor{std::move(value), variable.info().version};
  }
  ProgressBar progress("get " + variable.op_name());
  return variable.ReadVersioned(
      [&](int64_t done, int64_t total) { progress.Update(done, total); });
}

void WriteValue(const client::Variable& variable,
                const client::VersionedTensor& read, const std::string& format,
                bool whole, std::ostream& out) {
  if (format == "npy") {
    WriteNpy(*read.value, out);
  } else if (format == "json") {
    Json shape = Json::array();
    for (int64_t dim : read.value->shape().dims()) shape.push_back(dim);
    out << Json{{"name", variable.name()},
                {"container", variable.info().container},
                {"dtype", std::string(DTypeName(read.value->dtype()))},
                {"shape", shape},
                {"version", read.version},
                {"values", TensorToJson(*read.value)}}
               .dump()
        << '\n';
  } else {
    bool shorten = !whole && read.value->num_elements() > 1000;
    out << FormatTensor(*read.value, shorten ? 3 : 0) << '\n';
  }
}

// A file appears complete or not at all.
template <typename Write>
absl::Status WriteFile(const std::string& path, Write write) {
  std::string partial = absl::StrCat(path, ".partial.", getpid());
  std::ofstream out(partial, std::ios::binary | std::ios::trunc);
  if (out) write(out);
  out.close();
  if (out && std::rename(partial.c_str(), path.c_str()) == 0) {
    return absl::OkStatus();
  }
  std::remove(partial.c_str());
  return absl::UnknownError(absl::StrCat("cannot write '", path, "'"));
}

absl::Status Get(const Context& context, const GetArguments& arguments) {
  std::string format = Format(context, arguments);
  if (format == "npy" && arguments.file.empty() && isatty(STDOUT_FILENO) == 1) {
    return UsageError("npy is not for a terminal; use --out FILE or a pipe");
  }
  ASSIGN_OR_RETURN(auto connected, context.Connect());
  ASSIGN_OR_RETURN(client::Variable variable,
                   connected->FindVariable(arguments.name, context.container));
  ASSIGN_OR_RETURN(client::VersionedTensor read, Read(variable, arguments));
  if (format == "npy" && read.value->dtype() == DType::kBfloat16) {
    std::cerr << "varkeep: NumPy has no bfloat16; its bits are written as "
                 "uint16\n";
  }
  auto write = [&](std::ostream& out) {
    WriteValue(variable, read, format, !arguments.file.empty(), out);
  };
  if (!arguments.file.empty()) return WriteFile(arguments.file, write);
  write(std::cout);
  return absl::OkStatus();
}

// The same bits as another dtype of the same size.
absl::StatusOr<std::shared_ptr<Tensor>> Reinterpret(const Tensor& tensor,
                                                    DType dtype) {
  ASSIGN_OR_RETURN(std::shared_ptr<Tensor> result,
                   Tensor::Create(dtype, tensor.shape()));
  std::ranges::copy(tensor.bytes(), result->mutable_bytes().begin());
  return result;
}

absl::StatusOr<std::shared_ptr<Tensor>> NpyFrom(const std::string& file,
                                                DType dtype) {
  absl::StatusOr<std::shared_ptr<Tensor>> tensor;
  if (file == "-") {
    tensor = ReadNpy(std::cin);
  } else {
    std::ifstream in(file, std::ios::binary);
    if (!in) return UsageError(absl::StrCat("cannot read '", file, "'"));
    tensor = ReadNpy(in);
  }
  if (!tensor.ok()) {
    return UsageError(absl::StrCat(file == "-" ? "standard input" : file, ": ",
                                   tensor.status().message()));
  }
  bool bits = dtype == DType::kBfloat16 && (*tensor)->dtype() == DType::kUint16;
  return bits ? Reinterpret(**tensor, dtype) : tensor;
}

// What is typed as lists, or else as elements in row-major order.
absl::StatusOr<std::shared_ptr<Tensor>> TypedValue(
    const client::Variable& variable, const std::vector<std::string>& words) {
  const std::string typed = absl::StrJoin(words, ",");
  if (!absl::StrContains(typed, '[')) {
    return ParseElements(words, variable.dtype(), variable.shape());
  }
  // The outer brackets went when the parser of the command line took the value
  // apart, at its commas.
  ASSIGN_OR_RETURN(
      std::shared_ptr<Tensor> value,
      ParseLiteral(absl::StrCat("[", typed, "]"), variable.dtype()));
  if (value->shape() != variable.shape()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the lists have shape ", value->shape().ToString(), ", variable ",
        variable.name(), " has shape ", variable.shape().ToString()));
  }
  return value;
}

absl::StatusOr<std::shared_ptr<Tensor>> NewValue(
    const client::Variable& variable, const SetArguments& arguments) {
  bool from_stdin = arguments.values.size() == 1 && arguments.values[0] == "-";
  if (arguments.file.empty() && !from_stdin) {
    absl::StatusOr<std::shared_ptr<Tensor>> tensor =
        TypedValue(variable, arguments.values);
    if (!tensor.ok()) return UsageError(tensor.status().message());
    return tensor;
  }
  return NpyFrom(from_stdin ? "-" : arguments.file, variable.dtype());
}

void PrintVersion(const Context& context, const client::Variable& variable,
                  uint64_t version) {
  if (context.json()) {
    PrintJson(Json{{"name", variable.name()}, {"version", version}});
  } else {
    Print(absl::StrCat(variable.name(), " version ", version));
  }
}

absl::Status Set(const Context& context, const SetArguments& arguments) {
  if (arguments.values.empty() == arguments.file.empty()) {
    return UsageError("give values, or --from FILE.npy, or - for stdin");
  }
  ASSIGN_OR_RETURN(auto connected, context.Connect());
  ASSIGN_OR_RETURN(client::Variable variable,
                   connected->FindVariable(arguments.name, context.container));
  ASSIGN_OR_RETURN(std::shared_ptr<Tensor> value,
                   NewValue(variable, arguments));
  uint64_t version = 0;
  {
    ProgressBar progress("set " + variable.op_name());
    ASSIGN_OR_RETURN(version, variable.Assign(std::move(value), {},
                                              [&](int64_t done, int64_t total) {
                                                progress.Update(done, total);
                                              }));
  }
  PrintVersion(context, variable, version);
  return absl::OkStatus();
}

// Of `dtype` when it is typed.
absl::StatusOr<TensorRef> Rows(const std::string& argument, DType dtype) {
  if (argument == "-" || absl::EndsWith(argument, ".npy")) {
    return NpyFrom(argument, dtype);
  }
  absl::StatusOr<std::shared_ptr<Tensor>> typed = ParseLiteral(argument, dtype);
  if (!typed.ok()) return UsageError(typed.status().message());
  return typed;
}

constexpr std::pair<const char*, ScatterOp> kScatterOps[] = {
    {"update", ScatterOp::kUpdate}, {"add", ScatterOp::kAdd},
    {"sub", ScatterOp::kSubtract},  {"mul", ScatterOp::kMultiply},
    {"div", ScatterOp::kDivide},    {"min", ScatterOp::kMin},
    {"max", ScatterOp::kMax}};

std::vector<std::string> ScatterOpNames() {
  std::vector<std::string> names;
  for (const auto& [name, op] : kScatterOps) names.emplace_back(name);
  return names;
}

// REQUIRES: `name` is one of them.
ScatterOp ScatterOpOf(const std::string& name) {
  return std::ranges::find(kScatterOps, name,
                           &std::pair<const char*, ScatterOp>::first)
      ->second;
}

absl::Status Scatter(const Context& context,
                     const ScatterArguments& arguments) {
  if (arguments.indices == "-" && arguments.updates == "-") {
    return UsageError("only one of INDICES and UPDATES can be - for stdin");
  }
  ASSIGN_OR_RETURN(auto connected, context.Connect());
  ASSIGN_OR_RETURN(client::Variable variable,
                   connected->FindVariable(arguments.name, context.container));
  ASSIGN_OR_RETURN(TensorRef indices, Rows(arguments.indices, DType::kInt64));
  ASSIGN_OR_RETURN(TensorRef updates,
                   Rows(arguments.updates, variable.dtype()));
  const ScatterOp how = ScatterOpOf(arguments.how);
  ASSIGN_OR_RETURN(const uint64_t version,
                   arguments.nd ? variable.ScatterNd(how, indices, updates)
                                : variable.Scatter(how, indices, updates));
  PrintVersion(context, variable, version);
  return absl::OkStatus();
}

}  // namespace

void AddValueVerbs(CLI::App* app, Context* context) {
  auto get = std::make_shared<GetArguments>();
  CLI::App* verb =
      AddVerb(app, "get", "Show or store a value",
              "varkeep get hidden/weights --slice 0:10,: --out "
              "weights.npy",
              context, [context, get] { return Get(*context, *get); });
  verb->add_option("NAME", get->name, "name of the variable")->required();
  CLI::Option* slice =
      verb->add_option("--slice", get->slice, "a part of it: 0:10,: or 3");
  CLI::Option* rows =
      verb->add_option("--rows", get->rows, "rows of it, by number: 4,0,17")
          ->delimiter(',')
          ->excludes(slice);
  verb->add_option("--axis", get->axis,
                   "with --rows: 1 for columns and so on, -1 for the last")
      ->needs(rows);
  verb->add_option("-o,--output", get->format,
                   "text (shortened when long), json or npy")
      ->check(CLI::IsMember({"text", "json", "npy", "table"}));
  verb->add_option("--out", get->file,
                   "file to write; .npy and .json say the format");

  auto set = std::make_shared<SetArguments>();
  verb = AddVerb(app, "set", "Assign a value", "varkeep set b 0.1 0.2 0.3",
                 context, [context, set] { return Set(*context, *set); });
  verb->add_option("NAME", set->name, "name of the variable")->required();
  verb->add_option("VALUE", set->values,
                   "elements in row-major order, one for all, lists such as "
                   "'[[1,2],[3,4]]', or - for .npy on standard input");
  verb->add_option("--from", set->file, "a .npy file");

  auto scatter = std::make_shared<ScatterArguments>();
  verb = AddVerb(app, "scatter", "Change rows of a value, or single elements",
                 "varkeep scatter embeddings 4,17 '[[1,2],[3,4]]' --how add",
                 context,
                 [context, scatter] { return Scatter(*context, *scatter); });
  verb->add_option("NAME", scatter->name, "name of the variable")->required();
  verb->add_option("INDICES", scatter->indices,
                   "numbers of the rows: 4 or 4,17; with --nd their places: "
                   "'[[0,1],[2,2]]'; or FILE.npy, or - for .npy on standard "
                   "input")
      ->required();
  verb->add_option("UPDATES", scatter->updates,
                   "a row for each of them: '[[1,2],[3,4]]', without --nd also "
                   "one number for all elements; or FILE.npy, or -")
      ->required();
  verb->add_option("--how", scatter->how, "what is done with the rows")
      ->check(CLI::IsMember(ScatterOpNames()).description(""))
      ->capture_default_str()
      ->type_name("update|add|sub|mul|div|min|max");
  verb->add_flag("--nd", scatter->nd,
                 "indices name elements or slices by their places, as "
                 "tf.scatter_nd_update: update, add, sub");
}

}  // namespace varkeep::cli
