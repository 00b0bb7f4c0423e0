// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TESTS_TESTING_CHECKPOINTS_H_
#define VARKEEP_TESTS_TESTING_CHECKPOINTS_H_

#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "storage/checkpoint.h"
#include "tensor/tensor.h"

namespace varkeep {

// A tensor of random bits: NaN payloads, infinities, negative zeros and
// subnormals among them. bool holds 0 and 1.
inline TensorRef RandomTensor(DType dtype, const Shape& shape, uint32_t seed) {
  absl::StatusOr<std::shared_ptr<Tensor>> tensor = Tensor::Create(dtype, shape);
  if (!tensor.ok()) std::abort();
  std::mt19937 random(seed);
  for (std::byte& byte : (*tensor)->mutable_bytes()) {
    byte = static_cast<std::byte>(random() & (dtype == DType::kBool ? 1 : 255));
  }
  return *tensor;
}

inline storage::CheckpointEntry EntryOf(
    std::string path, TensorRef value,
    std::vector<storage::Attribute> attributes = {}) {
  return {std::move(path), value->dtype(), value->shape(), value,
          std::move(attributes)};
}

inline storage::CheckpointEntry VersionedEntry(std::string path,
                                               TensorRef value,
                                               uint64_t version) {
  storage::CheckpointEntry entry = EntryOf(std::move(path), std::move(value));
  entry.value_version = version;
  return entry;
}

// Made once, for it is large.
inline TensorRef FrozenTensor() {
  static const TensorRef tensor = RandomTensor(DType::kFloat32, {40000}, 1000);
  return tensor;
}

// A small checkpoint with something of everything, already in the order in
// which it comes back. Different for each revision, but for one large value
// that never changes and makes up most of it.
inline storage::CheckpointContents SampleContents(uint64_t revision) {
  const auto seed = static_cast<uint32_t>(revision);
  storage::CheckpointContents contents;
  contents.revision = revision;
  contents.attributes = {{"server", std::string("test")}};
  contents.entries = {
      EntryOf("containers/c%2Fd/variables/v:0",
              RandomTensor(DType::kInt32, {7}, seed + 1)),
      EntryOf("variables/a:0", RandomTensor(DType::kFloat32, {3, 4}, seed),
              {{"collections", std::vector<std::string>{"x", "y"}},
               {"trainable", true},
               {"version", revision}}),
      EntryOf("variables/big:0",
              RandomTensor(DType::kFloat64, {10000}, seed + 2)),
      VersionedEntry("variables/frozen:0", FrozenTensor(), 1),
      EntryOf("variables/none:0", RandomTensor(DType::kBool, {0, 3}, 0)),
      {"variables/null:0", DType::kBfloat16, {2, 3}, nullptr, {}},
      EntryOf("variables/scalar:0", RandomTensor(DType::kInt64, {}, seed + 3)),
  };
  return contents;
}

}  // namespace varkeep

#endif  // VARKEEP_TESTS_TESTING_CHECKPOINTS_H_
