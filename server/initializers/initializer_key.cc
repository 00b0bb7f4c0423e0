// SPDX-License-Identifier: Apache-2.0
#include "server/initializers/initializer_key.h"

#include <tuple>
#include <type_traits>

namespace varkeep {
namespace {

constexpr int64_t kLargeBytes = 256;

// The fields of each kind.
std::tuple<> Fields(const std::monostate&) { return {}; }
std::tuple<> Fields(const ZerosInitializer&) { return {}; }
std::tuple<> Fields(const OnesInitializer&) { return {}; }
auto Fields(const ConstantInitializer& spec) {
  return std::tie(spec.value, spec.verify_shape, spec.check_kind);
}
auto Fields(const ValueInitializer& spec) { return std::tie(spec.value); }
auto Fields(const RandomUniformInitializer& spec) {
  return std::tie(spec.minval, spec.maxval, spec.seed);
}
auto Fields(const RandomNormalInitializer& spec) {
  return std::tie(spec.mean, spec.stddev, spec.seed);
}
auto Fields(const TruncatedNormalInitializer& spec) {
  return std::tie(spec.mean, spec.stddev, spec.seed);
}
auto Fields(const UniformUnitScalingInitializer& spec) {
  return std::tie(spec.factor, spec.seed);
}
auto Fields(const VarianceScalingInitializer& spec) {
  return std::tie(spec.scale, spec.mode, spec.distribution, spec.seed,
                  spec.alias);
}
auto Fields(const OrthogonalInitializer& spec) {
  return std::tie(spec.gain, spec.seed);
}
auto Fields(const IdentityInitializer& spec) { return std::tie(spec.gain); }

// Appends fields so that where one ends is told by what came before.
class Key {
 public:
  template <typename... T>
  void Append(const std::tuple<T...>& fields) {
    std::apply([&](const auto&... field) { (Append(field), ...); }, fields);
  }
  std::optional<std::string> Take() && {
    if (large_) return std::nullopt;
    return std::move(bytes_);
  }

  template <typename T>
  requires std::is_arithmetic_v<T>
  void Append(T number) {
    bytes_.append(reinterpret_cast<const char*>(&number), sizeof(number));
  }

 private:
  void Append(const std::string& text) {
    Append(text.size());
    bytes_.append(text);
  }
  void Append(const Number& number) {
    Append(number.index());
    std::visit([this](auto value) { Append(value); }, number);
  }
  template <typename T>
  void Append(const std::optional<T>& field) {
    Append(field.has_value());
    if (field.has_value()) Append(*field);
  }
  void Append(const TensorRef& tensor) {
    Append(tensor != nullptr);
    if (tensor == nullptr) return;
    if (tensor->size_bytes() > kLargeBytes) {
      large_ = true;
      return;
    }
    Append(static_cast<int>(tensor->dtype()));
    Append(tensor->shape().rank());
    for (int64_t dim : tensor->shape().dims()) Append(dim);
    bytes_.append(reinterpret_cast<const char*>(tensor->bytes().data()),
                  tensor->bytes().size());
  }

  std::string bytes_;
  bool large_ = false;
};

}  // namespace

std::optional<std::string> InitializerKey(const InitializerSpec& spec) {
  Key key;
  key.Append(spec.index());
  std::visit([&](const auto& kind) { key.Append(Fields(kind)); }, spec);
  return std::move(key).Take();
}

}  // namespace varkeep
