// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_POSIX_FILE_SYSTEM_H_
#define VARKEEP_STORAGE_POSIX_FILE_SYSTEM_H_

#include <memory>
#include <string>
#include <vector>

#include "storage/file_system.h"

namespace varkeep::storage {

// The machine's disk. Files are made with mode 0640, directories with 0750;
// descriptors are closed on exec and are never 0, 1 or 2, so that no stray
// message to standard error lands in a file. A file-size limit is reported as a
// full disk where the process ignores SIGXFSZ. Thread-safe; has no state.
class PosixFileSystem final : public FileSystem {
 public:
  absl::StatusOr<std::unique_ptr<File>> Create(
      const std::string& path) override;
  absl::StatusOr<std::unique_ptr<File>> OpenForRead(
      const std::string& path) override;
  absl::Status Rename(const std::string& from, const std::string& to) override;
  absl::Status Remove(const std::string& path) override;
  absl::StatusOr<std::vector<std::string>> List(
      const std::string& directory) override;
  absl::Status MakeDirectory(const std::string& path) override;
  absl::Status SyncDirectory(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<FileLock>> Lock(
      const std::string& path) override;
  absl::StatusOr<int64_t> FreeBytes(const std::string& path) override;
};

}  // namespace varkeep::storage

#endif  // VARKEEP_STORAGE_POSIX_FILE_SYSTEM_H_
