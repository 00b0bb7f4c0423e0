// SPDX-License-Identifier: Apache-2.0
#include "server/variables/value_check.h"

#include "absl/strings/str_cat.h"
#include "server/variables/names.h"
#include "tensor/tensor_ops.h"

namespace varkeep {
namespace {

absl::Status CheckDType(const ValueType& variable, absl::string_view op,
                        DType dtype) {
  if (variable.dtype == dtype) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("Input 'value' of '", op, "' Op has type ", DTypeName(dtype),
                   " that does not match type ", DTypeName(variable.dtype),
                   " of argument 'ref'. (variable ", variable.name, ")"));
}

}  // namespace

absl::Status CheckSharing(const ValueType& existing,
                          const VariableSpec& wanted) {
  if (existing.shape != wanted.shape) {
    return absl::InvalidArgumentError(
        absl::StrCat("Trying to share variable ", existing.name,
                     ", but specified shape ", wanted.shape.ToTupleString(),
                     " and found shape ", existing.shape.ToTupleString(), "."));
  }
  if (existing.dtype != wanted.dtype) {
    return absl::InvalidArgumentError(
        absl::StrCat("Trying to share variable ", existing.name,
                     ", but specified dtype ", DTypeName(wanted.dtype),
                     " and found dtype ", DTypeName(existing.dtype), "_ref."));
  }
  return absl::OkStatus();
}

absl::Status CheckAssign(const ValueType& variable, DType dtype,
                         const Shape& shape, bool validate_shape) {
  if (absl::Status status = CheckDType(variable, "Assign", dtype);
      !status.ok()) {
    return status;
  }
  if (!validate_shape || variable.shape == shape) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "Assign requires shapes of both tensors to match. lhs shape= ",
      variable.shape.ToString(), " rhs shape= ", shape.ToString(),
      " (variable ", variable.name, ")"));
}

absl::Status CheckUpdate(const ValueType& variable, DType dtype,
                         const Shape& shape) {
  if (!SupportsArithmetic(variable.dtype)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "Value passed to parameter 'ref' has DataType ",
        DTypeName(variable.dtype),
        " not in list of allowed values: every dtype but bool (variable ",
        variable.name, ")"));
  }
  if (absl::Status status = CheckDType(variable, "AssignAdd", dtype);
      !status.ok()) {
    return status;
  }
  if (variable.shape == shape) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("Parameters and update must be the same size: variable ",
                   variable.name, " has shape ", variable.shape.ToString(),
                   ", the update has shape ", shape.ToString()));
}

absl::Status UninitializedError(absl::string_view name) {
  return absl::FailedPreconditionError(
      absl::StrCat("Attempting to use uninitialized value ", name));
}

absl::Status NoSuchVariableError(absl::string_view container,
                                 absl::string_view name) {
  return absl::NotFoundError(absl::StrCat("variable '", Shorten(name),
                                          "' does not exist in container '",
                                          Shorten(container), "'"));
}

}  // namespace varkeep
