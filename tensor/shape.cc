// SPDX-License-Identifier: Apache-2.0
#include "tensor/shape.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"

namespace varkeep {
namespace {

// Dimensions for an error message; a hostile list is cut short.
std::string Describe(std::span<const int64_t> dims) {
  constexpr size_t kShown = 16;
  std::string text = absl::StrJoin(
      dims.begin(),
      dims.begin() + static_cast<std::ptrdiff_t>(std::min(dims.size(), kShown)),
      ",");
  return absl::StrCat("[", text, dims.size() > kShown ? ",..." : "", "]");
}

std::string Tuple(std::span<const int64_t> dims) {
  std::string text =
      absl::StrJoin(dims, ", ", [](std::string* out, int64_t dim) {
        absl::StrAppend(out, dim < 0 ? "?" : absl::StrCat(dim));
      });
  return absl::StrCat("(", text, dims.size() == 1 ? ",)" : ")");
}

absl::Status CheckRank(std::span<const int64_t> dims) {
  if (dims.size() <= Shape::kMaxRank) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("shape ", Describe(dims), " has rank ", dims.size(),
                   ", the largest rank is ", Shape::kMaxRank));
}

}  // namespace

absl::StatusOr<Shape> Shape::Create(std::span<const int64_t> dims) {
  RETURN_IF_ERROR(CheckRank(dims));
  bool empty = false;
  for (int64_t dim : dims) {
    if (dim < 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          "shape ", Describe(dims), " has the negative dimension ", dim));
    }
    empty = empty || dim == 0;
  }
  int64_t elements = empty ? 0 : 1;
  for (int64_t dim : dims) {
    if (__builtin_mul_overflow(elements, dim, &elements)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "shape ", Describe(dims), " has more than 2^63 - 1 elements"));
    }
  }
  Shape shape;
  shape.rank_ = static_cast<int>(dims.size());
  if (dims.size() <= kNear) {
    std::ranges::copy(dims, shape.near_.begin());
  } else {
    auto far = std::make_shared<int64_t[]>(dims.size());
    std::ranges::copy(dims, far.get());
    shape.far_ = std::move(far);
  }
  return shape;
}

Shape::Shape(std::initializer_list<int64_t> dims) {
  absl::StatusOr<Shape> shape =
      Create(std::span<const int64_t>(dims.begin(), dims.size()));
  if (!shape.ok()) std::abort();
  *this = *shape;
}

std::string Shape::ToString() const {
  return absl::StrCat("[", absl::StrJoin(dims(), ","), "]");
}

std::string Shape::ToTupleString() const { return Tuple(dims()); }

PartialShape::PartialShape(const Shape& shape)
    : dims_(std::vector<int64_t>(shape.dims().begin(), shape.dims().end())) {}

absl::StatusOr<PartialShape> PartialShape::Create(
    std::span<const int64_t> dims) {
  RETURN_IF_ERROR(CheckRank(dims));
  std::vector<int64_t> known;
  for (int64_t dim : dims) {
    if (dim != -1) known.push_back(dim);
  }
  RETURN_IF_ERROR(Shape::Create(known).status());
  PartialShape shape;
  shape.dims_.emplace(dims.begin(), dims.end());
  return shape;
}

std::optional<Shape> PartialShape::full() const {
  if (!dims_ || std::ranges::count(*dims_, -1) > 0) return std::nullopt;
  return *Shape::Create(*dims_);
}

bool PartialShape::IsCompatibleWith(const Shape& shape) const {
  if (!dims_) return true;
  return std::ranges::equal(*dims_, shape.dims(), [](int64_t a, int64_t b) {
    return a == -1 || a == b;
  });
}

std::string PartialShape::ToTupleString() const {
  return dims_ ? Tuple(*dims_) : "<unknown>";
}

}  // namespace varkeep
