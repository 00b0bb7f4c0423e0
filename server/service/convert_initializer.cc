// SPDX-License-Identifier: Apache-2.0
#include "server/service/convert_initializer.h"

#include <utility>

#include "base/status_macros.h"
#include "proto/tensor_codec.h"

namespace varkeep {
namespace {

Number NumberFromProto(const v1::Initializer::Number& number) {
  if (number.number_case() == v1::Initializer::Number::kReal) {
    return number.real();
  }
  return number.integer();
}

void NumberToProto(const Number& number, v1::Initializer::Number* out) {
  if (const auto* real = std::get_if<double>(&number)) {
    out->set_real(*real);
  } else {
    out->set_integer(std::get<int64_t>(number));
  }
}

template <typename Message>
std::optional<int64_t> SeedFromProto(const Message& message) {
  if (!message.has_seed()) return std::nullopt;
  return message.seed();
}

template <typename Message>
void SeedToProto(const std::optional<int64_t>& seed, Message* out) {
  if (seed) out->set_seed(*seed);
}

RandomUniformInitializer UniformFromProto(
    const v1::Initializer::RandomUniform& proto) {
  RandomUniformInitializer uniform;
  if (proto.has_minval()) uniform.minval = NumberFromProto(proto.minval());
  if (proto.has_maxval()) uniform.maxval = NumberFromProto(proto.maxval());
  uniform.seed = SeedFromProto(proto);
  return uniform;
}

template <typename Normal>
Normal NormalFromProto(const v1::Initializer::RandomNormal& proto) {
  Normal normal;
  normal.mean = proto.mean();
  if (proto.has_stddev()) normal.stddev = proto.stddev();
  normal.seed = SeedFromProto(proto);
  return normal;
}

template <typename Normal>
void NormalToProto(const Normal& normal, v1::Initializer::RandomNormal* out) {
  out->set_mean(normal.mean);
  out->set_stddev(normal.stddev);
  SeedToProto(normal.seed, out);
}

VarianceScalingInitializer ScalingFromProto(
    const v1::Initializer::VarianceScaling& proto) {
  VarianceScalingInitializer scaling;
  if (proto.has_scale()) scaling.scale = proto.scale();
  if (!proto.mode().empty()) scaling.mode = proto.mode();
  if (!proto.distribution().empty()) {
    scaling.distribution = proto.distribution();
  }
  scaling.seed = SeedFromProto(proto);
  return scaling;
}

InitializerSpec NamedFromProto(absl::string_view name,
                               const v1::Initializer::Seeded& proto) {
  VarianceScalingInitializer scaling = *NamedVarianceScaling(name);
  scaling.seed = SeedFromProto(proto);
  return scaling;
}

absl::StatusOr<InitializerSpec> ConstantFromProto(
    const v1::Initializer::Constant& proto) {
  ConstantInitializer constant;
  constant.verify_shape = proto.verify_shape();
  constant.check_kind = !proto.cast();
  if (proto.has_value()) {
    ASSIGN_OR_RETURN(constant.value, TensorFromProto(proto.value()));
    return constant;
  }
  const int64_t zero[] = {0};
  ASSIGN_OR_RETURN(constant.value,
                   MakeTensor(Shape(), std::span<const int64_t>(zero)));
  return constant;
}

void ScalingToProto(const VarianceScalingInitializer& spec,
                    v1::Initializer* out) {
  if (spec.alias == "glorot_uniform") {
    SeedToProto(spec.seed, out->mutable_glorot_uniform());
  } else if (spec.alias == "glorot_normal") {
    SeedToProto(spec.seed, out->mutable_glorot_normal());
  } else if (spec.alias == "he_uniform") {
    SeedToProto(spec.seed, out->mutable_he_uniform());
  } else if (spec.alias == "he_normal") {
    SeedToProto(spec.seed, out->mutable_he_normal());
  } else if (spec.alias == "lecun_uniform") {
    SeedToProto(spec.seed, out->mutable_lecun_uniform());
  } else if (spec.alias == "lecun_normal") {
    SeedToProto(spec.seed, out->mutable_lecun_normal());
  } else {
    v1::Initializer::VarianceScaling* scaling = out->mutable_variance_scaling();
    scaling->set_scale(spec.scale);
    scaling->set_mode(spec.mode);
    scaling->set_distribution(spec.distribution);
    SeedToProto(spec.seed, scaling);
  }
}

// One overload for each kind of InitializerSpec.
struct ToProto {
  bool with_values;
  v1::Initializer* out;

  void operator()(const std::monostate&) const {}
  void operator()(const ZerosInitializer&) const { out->mutable_zeros(); }
  void operator()(const OnesInitializer&) const { out->mutable_ones(); }
  void operator()(const ConstantInitializer& spec) const {
    v1::Initializer::Constant* constant = out->mutable_constant();
    constant->set_verify_shape(spec.verify_shape);
    constant->set_cast(!spec.check_kind);
    if (with_values) TensorToProto(*spec.value, constant->mutable_value());
  }
  void operator()(const ValueInitializer& spec) const {
    v1::Tensor* value = out->mutable_value();
    if (with_values) {
      TensorToProto(*spec.value, value);
    } else {
      value->set_dtype(DTypeToProto(spec.value->dtype()));
      ShapeToProto(spec.value->shape(), value->mutable_shape());
    }
  }
  void operator()(const RandomUniformInitializer& spec) const {
    v1::Initializer::RandomUniform* uniform = out->mutable_random_uniform();
    NumberToProto(spec.minval, uniform->mutable_minval());
    if (spec.maxval) NumberToProto(*spec.maxval, uniform->mutable_maxval());
    SeedToProto(spec.seed, uniform);
  }
  void operator()(const RandomNormalInitializer& spec) const {
    NormalToProto(spec, out->mutable_random_normal());
  }
  void operator()(const TruncatedNormalInitializer& spec) const {
    NormalToProto(spec, out->mutable_truncated_normal());
  }
  void operator()(const UniformUnitScalingInitializer& spec) const {
    out->mutable_uniform_unit_scaling()->set_factor(spec.factor);
    SeedToProto(spec.seed, out->mutable_uniform_unit_scaling());
  }
  void operator()(const VarianceScalingInitializer& spec) const {
    ScalingToProto(spec, out);
  }
  void operator()(const OrthogonalInitializer& spec) const {
    out->mutable_orthogonal()->set_gain(spec.gain);
    SeedToProto(spec.seed, out->mutable_orthogonal());
  }
  void operator()(const IdentityInitializer& spec) const {
    out->mutable_identity()->set_gain(spec.gain);
  }
};

}  // namespace

absl::StatusOr<InitializerSpec> InitializerFromProto(
    const v1::Initializer& proto) {
  switch (proto.kind_case()) {
    case v1::Initializer::KIND_NOT_SET:
      return std::monostate();
    case v1::Initializer::kZeros:
      return ZerosInitializer();
    case v1::Initializer::kOnes:
      return OnesInitializer();
    case v1::Initializer::kConstant:
      return ConstantFromProto(proto.constant());
    case v1::Initializer::kValue: {
      ASSIGN_OR_RETURN(TensorRef value, TensorFromProto(proto.value()));
      return ValueInitializer{std::move(value)};
    }
    case v1::Initializer::kRandomUniform:
      return UniformFromProto(proto.random_uniform());
    case v1::Initializer::kRandomNormal:
      return NormalFromProto<RandomNormalInitializer>(proto.random_normal());
    case v1::Initializer::kTruncatedNormal:
      return NormalFromProto<TruncatedNormalInitializer>(
          proto.truncated_normal());
    case v1::Initializer::kUniformUnitScaling: {
      UniformUnitScalingInitializer scaling;
      if (proto.uniform_unit_scaling().has_factor()) {
        scaling.factor = proto.uniform_unit_scaling().factor();
      }
      scaling.seed = SeedFromProto(proto.uniform_unit_scaling());
      return scaling;
    }
    case v1::Initializer::kVarianceScaling:
      return ScalingFromProto(proto.variance_scaling());
    case v1::Initializer::kGlorotUniform:
      return NamedFromProto("glorot_uniform", proto.glorot_uniform());
    case v1::Initializer::kGlorotNormal:
      return NamedFromProto("glorot_normal", proto.glorot_normal());
    case v1::Initializer::kHeUniform:
      return NamedFromProto("he_uniform", proto.he_uniform());
    case v1::Initializer::kHeNormal:
      return NamedFromProto("he_normal", proto.he_normal());
    case v1::Initializer::kLecunUniform:
      return NamedFromProto("lecun_uniform", proto.lecun_uniform());
    case v1::Initializer::kLecunNormal:
      return NamedFromProto("lecun_normal", proto.lecun_normal());
    case v1::Initializer::kOrthogonal: {
      OrthogonalInitializer orthogonal;
      if (proto.orthogonal().has_gain()) {
        orthogonal.gain = proto.orthogonal().gain();
      }
      orthogonal.seed = SeedFromProto(proto.orthogonal());
      return orthogonal;
    }
    case v1::Initializer::kIdentity: {
      IdentityInitializer identity;
      if (proto.identity().has_gain()) identity.gain = proto.identity().gain();
      return identity;
    }
  }
  return std::monostate();
}

void InitializerToProto(const InitializerSpec& spec, bool with_values,
                        v1::Initializer* out) {
  std::visit(ToProto{with_values, out}, spec);
}

}  // namespace varkeep
