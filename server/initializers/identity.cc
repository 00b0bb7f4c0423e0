// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/status_macros.h"
#include "server/initializers/argument_errors.h"
#include "server/initializers/element_cast.h"
#include "server/initializers/fill.h"
#include "server/initializers/kinds.h"

namespace varkeep::initializers {

absl::Status Check(const IdentityInitializer& init, DType dtype,
                   const Shape& shape) {
  if (shape.rank() != 2) {
    return absl::InvalidArgumentError(
        "Identity matrix initializer can only be used for 2D matrices.");
  }
  RETURN_IF_ERROR(CheckFinite("gain", init.gain));
  // The gain is a Python float, which TensorFlow turns into no integer or bool.
  if (!IsFloating(dtype) && !IsComplex(dtype)) {
    return WrongKindError(dtype, PythonRepr(init.gain), "float");
  }
  return absl::OkStatus();
}

absl::Status Fill(const IdentityInitializer& init, const Source& source,
                  Tensor* out) {
  VisitDType(out->dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const std::span<T> elements = out->mutable_values<T>();
    // gain * 0, which a negative gain makes -0.
    const T gain = CastElement<T>(init.gain);
    if constexpr (!std::is_integral_v<T>) {
      FillWith(elements, gain * T(0), source.pool);
    }
    const auto columns = static_cast<size_t>(out->shape().dim(1));
    for (size_t i = 0; i < elements.size(); i += columns + 1) {
      elements[i] = gain;
      if (i / columns + 1 == columns) break;  // the last column
    }
  });
  return absl::OkStatus();
}

}  // namespace varkeep::initializers
