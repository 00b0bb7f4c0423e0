// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_INITIALIZERS_INITIALIZER_SPEC_H_
#define VARKEEP_SERVER_INITIALIZERS_INITIALIZER_SPEC_H_

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "tensor/tensor.h"

namespace varkeep {

// What a variable's first value is: the initializers of TensorFlow 1.15. An
// InitializerSpec holds the constructor's arguments; defaults are TensorFlow's.
// Seeds in a spec are the op seed; unset means none given.

// A number as the caller wrote it. An integer stays exact; a floating dtype
// takes either kind, an integer dtype only an integer.
using Number = std::variant<int64_t, double>;

struct ZerosInitializer {};

struct OnesInitializer {};

// tf.constant_initializer: the elements of `value` row-major into any shape,
// the last one repeated when there are too few; none at all gives zeros.
struct ConstantInitializer {
  TensorRef value;
  // True: `value` must have the variable's shape exactly.
  bool verify_shape = false;
  // True: a Python scalar or list, whose kind must suit the variable's dtype
  // (no 2.5 into int32). False: an array, which is cast silently.
  bool check_kind = true;
};

// A value given in place of an initializer (tf.Variable(initial_value),
// get_variable(initializer=tensor)): shape and dtype of the variable are its
// own.
struct ValueInitializer {
  TensorRef value;
};

// Uniform in [minval, maxval).
struct RandomUniformInitializer {
  Number minval = int64_t{0};
  std::optional<Number> maxval;  // unset: 1 for floating dtypes, else an error
  std::optional<int64_t> seed;
};

struct RandomNormalInitializer {
  double mean = 0.0;
  double stddev = 1.0;
  std::optional<int64_t> seed;
};

// Redrawn outside two standard deviations.
struct TruncatedNormalInitializer {
  double mean = 0.0;
  double stddev = 1.0;
  std::optional<int64_t> seed;
};

struct UniformUnitScalingInitializer {
  double factor = 1.0;
  std::optional<int64_t> seed;
};

// Also glorot_*, he_* and lecun_*; `alias` remembers the name for display.
struct VarianceScalingInitializer {
  double scale = 1.0;
  std::string mode = "fan_in";
  std::string distribution = "truncated_normal";
  std::optional<int64_t> seed;
  std::string alias;  // "glorot_uniform", ...; empty: variance_scaling itself
};

struct OrthogonalInitializer {
  double gain = 1.0;
  std::optional<int64_t> seed;
};

struct IdentityInitializer {
  double gain = 1.0;
};

// A closed set. monostate: none given (the scope's, else the dtype's default).
using InitializerSpec = std::variant<
    std::monostate, ZerosInitializer, OnesInitializer, ConstantInitializer,
    ValueInitializer, RandomUniformInitializer, RandomNormalInitializer,
    TruncatedNormalInitializer, UniformUnitScalingInitializer,
    VarianceScalingInitializer, OrthogonalInitializer, IdentityInitializer>;

}  // namespace varkeep

#endif  // VARKEEP_SERVER_INITIALIZERS_INITIALIZER_SPEC_H_
