// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_INITIALIZERS_INITIALIZER_H_
#define VARKEEP_SERVER_INITIALIZERS_INITIALIZER_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/thread_pool.h"
#include "server/initializers/initializer_spec.h"
#include "tensor/tensor.h"

namespace varkeep {

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
// "glorot_uniform", "value", ...; "none" for monostate.
std::string InitializerName(const InitializerSpec& spec);

// One line for people: "random_normal(stddev=0.35, seed=7)", "zeros". Arguments
// that have their default are left out; a constant and a value show their first
// elements: "constant([1, 2, 3, 4, 5, 6, ...])".
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
  // Random only, else 0: what to add to the counter before the call to have
  // the op id that stands for the op seed.
  int seed_position = 0;
};
// `dtype` is the variable's: an integer random_uniform makes fewer ops than a
// floating one. `explicit_dtype`: get_variable was given a dtype argument
// (matters for a ValueInitializer only). `is_get_variable` false: tf.Variable.
// REQUIRES: spec is not monostate.
OpCost InitializerOpCost(const InitializerSpec& spec, DType dtype,
                         const Shape& shape, bool is_get_variable,
                         bool explicit_dtype);

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
// ...}. Every number comes back exactly. Tensors are left out: `value`
// (constant, value) is stored beside it and handed back to ParseInitializer.
std::string InitializerToJson(const InitializerSpec& spec);

// The inverse. DATA_LOSS names what is wrong: no JSON object, an unknown kind,
// an argument that is missing, unknown or of the wrong type, no tensor where
// the kind has one. `value` may be null for kinds without one.
absl::StatusOr<InitializerSpec> ParseInitializer(absl::string_view json,
                                                 TensorRef value);

// The tensor inside a constant or value initializer; null for others.
TensorRef InitializerValue(const InitializerSpec& spec);

}  // namespace varkeep

#endif  // VARKEEP_SERVER_INITIALIZERS_INITIALIZER_H_
