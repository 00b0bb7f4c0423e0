// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_INITIALIZERS_ARGUMENTS_H_
#define VARKEEP_SERVER_INITIALIZERS_ARGUMENTS_H_

#include <type_traits>
#include <variant>

#include "absl/strings/string_view.h"
#include "server/initializers/initializer_spec.h"

namespace varkeep::initializers {

// The one list of the kinds and their arguments, from which text and JSON are
// made. Tensors are not in it.

template <typename Init>
constexpr absl::string_view KindName() {
  if constexpr (std::is_same_v<Init, std::monostate>) return "none";
  if constexpr (std::is_same_v<Init, ZerosInitializer>) return "zeros";
  if constexpr (std::is_same_v<Init, OnesInitializer>) return "ones";
  if constexpr (std::is_same_v<Init, ConstantInitializer>) return "constant";
  if constexpr (std::is_same_v<Init, ValueInitializer>) return "value";
  if constexpr (std::is_same_v<Init, RandomUniformInitializer>) {
    return "random_uniform";
  }
  if constexpr (std::is_same_v<Init, RandomNormalInitializer>) {
    return "random_normal";
  }
  if constexpr (std::is_same_v<Init, TruncatedNormalInitializer>) {
    return "truncated_normal";
  }
  if constexpr (std::is_same_v<Init, UniformUnitScalingInitializer>) {
    return "uniform_unit_scaling";
  }
  if constexpr (std::is_same_v<Init, VarianceScalingInitializer>) {
    return "variance_scaling";
  }
  if constexpr (std::is_same_v<Init, OrthogonalInitializer>) {
    return "orthogonal";
  }
  if constexpr (std::is_same_v<Init, IdentityInitializer>) return "identity";
}

// Calls visit(name, member pointer) for each argument of Init, in the order of
// TensorFlow's constructor.
template <typename Init, typename Visit>
void ForEachArgument(const Visit& visit) {
  if constexpr (std::is_same_v<Init, ConstantInitializer>) {
    visit("verify_shape", &Init::verify_shape);
    visit("check_kind", &Init::check_kind);
  }
  if constexpr (std::is_same_v<Init, RandomUniformInitializer>) {
    visit("minval", &Init::minval);
    visit("maxval", &Init::maxval);
  }
  if constexpr (requires(Init init) { init.mean; }) {
    visit("mean", &Init::mean);
    visit("stddev", &Init::stddev);
  }
  if constexpr (requires(Init init) { init.factor; }) {
    visit("factor", &Init::factor);
  }
  if constexpr (std::is_same_v<Init, VarianceScalingInitializer>) {
    visit("scale", &Init::scale);
    visit("mode", &Init::mode);
    visit("distribution", &Init::distribution);
    visit("alias", &Init::alias);
  }
  if constexpr (requires(Init init) { init.gain; }) {
    visit("gain", &Init::gain);
  }
  if constexpr (requires(Init init) { init.seed; }) {
    visit("seed", &Init::seed);
  }
}

}  // namespace varkeep::initializers

#endif  // VARKEEP_SERVER_INITIALIZERS_ARGUMENTS_H_
