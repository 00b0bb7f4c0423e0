// SPDX-License-Identifier: Apache-2.0
#include "client/initializers.h"

#include <span>
#include <utility>

#include "proto/tensor_codec.h"
#include "varkeep/v1/variable.pb.h"

namespace varkeep::client {
namespace {

template <typename Message>
void SetSeed(const std::optional<int64_t>& seed, Message* message) {
  if (seed) message->set_seed(*seed);
}

void SetNumber(const Number& number, v1::Initializer::Number* message) {
  if (const auto* integer = std::get_if<int64_t>(&number)) {
    message->set_integer(*integer);
  } else {
    message->set_real(std::get<double>(number));
  }
}

// A Python list of these: not cast, a rank of one.
template <typename T>
Initializer ConstantList(std::span<const T> values, bool scalar) {
  v1::Initializer message;
  v1::Tensor* tensor = message.mutable_constant()->mutable_value();
  tensor->set_dtype(DTypeToProto(DTypeOf<T>()));
  if (!scalar) {
    tensor->mutable_shape()->add_dims(static_cast<int64_t>(values.size()));
  }
  tensor->set_data(values.data(), values.size_bytes());
  return Initializer(std::move(message));
}

void SetNormal(const RandomNormalOptions& options,
               v1::Initializer::RandomNormal* message) {
  message->set_mean(options.mean);
  message->set_stddev(options.stddev);
  SetSeed(options.seed, message);
}

}  // namespace

Initializer::Initializer(v1::Initializer message)
    : message_(std::make_shared<const v1::Initializer>(std::move(message))) {}

Initializer Zeros() {
  v1::Initializer message;
  message.mutable_zeros();
  return Initializer(std::move(message));
}

Initializer Ones() {
  v1::Initializer message;
  message.mutable_ones();
  return Initializer(std::move(message));
}

Initializer Constant(double value) {
  return ConstantList(std::span<const double>(&value, 1), true);
}

Initializer Constant(int64_t value) {
  return ConstantList(std::span<const int64_t>(&value, 1), true);
}

Initializer Constant(std::initializer_list<double> values) {
  return ConstantList(std::span<const double>(values.begin(), values.size()),
                      false);
}

Initializer Constant(const std::vector<double>& values) {
  return ConstantList(std::span<const double>(values), false);
}

Initializer Constant(const std::vector<int64_t>& values) {
  return ConstantList(std::span<const int64_t>(values), false);
}

Initializer Constant(const Tensor& value, const ConstantOptions& options) {
  v1::Initializer message;
  TensorToProto(value, message.mutable_constant()->mutable_value());
  message.mutable_constant()->set_verify_shape(options.verify_shape);
  message.mutable_constant()->set_cast(options.cast);
  return Initializer(std::move(message));
}

Initializer Value(const Tensor& value) {
  v1::Initializer message;
  TensorToProto(value, message.mutable_value());
  return Initializer(std::move(message));
}

Initializer RandomUniform(const RandomUniformOptions& options) {
  v1::Initializer message;
  auto* uniform = message.mutable_random_uniform();
  SetNumber(options.minval, uniform->mutable_minval());
  if (options.maxval) SetNumber(*options.maxval, uniform->mutable_maxval());
  SetSeed(options.seed, uniform);
  return Initializer(std::move(message));
}

Initializer RandomNormal(const RandomNormalOptions& options) {
  v1::Initializer message;
  SetNormal(options, message.mutable_random_normal());
  return Initializer(std::move(message));
}

Initializer TruncatedNormal(const RandomNormalOptions& options) {
  v1::Initializer message;
  SetNormal(options, message.mutable_truncated_normal());
  return Initializer(std::move(message));
}

Initializer UniformUnitScaling(const UniformUnitScalingOptions& options) {
  v1::Initializer message;
  message.mutable_uniform_unit_scaling()->set_factor(options.factor);
  SetSeed(options.seed, message.mutable_uniform_unit_scaling());
  return Initializer(std::move(message));
}

Initializer VarianceScaling(const VarianceScalingOptions& options) {
  v1::Initializer message;
  auto* scaling = message.mutable_variance_scaling();
  scaling->set_scale(options.scale);
  scaling->set_mode(options.mode);
  scaling->set_distribution(options.distribution);
  SetSeed(options.seed, scaling);
  return Initializer(std::move(message));
}

Initializer GlorotUniform(Seed seed) {
  v1::Initializer message;
  SetSeed(seed, message.mutable_glorot_uniform());
  return Initializer(std::move(message));
}

Initializer GlorotNormal(Seed seed) {
  v1::Initializer message;
  SetSeed(seed, message.mutable_glorot_normal());
  return Initializer(std::move(message));
}

Initializer HeUniform(Seed seed) {
  v1::Initializer message;
  SetSeed(seed, message.mutable_he_uniform());
  return Initializer(std::move(message));
}

Initializer HeNormal(Seed seed) {
  v1::Initializer message;
  SetSeed(seed, message.mutable_he_normal());
  return Initializer(std::move(message));
}

Initializer LecunUniform(Seed seed) {
  v1::Initializer message;
  SetSeed(seed, message.mutable_lecun_uniform());
  return Initializer(std::move(message));
}

Initializer LecunNormal(Seed seed) {
  v1::Initializer message;
  SetSeed(seed, message.mutable_lecun_normal());
  return Initializer(std::move(message));
}

Initializer Orthogonal(const OrthogonalOptions& options) {
  v1::Initializer message;
  message.mutable_orthogonal()->set_gain(options.gain);
  SetSeed(options.seed, message.mutable_orthogonal());
  return Initializer(std::move(message));
}

Initializer Identity(double gain) {
  v1::Initializer message;
  message.mutable_identity()->set_gain(gain);
  return Initializer(std::move(message));
}

}  // namespace varkeep::client
