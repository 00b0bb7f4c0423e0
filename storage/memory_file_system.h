// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_MEMORY_FILE_SYSTEM_H_
#define VARKEEP_STORAGE_MEMORY_FILE_SYSTEM_H_

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "storage/file_system.h"

namespace varkeep::storage {

// A disk in memory that knows what would survive a power cut: bytes count as
// stored after File::Sync, names after SyncDirectory, directories at once.
// Thread-safe. Files and locks may outlive it.
class MemoryFileSystem final : public FileSystem {
 public:
  // Writing more than `capacity_bytes` in all is RESOURCE_EXHAUSTED.
  explicit MemoryFileSystem(
      int64_t capacity_bytes = std::numeric_limits<int64_t>::max());
  ~MemoryFileSystem() override;

  // What a power cut does: files and locks that are open become useless, and
  // what was not synced is lost. With a seed other than 0 each unsynced name
  // and each unsynced 512-byte sector is, at random, kept or lost, as a disk
  // is free to do.
  void LosePower(uint32_t seed = 0);

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

 private:
  struct Disk;  // shared with the open files
  struct Inode;
  class MemoryFile;
  class MemoryLock;

  const std::shared_ptr<Disk> disk_;
};

}  // namespace varkeep::storage

#endif  // VARKEEP_STORAGE_MEMORY_FILE_SYSTEM_H_
