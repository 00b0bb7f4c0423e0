// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_VARIABLES_VARIABLE_H_
#define VARKEEP_SERVER_VARIABLES_VARIABLE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "server/initializers/initializer.h"
#include "tensor/tensor.h"

namespace varkeep {

// One counter of committed changes per server. A variable's version is the
// revision of its last change. Never repeats, never goes back; 0: none yet.
using Revision = uint64_t;

// Collections that TensorFlow's constructors fill.
inline constexpr char kGlobalVariables[] = "variables";
inline constexpr char kLocalVariables[] = "local_variables";
inline constexpr char kTrainableVariables[] = "trainable_variables";

// What a declaration fixes. A value.
struct VariableSpec {
  std::string name;  // op name, "foo/v"
  DType dtype = DType::kFloat32;
  Shape shape;
  bool trainable = true;
  std::vector<std::string> collections;  // in order, each once
  InitializerSpec initializer;           // never monostate
  Seeds seeds;                           // resolved; random initializers only
  std::string regularizer;               // the rest is kept and reported
  std::string caching_device;
  std::string constraint;
  std::string creator;
};

// A variable as it is at one moment, without its value.
struct VariableInfo {
  std::string container;
  VariableSpec spec;
  bool initialized = false;  // zero-element variables always are
  Revision version = 0;      // of the last change of the value; 0: none yet
  Revision declared = 0;     // of the declaration
  uint64_t run = 0;          // how often the initializer has drawn
};

}  // namespace varkeep

#endif  // VARKEEP_SERVER_VARIABLES_VARIABLE_H_
