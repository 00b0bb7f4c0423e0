// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_DURABILITY_CHECKPOINT_CODEC_H_
#define VARKEEP_SERVER_DURABILITY_CHECKPOINT_CODEC_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/variables/variable_store.h"
#include "storage/checkpoint.h"
#include "storage/checkpoint_store.h"

namespace varkeep {

// What the variables of a server are inside a checkpoint; the paths and
// attributes are described in docs/checkpoint_format.md.

// "variables/foo/v:0"; in container c "containers/c/variables/foo/v:0". Path
// components that HDF5 would misread ("", ".", "..") are percent-escaped, and
// so are the slashes after the 128th.
std::string VariablePath(absl::string_view container, absl::string_view name);

absl::StatusOr<storage::CheckpointContents> EncodeSnapshot(
    StoreSnapshot snapshot);

// The variables of a checkpoint, without their values: what each is, and which
// entry has its value.
struct StoredVariable {
  VariableInfo info;
  size_t entry = 0;  // for CheckpointReader
  bool has_value = false;
};

// DATA_LOSS names the entry that is not understood. Reads the initial values
// that initializers hold.
absl::StatusOr<std::vector<StoredVariable>> DecodeVariables(
    storage::CheckpointReader* reader);

// Everything, with values. `progress` may be empty.
absl::StatusOr<StoreSnapshot> DecodeSnapshot(
    storage::CheckpointReader* reader,
    const storage::CheckpointProgress& progress = {});

}  // namespace varkeep

#endif  // VARKEEP_SERVER_DURABILITY_CHECKPOINT_CODEC_H_
