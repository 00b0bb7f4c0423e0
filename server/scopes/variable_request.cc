// SPDX-License-Identifier: Apache-2.0
#include "server/scopes/variable_request.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "server/scopes/derive_scope.h"
#include "server/variables/names.h"

namespace varkeep {
namespace {

using absl::InvalidArgumentError;

constexpr char kInvalidInitializer[] =
    "The initializer passed is not valid. It should be a callable with no "
    "arguments and the shape should not be provided or an instance of "
    "`tf.keras.initializers.*' and `shape` should be fully defined.";

bool IsNone(const InitializerSpec& spec) {
  return std::holds_alternative<std::monostate>(spec);
}

std::string Quoted(DType dtype) {
  return absl::StrCat("'<dtype: '", DTypeName(dtype), "'>'");
}

void AddOnce(absl::string_view key, std::vector<std::string>* keys) {
  if (std::find(keys->begin(), keys->end(), key) == keys->end()) {
    keys->emplace_back(key);
  }
}

// The collections of SEMANTICS 4.3, each once.
absl::StatusOr<std::vector<std::string>> CollectionsOf(
    const VariableArguments& args, bool trainable) {
  std::vector<std::string> keys;
  if (args.collections.has_value()) {
    // Before the quadratic search.
    if (args.collections->size() > kMaxCollections) {
      return InvalidArgumentError(absl::StrCat(
          args.collections->size(), " collections are given, the limit is ",
          kMaxCollections));
    }
    for (const std::string& key : *args.collections) {
      RETURN_IF_ERROR(CheckCollectionKey(key));
      AddOnce(key, &keys);
    }
  } else if (!args.local) {
    AddOnce(kGlobalVariables, &keys);
  }
  if (args.local) AddOnce(kLocalVariables, &keys);
  if (trainable) AddOnce(kTrainableVariables, &keys);
  if (keys.size() > kMaxCollections) {
    return InvalidArgumentError(
        absl::StrCat("the variable would be in ", keys.size(),
                     " collections, the limit is ", kMaxCollections));
  }
  return keys;
}

absl::Status ReadKept(const Scope* defaults, const VariableArguments& args,
                      VariableSpec* kept) {
  const std::string none;
  const auto pick = [&](const std::optional<std::string>& given,
                        const std::string Scope::*field) {
    return given.value_or(defaults != nullptr ? defaults->*field : none);
  };
  kept->trainable =
      !args.local &&
      args.trainable.value_or(args.synchronization != Synchronization::kOnRead);
  ASSIGN_OR_RETURN(kept->collections, CollectionsOf(args, kept->trainable));
  kept->regularizer = pick(args.regularizer, &Scope::regularizer);
  kept->caching_device = pick(args.caching_device, &Scope::caching_device);
  kept->constraint = pick(args.constraint, &Scope::constraint);
  RETURN_IF_ERROR(CheckNote("regularizer", kept->regularizer));
  RETURN_IF_ERROR(CheckNote("caching device", kept->caching_device));
  return CheckNote("constraint", kept->constraint);
}

void ReadName(std::string name, VariableRequest* request) {
  request->literal = absl::EndsWith(name, "/");
  request->name = std::string(absl::StripSuffix(name, "/"));
}

absl::Status CheckHasValue(const VariableRequest& request) {
  if (request.value() != nullptr && request.value()->value == nullptr) {
    return InvalidArgumentError("the initializer's value is missing");
  }
  return absl::OkStatus();
}

// tf.Variable(value, dtype, shape): a value is not converted.
absl::Status CheckValueArguments(const VariableRequest& request,
                                 const VariableArguments& args) {
  const Tensor& value = *request.value()->value;
  if (args.dtype.has_value() && *args.dtype != value.dtype()) {
    return InvalidArgumentError(absl::StrCat(
        "Tensor conversion requested dtype ", DTypeName(*args.dtype),
        " for Tensor with dtype ", DTypeName(value.dtype())));
  }
  if (args.shape.has_value() && !args.shape->IsCompatibleWith(value.shape())) {
    return InvalidArgumentError(absl::StrCat(
        "The initial value's shape (", value.shape().ToTupleString(),
        ") is not compatible with the explicitly supplied `shape` argument (",
        args.shape->ToTupleString(), ")."));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<VariableRequest> ReadGetVariable(const Scope& scope,
                                                const VariableArguments& args) {
  if (args.name.empty()) {
    return InvalidArgumentError("get_variable requires a name");
  }
  RETURN_IF_ERROR(CheckScope(scope));
  VariableRequest request;
  ReadName(JoinName(scope.variable_scope, args.name), &request);
  request.is_get_variable = true;
  request.shape = args.shape;
  request.dtype = args.dtype.value_or(scope.dtype);
  request.explicit_dtype = args.dtype.has_value() && !IsNone(args.initializer);
  request.initializer =
      IsNone(args.initializer) ? scope.initializer : args.initializer;
  RETURN_IF_ERROR(CheckHasValue(request));
  if (const auto* value = std::get_if<ValueInitializer>(&args.initializer);
      value != nullptr && args.dtype.has_value() &&
      *args.dtype != value->value->dtype()) {
    return InvalidArgumentError(absl::StrCat(
        "Initializer type ", Quoted(value->value->dtype()),
        " and explicit dtype ", Quoted(*args.dtype), " don't match."));
  }
  if (request.value() != nullptr && args.shape.has_value()) {
    return InvalidArgumentError(
        "If initializer is a constant, do not specify shape.");
  }
  RETURN_IF_ERROR(ReadKept(&scope, args, &request.kept));
  return request;
}

absl::StatusOr<VariableRequest> ReadCreateVariable(
    const Scope& scope, const VariableArguments& args) {
  RETURN_IF_ERROR(CheckScope(scope));
  const std::string name = args.name.empty() ? "Variable" : args.name;
  RETURN_IF_ERROR(CheckScopeName(name, scope.name_scope.empty()));
  VariableRequest request;
  // A literal name is a full one.
  ReadName(absl::EndsWith(name, "/") ? name : JoinName(scope.name_scope, name),
           &request);
  request.shape = args.shape;
  request.dtype = args.dtype.value_or(DType::kFloat32);
  request.initializer = args.initializer;
  if (IsNone(request.initializer)) {
    return InvalidArgumentError("initial_value must be specified.");
  }
  RETURN_IF_ERROR(CheckHasValue(request));
  if (request.value() != nullptr) {
    RETURN_IF_ERROR(CheckValueArguments(request, args));
  }
  // tf.Variable takes nothing from the variable scope.
  RETURN_IF_ERROR(ReadKept(nullptr, args, &request.kept));
  return request;
}

absl::StatusOr<VariableSpec> SpecOf(const VariableRequest& request) {
  VariableSpec spec = request.kept;
  spec.name = request.name;
  spec.initializer = request.initializer;
  if (const ValueInitializer* value = request.value()) {
    spec.dtype = value->value->dtype();
    spec.shape = value->value->shape();
  } else {
    if (IsNone(spec.initializer)) {
      ASSIGN_OR_RETURN(spec.initializer,
                       DefaultInitializer(request.dtype, request.name));
    }
    const std::optional<Shape> shape =
        request.shape.has_value() ? request.shape->full() : std::nullopt;
    if (!shape.has_value()) {
      return InvalidArgumentError(
          request.is_get_variable
              ? kInvalidInitializer
              : absl::StrCat("initial_value must have a shape specified: ",
                             InitializerToString(spec.initializer)));
    }
    spec.dtype = request.dtype;
    spec.shape = *shape;
  }
  // get_variable opens a name scope at the root with its key's name.
  if (request.is_get_variable) {
    RETURN_IF_ERROR(CheckScopeName(spec.name, /*at_root=*/true));
  }
  RETURN_IF_ERROR(CheckOpName(spec.name));
  RETURN_IF_ERROR(CheckInitializer(spec.initializer, spec.dtype, spec.shape));
  return spec;
}

absl::Status CheckShared(const VariableRequest& request,
                         const VariableSpec& found) {
  const ValueInitializer* value = request.value();
  if (value == nullptr) {
    return CheckShared(request.name, request.shape, request.dtype, found);
  }
  return CheckShared(request.name, PartialShape(value->value->shape()),
                     value->value->dtype(), found);
}

void ResolveSpecSeeds(std::optional<int64_t> graph_seed, int64_t op_id,
                      const std::function<uint64_t()>& entropy,
                      VariableSpec* spec) {
  if (!IsRandom(spec->initializer)) return;
  const std::optional<Seeds> seeds =
      ResolveSeeds(graph_seed, OpSeed(spec->initializer), op_id);
  if (seeds.has_value()) {
    spec->seeds = *seeds;
    return;
  }
  spec->seeds.seed = entropy();
  spec->seeds.seed2 = entropy();
}

int StrayOps(const VariableRequest& request) {
  // get_variable converts a value to a tensor to compare its dtype.
  return request.value() != nullptr && request.explicit_dtype ? 1 : 0;
}

int CreationOps(const VariableRequest& request, const VariableSpec& found) {
  InitializerSpec initializer = request.initializer;
  if (IsNone(initializer)) {
    initializer = DefaultInitializer(found.dtype, request.name)
                      .value_or(InitializerSpec(found.initializer));
  }
  return InitializerOpCost(initializer, found.dtype, found.shape,
                           request.is_get_variable, request.explicit_dtype)
      .ops;
}

absl::StatusOr<std::vector<std::string>> CollectionsToAdd(
    const std::vector<std::string>& keys,
    const std::vector<std::string>& present) {
  if (keys.empty() || keys.size() > kMaxCollections) {
    return InvalidArgumentError(absl::StrCat(keys.size(),
                                             " collections are given, 1 to ",
                                             kMaxCollections, " are allowed"));
  }
  std::vector<std::string> added;
  std::vector<std::string> all = present;
  for (const std::string& key : keys) {
    RETURN_IF_ERROR(CheckCollectionKey(key));
    AddOnce(key, &added);
    AddOnce(key, &all);
  }
  if (all.size() > kMaxCollections) {
    return InvalidArgumentError(
        absl::StrCat("the variable would be in ", all.size(),
                     " collections, the limit is ", kMaxCollections));
  }
  return added;
}

NameTable::InitialValue InitialValueOf(const VariableRequest& request) {
  if (request.value() != nullptr) return NameTable::InitialValue::kOp;
  return request.is_get_variable ? NameTable::InitialValue::kScope
                                 : NameTable::InitialValue::kElsewhere;
}

}  // namespace varkeep
