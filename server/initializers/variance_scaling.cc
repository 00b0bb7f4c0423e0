// SPDX-License-Identifier: Apache-2.0
//
// Initializers whose spread follows from the shape: variance_scaling with its
// named families, and uniform_unit_scaling. Each is a plain distribution once
// the shape is known.
#include <algorithm>
#include <cmath>
#include <variant>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "server/initializers/argument_errors.h"
#include "server/initializers/kinds.h"

namespace varkeep {

std::optional<VarianceScalingInitializer> NamedVarianceScaling(
    absl::string_view name) {
  struct Family {
    absl::string_view name;
    double scale;
    absl::string_view mode;
    absl::string_view distribution;
  };
  static constexpr Family kFamilies[] = {
      {"glorot_uniform", 1.0, "fan_avg", "uniform"},
      {"glorot_normal", 1.0, "fan_avg", "truncated_normal"},
      {"he_uniform", 2.0, "fan_in", "uniform"},
      {"he_normal", 2.0, "fan_in", "truncated_normal"},
      {"lecun_uniform", 1.0, "fan_in", "uniform"},
      {"lecun_normal", 1.0, "fan_in", "truncated_normal"},
  };
  for (const Family& family : kFamilies) {
    if (family.name != name) continue;
    return VarianceScalingInitializer{
        .scale = family.scale,
        .mode = std::string(family.mode),
        .distribution = std::string(family.distribution),
        .seed = std::nullopt,
        .alias = std::string(name)};
  }
  return std::nullopt;
}

namespace initializers {
namespace {

using PlainInitializer =
    std::variant<RandomUniformInitializer, RandomNormalInitializer,
                 TruncatedNormalInitializer>;

// The deviation of a standard normal distribution cut off at two.
constexpr double kTruncatedStddev = 0.87962566103423978;

struct Fans {
  double in = 1;
  double out = 1;
};

Fans FansOf(const Shape& shape) {
  const int rank = shape.rank();
  if (rank == 0) return {};
  const auto last = static_cast<double>(shape.dim(rank - 1));
  if (rank == 1) return {last, last};
  double receptive_field = 1;
  for (int i = 0; i < rank - 2; ++i) {
    receptive_field *= static_cast<double>(shape.dim(i));
  }
  return {static_cast<double>(shape.dim(rank - 2)) * receptive_field,
          last * receptive_field};
}

double FanOf(absl::string_view mode, const Fans& fans) {
  if (mode == "fan_in") return fans.in;
  if (mode == "fan_out") return fans.out;
  return (fans.in + fans.out) / 2;
}

PlainInitializer Uniform(double limit, std::optional<int64_t> seed) {
  return RandomUniformInitializer{-limit, Number(limit), seed};
}

// REQUIRES: CheckArguments is OK.
PlainInitializer Plain(const VarianceScalingInitializer& init,
                       const Shape& shape) {
  const double scale =
      init.scale / std::max(1.0, FanOf(init.mode, FansOf(shape)));
  const std::string distribution = absl::AsciiStrToLower(init.distribution);
  if (distribution == "uniform") {
    return Uniform(std::sqrt(3.0 * scale), init.seed);
  }
  if (distribution == "untruncated_normal") {
    return RandomNormalInitializer{0.0, std::sqrt(scale), init.seed};
  }
  return TruncatedNormalInitializer{0.0, std::sqrt(scale) / kTruncatedStddev,
                                    init.seed};
}

PlainInitializer Plain(const UniformUnitScalingInitializer& init,
                       const Shape& shape) {
  double inputs = 1;
  for (int i = 0; i < shape.rank() - 1; ++i) {
    inputs *= static_cast<double>(shape.dim(i));
  }
  return Uniform(std::sqrt(3 / std::max(inputs, 1.0)) * init.factor, init.seed);
}

// A text of the caller in an error message: cut short when it is long.
absl::string_view Shown(absl::string_view text) { return text.substr(0, 64); }

absl::Status CheckArguments(const VarianceScalingInitializer& init) {
  RETURN_IF_ERROR(CheckFinite("scale", init.scale));
  if (init.scale <= 0) {
    return absl::InvalidArgumentError("`scale` must be positive float.");
  }
  if (init.mode != "fan_in" && init.mode != "fan_out" &&
      init.mode != "fan_avg") {
    return absl::InvalidArgumentError(
        absl::StrCat("Invalid `mode` argument: ", Shown(init.mode)));
  }
  const std::string distribution = absl::AsciiStrToLower(init.distribution);
  if (distribution != "normal" && distribution != "uniform" &&
      distribution != "truncated_normal" &&
      distribution != "untruncated_normal") {
    return absl::InvalidArgumentError(
        absl::StrCat("Invalid `distribution` argument: ", Shown(distribution)));
  }
  return absl::OkStatus();
}

absl::Status CheckPlain(const PlainInitializer& plain, DType dtype,
                        const Shape& shape) {
  return std::visit([&](const auto& init) { return Check(init, dtype, shape); },
                    plain);
}

absl::Status FillPlain(const PlainInitializer& plain, const Source& source,
                       Tensor* out) {
  return std::visit([&](const auto& init) { return Fill(init, source, out); },
                    plain);
}

}  // namespace

absl::Status Check(const VarianceScalingInitializer& init, DType dtype,
                   const Shape& shape) {
  RETURN_IF_ERROR(CheckArguments(init));
  return CheckPlain(Plain(init, shape), dtype, shape);
}

absl::Status Check(const UniformUnitScalingInitializer& init, DType dtype,
                   const Shape& shape) {
  RETURN_IF_ERROR(CheckFinite("factor", init.factor));
  return CheckPlain(Plain(init, shape), dtype, shape);
}

absl::Status Fill(const VarianceScalingInitializer& init, const Source& source,
                  Tensor* out) {
  return FillPlain(Plain(init, out->shape()), source, out);
}

absl::Status Fill(const UniformUnitScalingInitializer& init,
                  const Source& source, Tensor* out) {
  return FillPlain(Plain(init, out->shape()), source, out);
}

}  // namespace initializers
}  // namespace varkeep
