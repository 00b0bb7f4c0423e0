// SPDX-License-Identifier: Apache-2.0
#include "server/durability/mutation_codec.h"

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace varkeep {
namespace {

using json = nlohmann::json;
using storage::LogEntry;

// What goes wrong while a body is read; DecodeMutation turns it into a Status,
// as it does with the exceptions of the JSON library.
[[noreturn]] void Fail(const std::string& what) {
  throw std::runtime_error(what);
}

template <typename T>
T OrFail(absl::StatusOr<T> value) {
  if (!value.ok()) Fail(std::string(value.status().message()));
  return *std::move(value);
}

// All numbers in a body are such; the library would convert others somehow.
uint64_t Unsigned(const json& stored) {
  if (!stored.is_number_unsigned()) Fail("a number is no unsigned integer");
  return stored.get<uint64_t>();
}

// The library would iterate over anything.
const json& List(const json& stored) {
  if (!stored.is_array()) Fail("a list is none");
  return stored;
}

// --- tensors, by their place in the entry -----------------------------------

json Keep(const TensorRef& tensor, LogEntry* entry) {
  if (tensor == nullptr) return nullptr;
  entry->tensors.push_back(tensor);
  return entry->tensors.size() - 1;
}

TensorRef Kept(const json& place, const LogEntry& entry) {
  if (place.is_null()) return nullptr;
  const uint64_t index = Unsigned(place);
  if (index >= entry.tensors.size()) Fail("a tensor is missing");
  return entry.tensors[index];
}

TensorRef Required(const json& place, const LogEntry& entry) {
  TensorRef tensor = Kept(place, entry);
  if (tensor == nullptr) Fail("a tensor is missing");
  return tensor;
}

// --- specs ------------------------------------------------------------------

json EncodeSpec(const VariableSpec& spec, LogEntry* entry) {
  return {{"name", spec.name},
          {"dtype", std::string(DTypeName(spec.dtype))},
          {"shape", std::vector<int64_t>(spec.shape.dims().begin(),
                                         spec.shape.dims().end())},
          {"trainable", spec.trainable},
          {"collections", spec.collections},
          {"initializer", InitializerToJson(spec.initializer)},
          {"initial_value", Keep(InitializerValue(spec.initializer), entry)},
          {"seed", spec.seeds.seed},
          {"seed2", spec.seeds.seed2},
          {"regularizer", spec.regularizer},
          {"caching_device", spec.caching_device},
          {"constraint", spec.constraint},
          {"creator", spec.creator}};
}

Shape DecodeShape(const json& stored) {
  std::vector<int64_t> dims;
  for (const json& dim : List(stored)) {
    dims.push_back(static_cast<int64_t>(Unsigned(dim)));
  }
  return OrFail(Shape::Create(dims));
}

VariableSpec DecodeSpec(const json& body, const LogEntry& entry) {
  VariableSpec spec;
  body.at("name").get_to(spec.name);
  spec.dtype = OrFail(ParseDType(body.at("dtype").get<std::string>()));
  spec.shape = DecodeShape(body.at("shape"));
  body.at("trainable").get_to(spec.trainable);
  body.at("collections").get_to(spec.collections);
  spec.initializer =
      OrFail(ParseInitializer(body.at("initializer").get<std::string>(),
                              Kept(body.at("initial_value"), entry)));
  spec.seeds.seed = Unsigned(body.at("seed"));
  spec.seeds.seed2 = Unsigned(body.at("seed2"));
  body.at("regularizer").get_to(spec.regularizer);
  body.at("caching_device").get_to(spec.caching_device);
  body.at("constraint").get_to(spec.constraint);
  body.at("creator").get_to(spec.creator);
  return spec;
}

// --- names of operations -----------------------------------------------------

constexpr std::pair<ScatterOp, const char*> kScatterNames[] = {
    {ScatterOp::kUpdate, "update"}, {ScatterOp::kAdd, "add"},
    {ScatterOp::kSubtract, "sub"},  {ScatterOp::kMultiply, "mul"},
    {ScatterOp::kDivide, "div"},    {ScatterOp::kMin, "min"},
    {ScatterOp::kMax, "max"},
};

const char* ScatterName(ScatterOp op) {
  for (const auto& [known, name] : kScatterNames) {
    if (known == op) return name;
  }
  return "";
}

ScatterOp ScatterNamed(const std::string& name) {
  for (const auto& [op, known] : kScatterNames) {
    if (known == name) return op;
  }
  Fail(absl::StrCat("unknown scatter '", name, "'"));
}

// --- mutations, each with the name it has in the log -------------------------

json Encode(const DeclareMutation& declare, LogEntry* entry) {
  return {{"op", "declare"},
          {"container", declare.container},
          {"must_create", declare.must_create},
          {"spec", EncodeSpec(declare.spec, entry)}};
}

json Encode(const InitializeMutation& initialize, LogEntry*) {
  return {{"op", "initialize"},
          {"container", initialize.container},
          {"names", initialize.names},
          {"force", initialize.force}};
}

// The expected version was met, and is not looked at again.
json Encode(const AssignMutation& assign, LogEntry* entry) {
  return {{"op", "assign"},
          {"container", assign.container},
          {"name", assign.name},
          {"value", Keep(assign.value, entry)}};
}

json Encode(const UpdateMutation& update, LogEntry* entry) {
  return {{"op", update.op == UpdateOp::kAdd ? "assign_add" : "assign_sub"},
          {"container", update.container},
          {"name", update.name},
          {"operand", Keep(update.operand, entry)}};
}

json Encode(const ScatterMutation& scatter, LogEntry* entry) {
  return {{"op", scatter.nd ? "scatter_nd" : "scatter"},
          {"how", ScatterName(scatter.op)},
          {"container", scatter.container},
          {"name", scatter.name},
          {"indices", Keep(scatter.indices, entry)},
          {"updates", Keep(scatter.updates, entry)}};
}

json Encode(const TransactionMutation& transaction, LogEntry* entry) {
  json operations = json::array();
  for (const auto& operation : transaction.operations) {
    operations.push_back(std::visit(
        [entry](const auto& change) { return Encode(change, entry); },
        operation));
  }
  return {{"op", "transaction"},
          {"container", transaction.container},
          {"operations", std::move(operations)}};
}

json Encode(const DeleteMutation& remove, LogEntry*) {
  return {
      {"op", "delete"}, {"container", remove.container}, {"name", remove.name}};
}

json Encode(const ResetContainerMutation& reset, LogEntry*) {
  return {{"op", "reset_container"}, {"container", reset.container}};
}

json Encode(const AddToCollectionMutation& add, LogEntry*) {
  return {{"op", "add_to_collection"},
          {"container", add.container},
          {"name", add.name},
          {"keys", add.keys}};
}

json Encode(const RestoreMutation& restore, LogEntry* entry) {
  json items = json::array();
  for (const RestoreMutation::Item& item : restore.items) {
    items.push_back({{"container", item.info.container},
                     {"declared", item.info.declared},
                     {"run", item.info.run},
                     {"spec", EncodeSpec(item.info.spec, entry)},
                     {"value", Keep(item.value, entry)}});
  }
  return {{"op", "restore"}, {"items", std::move(items)}};
}

UpdateMutation DecodeUpdate(UpdateOp op, const json& body,
                            const LogEntry& entry) {
  UpdateMutation update;
  update.op = op;
  body.at("container").get_to(update.container);
  body.at("name").get_to(update.name);
  update.operand = Required(body.at("operand"), entry);
  return update;
}

AssignMutation DecodeAssign(const json& body, const LogEntry& entry) {
  AssignMutation assign;
  body.at("container").get_to(assign.container);
  body.at("name").get_to(assign.name);
  assign.value = Required(body.at("value"), entry);
  assign.validate_shape = false;
  return assign;
}

ScatterMutation DecodeScatter(const json& body, const LogEntry& entry) {
  ScatterMutation scatter;
  scatter.op = ScatterNamed(body.at("how").get<std::string>());
  scatter.nd = body.at("op") == "scatter_nd";
  body.at("container").get_to(scatter.container);
  body.at("name").get_to(scatter.name);
  scatter.indices = Required(body.at("indices"), entry);
  scatter.updates = Required(body.at("updates"), entry);
  return scatter;
}

// nullopt when it is another mutation than of one value.
std::optional<TransactionMutation::Operation> DecodeOperation(
    const json& body, const LogEntry& entry) {
  const std::string op = body.at("op").get<std::string>();
  if (op == "assign") return DecodeAssign(body, entry);
  if (op == "assign_add") return DecodeUpdate(UpdateOp::kAdd, body, entry);
  if (op == "assign_sub") return DecodeUpdate(UpdateOp::kSubtract, body, entry);
  if (op == "scatter" || op == "scatter_nd") return DecodeScatter(body, entry);
  return std::nullopt;
}

TransactionMutation DecodeTransaction(const json& body, const LogEntry& entry) {
  TransactionMutation transaction;
  body.at("container").get_to(transaction.container);
  for (const json& stored : List(body.at("operations"))) {
    auto operation = DecodeOperation(stored, entry);
    if (!operation) Fail("a transaction has an operation that is none");
    transaction.operations.push_back(*std::move(operation));
  }
  return transaction;
}

Mutation DecodeRestore(const json& body, const LogEntry& entry) {
  RestoreMutation restore;
  for (const json& stored : List(body.at("items"))) {
    RestoreMutation::Item item;
    stored.at("container").get_to(item.info.container);
    item.info.declared = Unsigned(stored.at("declared"));
    item.info.run = Unsigned(stored.at("run"));
    item.info.spec = DecodeSpec(stored.at("spec"), entry);
    item.value = Kept(stored.at("value"), entry);
    restore.items.push_back(std::move(item));
  }
  return restore;
}

Mutation Decode(const json& body, const LogEntry& entry) {
  const std::string op = body.at("op").get<std::string>();
  if (op == "declare") {
    return DeclareMutation{body.at("container").get<std::string>(),
                           DecodeSpec(body.at("spec"), entry),
                           body.at("must_create").get<bool>()};
  }
  if (op == "initialize") {
    return InitializeMutation{body.at("container").get<std::string>(),
                              body.at("names").get<std::vector<std::string>>(),
                              body.at("force").get<bool>()};
  }
  if (auto operation = DecodeOperation(body, entry)) {
    return std::visit(
        [](auto& change) -> Mutation { return std::move(change); }, *operation);
  }
  if (op == "transaction") return DecodeTransaction(body, entry);
  if (op == "delete") {
    return DeleteMutation{body.at("container").get<std::string>(),
                          body.at("name").get<std::string>()};
  }
  if (op == "reset_container") {
    return ResetContainerMutation{body.at("container").get<std::string>()};
  }
  if (op == "add_to_collection") {
    return AddToCollectionMutation{
        body.at("container").get<std::string>(),
        body.at("name").get<std::string>(),
        body.at("keys").get<std::vector<std::string>>()};
  }
  if (op == "restore") return DecodeRestore(body, entry);
  Fail(absl::StrCat("unknown op '", op, "'"));
}

}  // namespace

LogEntry EncodeMutation(const Mutation& mutation,
                        const std::optional<RequestId>& request) {
  LogEntry entry;
  json body = std::visit(
      [&entry](const auto& change) { return Encode(change, &entry); },
      mutation);
  if (request) {
    body["client"] = request->client;
    body["sequence"] = request->sequence;
  }
  entry.body = body.dump();
  return entry;
}

absl::StatusOr<LoggedMutation> DecodeMutation(const LogEntry& entry) {
  LoggedMutation logged;
  try {
    const json body = json::parse(entry.body);
    logged.mutation = Decode(body, entry);
    if (body.contains("client")) {
      logged.request = {Unsigned(body.at("client")),
                        Unsigned(body.at("sequence"))};
    }
  } catch (const std::exception& error) {
    return absl::DataLossError(
        absl::StrCat("the record is not a mutation: ", error.what()));
  }
  return logged;
}

}  // namespace varkeep
