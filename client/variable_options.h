// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_CLIENT_VARIABLE_OPTIONS_H_
#define VARKEEP_CLIENT_VARIABLE_OPTIONS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "client/initializers.h"
#include "tensor/dtype.h"

namespace varkeep::client {

// tf.variable_scope(reuse=...).
enum class Reuse {
  kInherit,  // None and False: create, unless the scope outside says otherwise
  kTrue,     // only find
  kAuto,     // find or create (tf.AUTO_REUSE)
};

enum class Synchronization { kAuto, kNone, kOnWrite, kOnRead };

// The arguments of tf.get_variable and tf.Variable beside name, shape and
// initializer. What is unset comes from the scope.
struct VariableOptions {
  std::optional<DType> dtype = {};
  // In place of a shape, to find a variable: -1 is any dimension.
  std::optional<std::vector<int64_t>> partial_shape = {};
  std::optional<bool> trainable = {};
  // Unset: "variables". A trainable variable is in "trainable_variables" too.
  std::optional<std::vector<std::string>> collections = {};
  bool local = false;  // tf.get_local_variable
  std::optional<std::string> regularizer = {};
  std::optional<std::string> caching_device = {};
  std::optional<std::string> constraint = {};
  Synchronization synchronization = Synchronization::kAuto;
  // Unset: the scope's, else glorot_uniform for floating dtypes and zeros for
  // integers and bool.
  Initializer initializer = {};
};

// The arguments of tf.variable_scope beside its name.
struct ScopeOptions {
  Reuse reuse = Reuse::kInherit;
  Initializer initializer = {};     // of variables inside that name none
  std::optional<DType> dtype = {};  // likewise
  std::optional<std::string> regularizer = {};
  std::optional<std::string> caching_device = {};
  std::optional<std::string> constraint = {};
  bool auxiliary_name_scope = true;
};

}  // namespace varkeep::client

#endif  // VARKEEP_CLIENT_VARIABLE_OPTIONS_H_
