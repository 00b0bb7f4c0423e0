// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_CHECKPOINT_SHARING_H_
#define VARKEEP_STORAGE_CHECKPOINT_SHARING_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "storage/checkpoint.h"

namespace varkeep::storage {

// Which values of a checkpoint need not be written, because the file of an
// earlier one holds them. Pure functions.

// Which earlier checkpoint a new one may have files in common with.
enum class Sharing {
  kNone,
  // Where no other is kept: a damaged file is then damage to all there is.
  kWithNewest,
  // With the one before the newest: the two newest never have a file in common,
  // so that no single damaged file is damage to both. Checkpoints form two
  // chains, and what stops changing is written once to each.
  kWithSpare,
};

// A value that a file holds.
struct KnownValue {
  CheckpointId holder = 0;
  DType dtype = DType::kFloat32;
  Shape shape;
  std::vector<Attribute> attributes;  // sorted
  uint64_t value_version = 0;
  // Where its version was read from a file and not seen being written: the
  // checksum that a value must have to be taken for the same.
  std::optional<uint32_t> crc32c;
};

// By path.
using KnownValues = std::map<std::string, KnownValue>;

// Bytes of values that files hold, by the checkpoint they were written for.
using HolderBytes = std::map<CheckpointId, int64_t>;

// A checkpoint's values are at most in this many other files.
inline constexpr size_t kMaxHolders = 32;

// The entries that need not be written, by path, and who holds them: those with
// a large value that is known to be in a file of `holders`. A holder of which
// less than half would still be used is given up, and all but the kMaxHolders
// that are used most: what a checkpoint keeps on the disk stays below about
// twice its values. REQUIRES: Sort(contents) was called.
std::map<std::string, CheckpointId> PlanSharing(
    const CheckpointContents& contents, const KnownValues& known,
    const HolderBytes& holders);

// What is known once the contents were written as checkpoint `id`, shared
// according to `plan`.
KnownValues KnownAfter(const CheckpointContents& contents,
                       const std::map<std::string, CheckpointId>& plan,
                       CheckpointId id);

}  // namespace varkeep::storage

#endif  // VARKEEP_STORAGE_CHECKPOINT_SHARING_H_
