// SPDX-License-Identifier: Apache-2.0
#include "server/initializers/initializer.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "server/initializers/kinds.h"

namespace varkeep {
namespace {

absl::Status NoInitializerError() {
  return absl::InternalError("no initializer was chosen");
}

}  // namespace

absl::StatusOr<InitializerSpec> DefaultInitializer(DType dtype,
                                                   absl::string_view key) {
  if (IsFloating(dtype)) return *NamedVarianceScaling("glorot_uniform");
  if (IsInteger(dtype) || dtype == DType::kBool) return ZerosInitializer{};
  return absl::InvalidArgumentError(
      absl::StrCat("An initializer for variable ", key, " of <dtype: '",
                   DTypeName(dtype), "'> is required"));
}

bool IsRandom(const InitializerSpec& spec) {
  return std::visit(
      [](const auto& init) {
        return requires { init.seed; };
      },
      spec);
}

std::optional<int64_t> OpSeed(const InitializerSpec& spec) {
  return std::visit(
      [](const auto& init) -> std::optional<int64_t> {
        if constexpr (requires { init.seed; }) {
          return init.seed;
        } else {
          return std::nullopt;
        }
      },
      spec);
}

TensorRef InitializerValue(const InitializerSpec& spec) {
  return std::visit(
      [](const auto& init) -> TensorRef {
        if constexpr (requires { init.value; }) {
          return init.value;
        } else {
          return nullptr;
        }
      },
      spec);
}

absl::Status CheckInitializer(const InitializerSpec& spec, DType dtype,
                              const Shape& shape) {
  RETURN_IF_ERROR(SizeBytes(dtype, shape).status());
  return std::visit(
      [&](const auto& init) -> absl::Status {
        using Init = std::remove_cvref_t<decltype(init)>;
        if constexpr (std::is_same_v<Init, std::monostate>) {
          return NoInitializerError();
        } else {
          return initializers::Check(init, dtype, shape);
        }
      },
      spec);
}

absl::StatusOr<TensorRef> RunInitializer(const InitializerSpec& spec,
                                         DType dtype, const Shape& shape,
                                         Seeds seeds, uint64_t run,
                                         ThreadPool* pool) {
  RETURN_IF_ERROR(CheckInitializer(spec, dtype, shape));
  const initializers::Source source{seeds, run, pool};
  return std::visit(
      [&](const auto& init) -> absl::StatusOr<TensorRef> {
        using Init = std::remove_cvref_t<decltype(init)>;
        if constexpr (std::is_same_v<Init, std::monostate>) {
          return NoInitializerError();
        } else if constexpr (std::is_same_v<Init, ValueInitializer>) {
          return init.value;
        } else {
          ASSIGN_OR_RETURN(std::shared_ptr<Tensor> tensor,
                           Tensor::Create(dtype, shape));
          RETURN_IF_ERROR(initializers::Fill(init, source, tensor.get()));
          return TensorRef(std::move(tensor));
        }
      },
      spec);
}

}  // namespace varkeep
