// SPDX-License-Identifier: Apache-2.0
#include "tensor/row_errors.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tensor/row_places.h"

namespace varkeep {
namespace {

// Element `place` of a tensor of these dimensions: "[1,0]", "" for a scalar.
std::string Position(std::span<const int64_t> dims, int64_t place) {
  if (dims.empty()) return "";
  std::vector<int64_t> position(dims.size());
  for (size_t i = dims.size(); i-- > 0;) {
    position[i] = place % dims[i];
    place /= dims[i];
  }
  return absl::StrCat("[", absl::StrJoin(position, ","), "]");
}

}  // namespace

absl::Status CheckIndexDType(DType dtype) {
  if (dtype == DType::kInt32 || dtype == DType::kInt64) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "Value passed to parameter 'indices' has DataType ", DTypeName(dtype),
      " not in list of allowed values: int32, int64"));
}

absl::Status IndexError(const Tensor& indices, int64_t place, int64_t limit) {
  return absl::InvalidArgumentError(
      absl::StrCat("indices", Position(indices.shape().dims(), place), " = ",
                   IndexReader(indices)[place], " is not in [0, ", limit, ")"));
}

absl::Status IndexVectorError(const Tensor& indices, int64_t place, int depth,
                              absl::string_view what, const Shape& shape) {
  const IndexReader reader(indices);
  std::vector<int64_t> vector;
  for (int i = 0; i < depth; ++i) vector.push_back(reader[place * depth + i]);
  std::span<const int64_t> outer = indices.shape().dims();
  return absl::InvalidArgumentError(
      absl::StrCat("indices", Position(outer.first(outer.size() - 1), place),
                   " = [", absl::StrJoin(vector, ", "),
                   "] does not index into ", what, " ", shape.ToString()));
}

absl::Status CheckDepth(int64_t depth, int64_t least) {
  if (depth >= least && depth <= 7) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "Only indices.shape[-1] values between 1 and 7 are currently "
      "supported.  Requested rank: ",
      depth));
}

}  // namespace varkeep
