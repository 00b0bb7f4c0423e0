// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_SCOPES_VARIABLE_REQUEST_H_
#define VARKEEP_SERVER_SCOPES_VARIABLE_REQUEST_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/scopes/name_table.h"
#include "server/scopes/scope.h"
#include "server/variables/variable.h"

namespace varkeep {

// One call of get_variable or Variable, after the scope filled in what the
// arguments leave open; before anyone asked which variables there are.
struct VariableRequest {
  // get_variable's store key; for Variable the full name before it is made
  // unique. Without the trailing slash that makes a name `literal`.
  std::string name;
  bool literal = false;  // taken as it is, never made unique
  bool is_get_variable = false;
  InitializerSpec initializer;  // monostate: none given anywhere
  std::optional<PartialShape> shape;
  DType dtype = DType::kFloat32;
  bool explicit_dtype = false;
  // trainable, collections, regularizer, caching_device, constraint; the rest is
  // not set yet.
  VariableSpec kept;

  const ValueInitializer* value() const {
    return std::get_if<ValueInitializer>(&initializer);
  }
};

// The checks that TensorFlow makes before it looks for the variable.
// INVALID_ARGUMENT.
absl::StatusOr<VariableRequest> ReadGetVariable(const Scope& scope,
                                                const VariableArguments& args);
absl::StatusOr<VariableRequest> ReadCreateVariable(
    const Scope& scope, const VariableArguments& args);

// The variable to create, named request.name and without seeds and creator, or
// TensorFlow's text for what creating lacks. INVALID_ARGUMENT.
absl::StatusOr<VariableSpec> SpecOf(const VariableRequest& request);

// What a request that finds a variable requires of it; "Trying to share variable
// ..." otherwise. INVALID_ARGUMENT.
absl::Status CheckShared(absl::string_view key,
                         const std::optional<PartialShape>& shape, DType dtype,
                         const VariableSpec& found);
// The same for a variable that another program made, where this one would have
// created it: a value's own shape and dtype count.
absl::Status CheckShared(const VariableRequest& request,
                         const VariableSpec& found);

// E1 and E2 of SEMANTICS 2.2.
absl::Status AlreadyExists(absl::string_view key);
absl::Status DoesNotExist(absl::string_view key);
absl::Status DuplicateName(absl::string_view op_name);

// Gives the spec of a random initializer its seeds: of op `op_id` in a graph with
// this seed, else two numbers from `entropy`.
void ResolveSpecSeeds(std::optional<int64_t> graph_seed, int64_t op_id,
                      const std::function<uint64_t()>& entropy,
                      VariableSpec* spec);

// Where TensorFlow makes this request's initial value.
NameTable::InitialValue InitialValueOf(const VariableRequest& request);

}  // namespace varkeep

#endif  // VARKEEP_SERVER_SCOPES_VARIABLE_REQUEST_H_
