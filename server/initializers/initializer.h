// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_INITIALIZERS_INITIALIZER_H_
#define VARKEEP_SERVER_INITIALIZERS_INITIALIZER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/thread_pool.h"
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

// The named families. "glorot_uniform", "glorot_normal", "he_uniform",
// "he_normal", "lecun_uniform", "lecun_normal". nullopt for another name.
std::optional<VarianceScalingInitializer> NamedVarianceScaling(
    absl::string_view name);

// TensorFlow's default for a dtype: glorot_uniform for floating dtypes, zeros
// for integers and bool. INVALID_ARGUMENT "An initializer for variable <key> of
// <dtype: 'complex64'> is required" for the others.
absl::StatusOr<InitializerSpec> DefaultInitializer(DType dtype,
                                                   absl::string_view key);

// TensorFlow's name without "_initializer": "zeros", "random_normal",
// "glorot_uniform", "value", ...
std::string InitializerName(const InitializerSpec& spec);

// One line for people: "random_normal(mean=0, stddev=0.35, seed=7)". Arguments
// that have their default are left out; a constant shows its first elements.
std::string InitializerToString(const InitializerSpec& spec);

// True when the initializer draws random numbers.
bool IsRandom(const InitializerSpec& spec);

// The op seed in the spec.
std::optional<int64_t> OpSeed(const InitializerSpec& spec);

// Every error that RunInitializer would give for this dtype and shape, without
// drawing: TensorFlow's texts (SEMANTICS 7), INVALID_ARGUMENT. Also rejects NaN
// and infinite parameters. REQUIRES: spec is not monostate.
absl::Status CheckInitializer(const InitializerSpec& spec, DType dtype,
                              const Shape& shape);

// The two numbers a TensorFlow random op is seeded with.
struct Seeds {
  uint64_t seed = 0;
  uint64_t seed2 = 0;
};

// tf.get_seed (SEMANTICS 8.1). `op_id` stands for the op seed when only the
// graph seed is given. nullopt when neither is: the caller draws two random
// numbers.
std::optional<Seeds> ResolveSeeds(std::optional<int64_t> graph_seed,
                                  std::optional<int64_t> op_seed,
                                  int64_t op_id);

// What creating a reference variable with this initializer adds to a TensorFlow
// graph's op counter (SEMANTICS, Appendix A).
struct OpCost {
  int ops = 0;  // added in all
  int seed_position =
      0;  // random only: the op id that seeds it, after `before`
};
// `explicit_dtype`: get_variable was given a dtype argument (matters for a
// ValueInitializer only). `is_get_variable` false: tf.Variable.
OpCost InitializerOpCost(const InitializerSpec& spec, const Shape& shape,
                         bool is_get_variable, bool explicit_dtype);

// The initial value: bit for bit what TensorFlow draws with these seeds for
// uniform draws, within 4 ulp for normal ones, 1e-5 for orthogonal (SEMANTICS
// 8). `run` counts the earlier runs of this initializer: each draws anew. The
// result depends neither on the number of threads nor on `pool`, which may be
// null (the calling thread does all). INVALID_ARGUMENT as CheckInitializer,
// RESOURCE_EXHAUSTED when memory is short. Thread-safe.
// A ValueInitializer gives the very tensor it holds, no copy.
absl::StatusOr<TensorRef> RunInitializer(const InitializerSpec& spec,
                                         DType dtype, const Shape& shape,
                                         Seeds seeds, uint64_t run,
                                         ThreadPool* pool);

// One JSON object, for checkpoints: {"kind": "random_normal", "mean": 0.0,
// ...}. Tensors are left out: `value` (constant, value) is stored beside it and
// handed back to ParseInitializer.
std::string InitializerToJson(const InitializerSpec& spec);

// The inverse. DATA_LOSS names what is wrong with the text. `value` may be null
// for initializers without one.
absl::StatusOr<InitializerSpec> ParseInitializer(absl::string_view json,
                                                 TensorRef value);

// The tensor inside a constant or value initializer; null for others.
TensorRef InitializerValue(const InitializerSpec& spec);

}  // namespace varkeep

#endif  // VARKEEP_SERVER_INITIALIZERS_INITIALIZER_H_
