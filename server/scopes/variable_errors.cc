// SPDX-License-Identifier: Apache-2.0
#include "server/scopes/variable_errors.h"

#include "absl/strings/str_cat.h"
#include "server/variables/names.h"

namespace varkeep {

absl::Status CheckShared(absl::string_view key,
                         const std::optional<PartialShape>& shape, DType dtype,
                         const VariableSpec& found) {
  if (shape.has_value() && !shape->IsCompatibleWith(found.shape)) {
    return absl::InvalidArgumentError(
        absl::StrCat("Trying to share variable ", Shorten(key),
                     ", but specified shape ", shape->ToTupleString(),
                     " and found shape ", found.shape.ToTupleString(), "."));
  }
  if (dtype != found.dtype) {
    return absl::InvalidArgumentError(
        absl::StrCat("Trying to share variable ", Shorten(key),
                     ", but specified dtype ", DTypeName(dtype),
                     " and found dtype ", DTypeName(found.dtype), "_ref."));
  }
  return absl::OkStatus();
}

absl::Status AlreadyExists(absl::string_view key) {
  return absl::AlreadyExistsError(
      absl::StrCat("Variable ", Shorten(key),
                   " already exists, disallowed. Did you mean to set "
                   "reuse=True or reuse=tf.AUTO_REUSE in VarScope?"));
}

absl::Status DoesNotExist(absl::string_view key) {
  return absl::NotFoundError(absl::StrCat(
      "Variable ", Shorten(key),
      " does not exist, or was not created with tf.get_variable(). Did you "
      "mean to set reuse=tf.AUTO_REUSE in VarScope?"));
}

absl::Status DuplicateName(absl::string_view op_name) {
  return absl::InvalidArgumentError(
      absl::StrCat("Duplicate node name in graph: '", Shorten(op_name), "'"));
}

}  // namespace varkeep
