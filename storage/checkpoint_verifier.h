// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_CHECKPOINT_VERIFIER_H_
#define VARKEEP_STORAGE_CHECKPOINT_VERIFIER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "storage/checkpoint_directory.h"
#include "storage/checkpoint_store.h"
#include "storage/manifest.h"

namespace varkeep::storage {

// The bytes of all files that the checkpoint needs.
int64_t BytesToVerify(const CheckpointInfo& info, const Manifest& manifest);

// Verifies checkpoints of one directory, each file once, however many of them
// need it. Changes nothing. One thread at a time.
class CheckpointVerifier {
 public:
  // `directory` is borrowed. `all_bytes` is what `progress`, which may be
  // empty, is told to be there to read in all.
  CheckpointVerifier(const CheckpointDirectory* directory, int64_t all_bytes,
                     VerifyProgress progress);
  ~CheckpointVerifier();

  // What is wrong with the files of a checkpoint; a file that is missing is
  // damage. CANCELLED; the disk's own errors.
  absl::StatusOr<VerifyReport> Verify(const CheckpointInfo& info);

 private:
  struct VerifiedFile;

  absl::StatusOr<const VerifiedFile*> VerifyFile(const Holder& expected);
  absl::Status ReadFile(const Holder& expected, VerifiedFile* verified);
  absl::Status ReadValues(CheckpointFile& file, const std::string& name,
                          VerifiedFile* verified);
  // Counts; CANCELLED.
  absl::Status Advance(int64_t bytes);

  const CheckpointDirectory* const directory_;
  const int64_t all_bytes_;
  const VerifyProgress progress_;
  int64_t bytes_ = 0;
  std::map<std::string, std::unique_ptr<VerifiedFile>> files_;
};

}  // namespace varkeep::storage

#endif  // VARKEEP_STORAGE_CHECKPOINT_VERIFIER_H_
