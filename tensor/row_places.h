// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TENSOR_ROW_PLACES_H_
#define VARKEEP_TENSOR_ROW_PLACES_H_

#include <array>
#include <cstdint>

#include "tensor/tensor.h"

namespace varkeep {

// An int32 or int64 tensor, read as int64.
class IndexReader {
 public:
  // REQUIRES: one of those dtypes. `indices` outlives this.
  explicit IndexReader(const Tensor& indices) {
    if (indices.dtype() == DType::kInt32) {
      narrow_ = indices.values<int32_t>().data();
    } else {
      wide_ = indices.values<int64_t>().data();
    }
  }
  int64_t operator[](int64_t i) const {
    return narrow_ != nullptr ? narrow_[i] : wide_[i];
  }

 private:
  const int32_t* narrow_ = nullptr;
  const int64_t* wide_ = nullptr;
};

// The slices of a tensor that indices name: `depth` numbers for each, one for
// each of the dimensions from `axis` on. A value, but refers to the indices.
class RowPlaces {
 public:
  // `count` slices are named. REQUIRES: axis + depth <= shape.rank(); `indices`
  // has count * depth elements.
  RowPlaces(const Shape& shape, int axis, int depth, const Tensor& indices,
            int64_t count)
      : indices_(indices), depth_(depth), count_(count) {
    for (int i = 0; i < depth; ++i) {
      dims_[static_cast<size_t>(i)] = shape.dim(axis + i);
    }
    // In an empty tensor the other dimensions may multiply to anything.
    if (shape.num_elements() == 0) return;
    slice_ = 1;
    for (int i = axis + depth; i < shape.rank(); ++i) slice_ *= shape.dim(i);
  }

  int64_t count() const { return count_; }
  // Elements of one slice; 0 when the tensor is empty.
  int64_t slice() const { return slice_; }

  // The first place outside the tensor, or -1.
  int64_t FirstOutside() const {
    if (depth_ == 0) return -1;
    for (int64_t place = 0; place < count_; ++place) {
      for (int i = 0; i < depth_; ++i) {
        const int64_t index = indices_[place * depth_ + i];
        if (index < 0 || index >= dims_[static_cast<size_t>(i)]) return place;
      }
    }
    return -1;
  }

  // The first element of the slice at `place`, counted from the start of the
  // dimensions before the axis. REQUIRES: FirstOutside() < 0.
  int64_t Offset(int64_t place) const {
    int64_t offset = 0;
    for (int i = 0; i < depth_; ++i) {
      offset =
          offset * dims_[static_cast<size_t>(i)] + indices_[place * depth_ + i];
    }
    return offset * slice_;
  }

 private:
  IndexReader indices_;
  int depth_;
  int64_t count_;
  int64_t slice_ = 0;
  std::array<int64_t, Shape::kMaxRank> dims_{};
};

}  // namespace varkeep

#endif  // VARKEEP_TENSOR_ROW_PLACES_H_
