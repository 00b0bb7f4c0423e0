// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TENSOR_SHAPE_H_
#define VARKEEP_TENSOR_SHAPE_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace varkeep {

// The dimensions of a tensor: rank 0 (a scalar) to kMaxRank, each >= 0, with
// fewer than 2^63 elements in all. A value; cheap to copy, and small: there may
// be millions.
class Shape {
 public:
  static constexpr int kMaxRank = 8;

  // A scalar.
  Shape() = default;

  // INVALID_ARGUMENT names the shape when a dimension is negative, the rank is
  // too large or the number of elements overflows.
  static absl::StatusOr<Shape> Create(std::span<const int64_t> dims);

  // Never moved from: a shape that is left behind keeps its dimensions.
  Shape(const Shape&) = default;
  Shape& operator=(const Shape&) = default;

  // For literals in code. REQUIRES: the dimensions are valid.
  Shape(std::initializer_list<int64_t> dims);

  int rank() const { return rank_; }
  int64_t dim(int i) const { return dims()[static_cast<size_t>(i)]; }
  std::span<const int64_t> dims() const {
    return {far_ ? far_.get() : near_.data(), static_cast<size_t>(rank_)};
  }
  int64_t num_elements() const {
    uint64_t product = 1;  // exact, unless a dimension of 0 is to come
    for (int64_t dim : dims()) product *= static_cast<uint64_t>(dim);
    return static_cast<int64_t>(product);
  }

  // "[2,3]"; a scalar is "[]".
  std::string ToString() const;
  // As Python prints it: "(2, 3)", "(2,)", "()".
  std::string ToTupleString() const;

  friend bool operator==(const Shape& a, const Shape& b) {
    return std::ranges::equal(a.dims(), b.dims());
  }

 private:
  static constexpr size_t kNear = 2;

  std::array<int64_t, kNear> near_{};     // the dimensions if they are so few
  std::shared_ptr<const int64_t[]> far_;  // or else
  int rank_ = 0;
};

// A shape of which the rank or single dimensions may be unknown. A value.
class PartialShape {
 public:
  // Unknown rank.
  PartialShape() = default;
  // Everything known.
  PartialShape(const Shape& shape);  // NOLINT(google-explicit-constructor)
  // -1 is an unknown dimension. INVALID_ARGUMENT as Shape::Create.
  static absl::StatusOr<PartialShape> Create(std::span<const int64_t> dims);

  bool known_rank() const { return dims_.has_value(); }
  // The shape, when all of it is known.
  std::optional<Shape> full() const;
  // True when `shape` agrees with everything known.
  bool IsCompatibleWith(const Shape& shape) const;
  // As Python prints it: "(?, 2)", "<unknown>".
  std::string ToTupleString() const;

 private:
  std::optional<std::vector<int64_t>> dims_;
};

}  // namespace varkeep

#endif  // VARKEEP_TENSOR_SHAPE_H_
