// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_SCOPES_VARIABLE_REQUEST_H_
#define VARKEEP_SERVER_SCOPES_VARIABLE_REQUEST_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/scopes/name_table.h"
#include "server/scopes/scope.h"
#include "server/scopes/variable_errors.h"
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
  bool explicit_dtype = false;  // given beside an initializer, to get_variable
  // trainable, collections, regularizer, caching_device, constraint; the rest
  // is not set yet.
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

// CheckShared for a variable that another program made, where this one would
// have created it: a value's own shape and dtype count.
absl::Status CheckShared(const VariableRequest& request,
                         const VariableSpec& found);

// Gives the spec of a random initializer its seeds: of op `op_id` in a graph
// with this seed, else two numbers from `entropy`.
void ResolveSpecSeeds(std::optional<int64_t> graph_seed, int64_t op_id,
                      const std::function<uint64_t()>& entropy,
                      VariableSpec* spec);

// What TensorFlow's op counter grows by when the request finds a variable, and
// when it creates one like `found`.
int StrayOps(const VariableRequest& request);
int CreationOps(const VariableRequest& request, const VariableSpec& found);

// tf.add_to_collections(keys) for a variable that is in `present`: the keys,
// each once. INVALID_ARGUMENT for a bad key or too many.
absl::StatusOr<std::vector<std::string>> CollectionsToAdd(
    const std::vector<std::string>& keys,
    const std::vector<std::string>& present);

// Where TensorFlow makes this request's initial value.
NameTable::InitialValue InitialValueOf(const VariableRequest& request);

}  // namespace varkeep

#endif  // VARKEEP_SERVER_SCOPES_VARIABLE_REQUEST_H_
