// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_CHECKPOINT_H_
#define VARKEEP_STORAGE_CHECKPOINT_H_

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "tensor/tensor.h"

namespace varkeep::storage {

// A small named fact that storage keeps and gives back without understanding
// it. The name is not empty; no text holds a NUL. At most 32 KiB, where each
// string of a list counts for 16 bytes more than it has.
struct Attribute {
  std::string name;
  std::variant<bool, int64_t, uint64_t, std::string, std::vector<std::string>>
      value;
  friend bool operator==(const Attribute&, const Attribute&) = default;
};

// Values of this size and more may be shared between checkpoints.
inline constexpr int64_t kSharedValueBytes = 64 << 10;

// One tensor to keep at `path`, "group/group/name": components are not empty,
// not "." or "..", hold no NUL; no path is a prefix group of another's dataset;
// at most 16 KiB and 256 components. A null value keeps dtype, shape and
// attributes only (a variable that was not initialized). The names "dtype",
// "shape", "crc32c" and "value_version" are storage's own: no attribute may
// have them.
struct CheckpointEntry {
  std::string path;
  DType dtype = DType::kFloat32;
  Shape shape;
  TensorRef value;
  std::vector<Attribute> attributes;  // names differ
  // Entries of one path with the same value_version, in one store, have the
  // same value; 0: unknown. Lets a store not write it again. Stored with values
  // of kSharedValueBytes and more; otherwise comes back as 0.
  uint64_t value_version = 0;
};

// Everything durable at one revision. Comes back with entries in the order of
// their paths and attributes in the order of their names (as bytes). The names
// "format", "format_version", "revision", "created" and "holders" are storage's
// own.
struct CheckpointContents {
  uint64_t revision = 0;
  std::vector<Attribute> attributes;  // of the checkpoint as a whole
  std::vector<CheckpointEntry> entries;
};

// INVALID_ARGUMENT, naming the entry, when the contents break a rule above or a
// value has another dtype or shape than its entry.
absl::Status Validate(const CheckpointContents& contents);

// Puts entries and attributes into the order in which they come back.
void Sort(CheckpointContents* contents);

// Bytes of all values.
int64_t ValueBytes(const CheckpointContents& contents);

// Grows by one per checkpoint of a directory, never reused.
using CheckpointId = int64_t;

struct CheckpointInfo {
  CheckpointId id = 0;
  uint64_t revision = 0;
  std::string file;  // name inside the directory
  int64_t size_bytes = 0;
  uint32_t crc32c = 0;  // of the whole file
  absl::Time created;
  int64_t entries = 0;
  int64_t written_bytes = 0;  // of values in this file
  int64_t shared_bytes = 0;   // of values in the files of `holders`
  // Checkpoints, listed or removed since, whose files hold its other values;
  // ascending.
  std::vector<CheckpointId> holders;
};

}  // namespace varkeep::storage

#endif  // VARKEEP_STORAGE_CHECKPOINT_H_
