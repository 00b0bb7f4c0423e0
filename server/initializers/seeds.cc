// SPDX-License-Identifier: Apache-2.0
//
// What TensorFlow's graph lends to random numbers: the seeds, and the count of
// operations that stands in for a seed nobody gave.
#include <algorithm>

#include "absl/strings/ascii.h"
#include "server/initializers/initializer.h"

namespace varkeep {
namespace {

constexpr int64_t kModulus = 2147483647;
constexpr uint64_t kDefaultGraphSeed = 87654321;

// Never negative, as in Python.
uint64_t Reduced(int64_t seed) {
  const int64_t remainder = seed % kModulus;
  return static_cast<uint64_t>(remainder < 0 ? remainder + kModulus
                                             : remainder);
}

// A reference variable's own operations: itself, Assign and read.
constexpr int kVariableOps = 3;
// A random op comes after the constants of its shape and two parameters.
constexpr int kSeedPosition = 3;
// Shape, two parameters, draw, multiplication, addition; uniform numbers have
// a subtraction besides, integer ones only the first four.
constexpr OpCost kNormal{6 + kVariableOps, kSeedPosition};
constexpr OpCost kUniform{7 + kVariableOps, kSeedPosition};
constexpr OpCost kUniformInt{4 + kVariableOps, kSeedPosition};
constexpr OpCost kOneConstant{1 + kVariableOps, 0};

// TensorFlow makes one constant of fewer elements than this, else a Fill with
// two inputs.
constexpr int64_t kSmallElements = 1000;

OpCost FilledCost(int64_t elements) {
  return elements < kSmallElements ? kOneConstant : OpCost{3 + kVariableOps, 0};
}

OpCost OrthogonalCost(const Shape& shape) {
  // A wide matrix is drawn tall, then turned: a permutation and Transpose more.
  // As double: with a dimension of 0, the others may have any product.
  double rows = 1;
  for (int i = 0; i < shape.rank() - 1; ++i) {
    rows *= static_cast<double>(shape.dim(i));
  }
  const bool wide = shape.rank() > 0 &&
                    rows < static_cast<double>(shape.dim(shape.rank() - 1));
  // Draw, Qr, DiagPart, Sign, mul, shape, Reshape, gain, mul.
  constexpr int kTall = 14;
  return {kTall + (wide ? 2 : 0) + kVariableOps, kSeedPosition};
}

// The square form makes ones and their diagonal matrix, the other also zeros to
// set the diagonal of; then gain and multiplication. Releases differ (SEMANTICS
// Appendix A); these are the counts with the first version of MatrixDiag.
OpCost IdentityCost(const Shape& shape) {
  const bool square = shape.rank() == 2 && shape.dim(0) == shape.dim(1);
  return {(square ? 4 : 5) + kVariableOps, 0};
}

OpCost ValueCost(bool stray_constant) {
  return {kOneConstant.ops + (stray_constant ? 1 : 0), 0};
}

OpCost ScalingCost(const VarianceScalingInitializer& init) {
  return absl::AsciiStrToLower(init.distribution) == "uniform" ? kUniform
                                                               : kNormal;
}

struct CostVisitor {
  DType dtype;
  const Shape& shape;
  bool stray_constant;

  OpCost operator()(std::monostate) const { return {}; }
  OpCost operator()(const ZerosInitializer&) const {
    return FilledCost(shape.num_elements());
  }
  OpCost operator()(const OnesInitializer&) const {
    return FilledCost(shape.num_elements());
  }
  OpCost operator()(const ConstantInitializer&) const { return kOneConstant; }
  OpCost operator()(const ValueInitializer&) const {
    return ValueCost(stray_constant);
  }
  OpCost operator()(const RandomUniformInitializer&) const {
    return IsInteger(dtype) ? kUniformInt : kUniform;
  }
  OpCost operator()(const RandomNormalInitializer&) const { return kNormal; }
  OpCost operator()(const TruncatedNormalInitializer&) const { return kNormal; }
  OpCost operator()(const UniformUnitScalingInitializer&) const {
    return kUniform;
  }
  OpCost operator()(const VarianceScalingInitializer& init) const {
    return ScalingCost(init);
  }
  OpCost operator()(const OrthogonalInitializer&) const {
    return OrthogonalCost(shape);
  }
  OpCost operator()(const IdentityInitializer&) const {
    return IdentityCost(shape);
  }
};

}  // namespace

std::optional<Seeds> ResolveSeeds(std::optional<int64_t> graph_seed,
                                  std::optional<int64_t> op_seed,
                                  int64_t op_id) {
  if (!graph_seed && !op_seed) return std::nullopt;
  Seeds seeds{graph_seed ? Reduced(*graph_seed) : kDefaultGraphSeed,
              Reduced(op_seed.value_or(op_id))};
  // A kernel with two zeros would seed itself by chance.
  if (seeds.seed == 0 && seeds.seed2 == 0) seeds.seed2 = kModulus;
  return seeds;
}

OpCost InitializerOpCost(const InitializerSpec& spec, DType dtype,
                         const Shape& shape, bool is_get_variable,
                         bool explicit_dtype) {
  return std::visit(
      CostVisitor{dtype, shape, is_get_variable && explicit_dtype}, spec);
}

}  // namespace varkeep
