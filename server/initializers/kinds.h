// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_INITIALIZERS_KINDS_H_
#define VARKEEP_SERVER_INITIALIZERS_KINDS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "base/thread_pool.h"
#include "server/initializers/draws.h"
#include "server/initializers/initializer.h"
#include "tensor/tensor.h"

namespace varkeep::initializers {

// What each kind of initializer does; initializer.cc picks the overload.

// Where random numbers come from, and who does the work.
struct Source {
  Seeds seeds;
  uint64_t run = 0;
  ThreadPool* pool = nullptr;

  // The stream of a random op of `size` elements: each earlier run has moved it
  // on by 256 blocks for each of them.
  Philox Stream(int64_t size) const {
    Philox stream(seeds.seed, seeds.seed2);
    stream.Skip(Philox::Uint128{static_cast<uint64_t>(size) * 256} * run);
    return stream;
  }
};

// Every error that Fill would meet, but for want of memory.
absl::Status Check(const ZerosInitializer&, DType, const Shape&);
absl::Status Check(const OnesInitializer&, DType, const Shape&);
absl::Status Check(const ConstantInitializer&, DType, const Shape&);
absl::Status Check(const ValueInitializer&, DType, const Shape&);
absl::Status Check(const RandomUniformInitializer&, DType, const Shape&);
absl::Status Check(const RandomNormalInitializer&, DType, const Shape&);
absl::Status Check(const TruncatedNormalInitializer&, DType, const Shape&);
absl::Status Check(const UniformUnitScalingInitializer&, DType, const Shape&);
absl::Status Check(const VarianceScalingInitializer&, DType, const Shape&);
absl::Status Check(const OrthogonalInitializer&, DType, const Shape&);
absl::Status Check(const IdentityInitializer&, DType, const Shape&);

// Writes every element of `out`. RESOURCE_EXHAUSTED when memory is short.
// REQUIRES: Check is OK for out's dtype and shape.
absl::Status Fill(const ZerosInitializer&, const Source&, Tensor* out);
absl::Status Fill(const OnesInitializer&, const Source&, Tensor* out);
absl::Status Fill(const ConstantInitializer&, const Source&, Tensor* out);
absl::Status Fill(const RandomUniformInitializer&, const Source&, Tensor* out);
absl::Status Fill(const RandomNormalInitializer&, const Source&, Tensor* out);
absl::Status Fill(const TruncatedNormalInitializer&, const Source&,
                  Tensor* out);
absl::Status Fill(const UniformUnitScalingInitializer&, const Source&,
                  Tensor* out);
absl::Status Fill(const VarianceScalingInitializer&, const Source&,
                  Tensor* out);
absl::Status Fill(const OrthogonalInitializer&, const Source&, Tensor* out);
absl::Status Fill(const IdentityInitializer&, const Source&, Tensor* out);

}  // namespace varkeep::initializers

#endif  // VARKEEP_SERVER_INITIALIZERS_KINDS_H_
