// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_CLIENT_INITIALIZERS_H_
#define VARKEEP_CLIENT_INITIALIZERS_H_

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "tensor/tensor.h"

namespace varkeep::v1 {
class Initializer;
}

namespace varkeep::client {

// What a variable's first value is: TensorFlow 1.15's initializers with its
// defaults. The server draws the numbers, bit for bit as TensorFlow does with
// the same seeds; only this description travels. Wrong parameters are found
// where the variable is declared. A value, cheap to copy.
//
//   GetVariable("weights", {784, 200}, RandomNormal({.stddev = 0.35}))
class Initializer {
 public:
  // None: the scope's, else the dtype's default.
  Initializer() = default;
  explicit Initializer(v1::Initializer message);

  // Null for none.
  const v1::Initializer* message() const { return message_.get(); }

 private:
  std::shared_ptr<const v1::Initializer> message_;
};

// A number; an integer stays exact.
using Number = std::variant<int64_t, double>;

Initializer Zeros();
Initializer Ones();

// The elements row-major into any shape, the last one repeated. A C++ double or
// int64_t stands for Python's float or int, which must suit the dtype.
Initializer Constant(double value);
Initializer Constant(int64_t value);
inline Initializer Constant(int value) { return Constant(int64_t{value}); }
Initializer Constant(std::initializer_list<double> values);
Initializer Constant(const std::vector<double>& values);
Initializer Constant(const std::vector<int64_t>& values);
struct ConstantOptions {
  bool verify_shape = false;  // the tensor must have the variable's shape
  bool cast = true;           // to the variable's dtype
};
Initializer Constant(const Tensor& value, const ConstantOptions& options = {});

// A value in place of an initializer: shape and dtype are its own, so none are
// given beside it. Below 4 MiB; assign larger ones.
Initializer Value(const Tensor& value);

struct RandomUniformOptions {
  Number minval = int64_t{0};
  std::optional<Number> maxval = {};  // unset: 1, for floating dtypes only
  std::optional<int64_t> seed = {};
};
Initializer RandomUniform(const RandomUniformOptions& options = {});

struct RandomNormalOptions {
  double mean = 0.0;
  double stddev = 1.0;
  std::optional<int64_t> seed = {};
};
Initializer RandomNormal(const RandomNormalOptions& options = {});
// Redrawn outside two standard deviations.
Initializer TruncatedNormal(const RandomNormalOptions& options = {});

struct UniformUnitScalingOptions {
  double factor = 1.0;
  std::optional<int64_t> seed = {};
};
Initializer UniformUnitScaling(const UniformUnitScalingOptions& options = {});

struct VarianceScalingOptions {
  double scale = 1.0;
  std::string mode = "fan_in";  // fan_in, fan_out, fan_avg
  // truncated_normal, normal, untruncated_normal, uniform
  std::string distribution = "truncated_normal";
  std::optional<int64_t> seed = {};
};
Initializer VarianceScaling(const VarianceScalingOptions& options = {});

using Seed = std::optional<int64_t>;
Initializer GlorotUniform(Seed seed = std::nullopt);
Initializer GlorotNormal(Seed seed = std::nullopt);
Initializer HeUniform(Seed seed = std::nullopt);
Initializer HeNormal(Seed seed = std::nullopt);
Initializer LecunUniform(Seed seed = std::nullopt);
Initializer LecunNormal(Seed seed = std::nullopt);

struct OrthogonalOptions {
  double gain = 1.0;
  std::optional<int64_t> seed = {};
};
Initializer Orthogonal(const OrthogonalOptions& options = {});
Initializer Identity(double gain = 1.0);

}  // namespace varkeep::client

#endif  // VARKEEP_CLIENT_INITIALIZERS_H_
