// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TESTS_SERVER_INITIALIZERS_RUN_H_
#define VARKEEP_TESTS_SERVER_INITIALIZERS_RUN_H_

#include <gmock/gmock.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "server/initializers/initializer.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/tensors.h"

namespace varkeep {

// The seeds of an op seed alone, and of (graph seed, op seed).
inline Seeds OpSeeds(int64_t op_seed) {
  return *ResolveSeeds(std::nullopt, op_seed, 0);
}
inline Seeds BothSeeds(int64_t graph_seed, int64_t op_seed) {
  return *ResolveSeeds(graph_seed, op_seed, 0);
}

// What the initializer draws, as a tensor; null and a failed test on an error.
inline TensorRef Draw(const InitializerSpec& spec, DType dtype,
                      const Shape& shape, Seeds seeds = {}, uint64_t run = 0,
                      ThreadPool* pool = nullptr) {
  absl::StatusOr<TensorRef> tensor =
      RunInitializer(spec, dtype, shape, seeds, run, pool);
  EXPECT_THAT(tensor, IsOk());
  if (!tensor.ok()) return nullptr;
  EXPECT_EQ((*tensor)->dtype(), dtype);
  EXPECT_EQ((*tensor)->shape(), shape);
  return *tensor;
}

// The same, as a vector of its elements; empty on an error.
template <typename T>
std::vector<T> DrawValues(const InitializerSpec& spec, const Shape& shape,
                          Seeds seeds = {}, uint64_t run = 0) {
  const TensorRef tensor = Draw(spec, DTypeOf<T>(), shape, seeds, run);
  return tensor == nullptr ? std::vector<T>() : Values<T>(*tensor);
}

// CheckInitializer and RunInitializer both say INVALID_ARGUMENT with exactly
// this message.
inline void ExpectRejected(const InitializerSpec& spec, DType dtype,
                           const Shape& shape, const std::string& message) {
  const auto rejected =
      StatusIs(absl::StatusCode::kInvalidArgument, ::testing::Eq(message));
  EXPECT_THAT(CheckInitializer(spec, dtype, shape), rejected);
  EXPECT_THAT(RunInitializer(spec, dtype, shape, {}, 0, nullptr), rejected);
}

// At most `ulps` representable numbers away. Usable with Pointwise.
MATCHER_P(WithinUlps, ulps, "is within some ulps") {
  const float a = std::get<0>(arg);
  const float b = std::get<1>(arg);
  const auto distance =
      std::abs(static_cast<int64_t>(std::bit_cast<int32_t>(a)) -
               static_cast<int64_t>(std::bit_cast<int32_t>(b)));
  *result_listener << a << " and " << b << ", " << distance << " ulps apart";
  return distance <= ulps;
}

}  // namespace varkeep

#endif  // VARKEEP_TESTS_SERVER_INITIALIZERS_RUN_H_
