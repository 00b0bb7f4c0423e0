// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_SCOPES_SCOPE_H_
#define VARKEEP_SERVER_SCOPES_SCOPE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "server/initializers/initializer.h"
#include "tensor/shape.h"

namespace varkeep {

// tf.variable_scope(reuse=...). kCreate is both None and False.
enum class Reuse { kCreate, kReuse, kAuto };

// Everything TensorFlow derives on entering a scope (SEMANTICS 1.4, 1.5, 2.5,
// 2.6). A value that the client keeps and hands back; a default Scope is the
// root. Field by field the Scope of variable.proto, which documents them.
struct Scope {
  std::string variable_scope;
  std::string name_scope;
  Reuse reuse = Reuse::kCreate;
  InitializerSpec initializer;
  DType dtype = DType::kFloat32;
  std::string regularizer;
  std::string caching_device;
  std::string constraint;
  std::string original_name_scope;
  uint64_t stack = 0;
  uint64_t opening = 0;
};

// tf.variable_scope's arguments. Neither name nor scope: default_name is
// required.
struct VariableScopeArguments {
  std::variant<std::monostate, std::string, Scope> name_or_scope;
  std::optional<std::string> default_name;
  Reuse reuse = Reuse::kCreate;
  InitializerSpec initializer;
  std::optional<DType> dtype;
  std::optional<std::string> regularizer;
  std::optional<std::string> caching_device;
  std::optional<std::string> constraint;
  bool auxiliary_name_scope = true;
};

enum class Synchronization { kAuto, kNone, kOnWrite, kOnRead };

// The arguments of get_variable and Variable; see VariableArguments in
// variable.proto.
struct VariableArguments {
  std::string name;
  std::optional<PartialShape> shape;
  std::optional<DType> dtype;
  InitializerSpec initializer;
  std::optional<bool> trainable;
  std::optional<std::vector<std::string>> collections;
  bool local = false;
  std::optional<std::string> regularizer;
  std::optional<std::string> caching_device;
  std::optional<std::string> constraint;
  Synchronization synchronization = Synchronization::kAuto;
};

}  // namespace varkeep

#endif  // VARKEEP_SERVER_SCOPES_SCOPE_H_
