// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_CLIENT_VARIABLE_INFO_H_
#define VARKEEP_CLIENT_VARIABLE_INFO_H_

#include <cstdint>
#include <string>
#include <vector>

#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace varkeep::client {

// The collections that declaring variables fills.
inline constexpr char kGlobalVariables[] = "variables";
inline constexpr char kLocalVariables[] = "local_variables";
inline constexpr char kTrainableVariables[] = "trainable_variables";

// What the server knew of a variable at one moment.
struct VariableInfo {
  std::string name;     // "foo/v:0"
  std::string op_name;  // "foo/v"
  std::string container;
  DType dtype = DType::kFloat32;
  Shape shape;
  bool trainable = true;
  std::vector<std::string> collections;
  std::string initializer;  // for people: "random_normal(stddev=0.35)"
  uint64_t seed = 0;        // the pair the initializer draws with
  uint64_t seed2 = 0;
  uint64_t run = 0;  // how often the initializer has drawn
  bool initialized = false;
  uint64_t version = 0;     // revision of the last change; 0: none yet
  uint64_t declared = 0;    // revision of the declaration
  uint64_t size_bytes = 0;  // of the value
  std::string regularizer;  // the rest is kept and reported
  std::string caching_device;
  std::string constraint;
  std::string creator;

  // As TensorFlow prints it:
  // <tf.Variable 'weights:0' shape=(784, 200) dtype=float32_ref>
  std::string ToString() const;
};

}  // namespace varkeep::client

#endif  // VARKEEP_CLIENT_VARIABLE_INFO_H_
