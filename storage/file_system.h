// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_FILE_SYSTEM_H_
#define VARKEEP_STORAGE_FILE_SYSTEM_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace varkeep::storage {

// An open file. One thread at a time. Every error names the path and the
// system's reason; a full disk is RESOURCE_EXHAUSTED. The destructor closes.
class File {
 public:
  virtual ~File() = default;

  // Fills `out` from `offset`. OUT_OF_RANGE when the file ends before that;
  // `out` is then partly filled.
  virtual absl::Status ReadAt(int64_t offset, std::span<std::byte> out) = 0;
  // Writes all of `bytes`, or fails; the file grows as needed.
  virtual absl::Status WriteAt(int64_t offset,
                               std::span<const std::byte> bytes) = 0;
  virtual absl::Status Truncate(int64_t size) = 0;
  // Reserves room on the disk up to `size` without changing contents or size;
  // RESOURCE_EXHAUSTED when there is none. OK where reserving is not supported.
  // Truncate to the final size gives back what was not used. Large writes to a
  // reserved file may go to the disk at once; from memory that is aligned to
  // 4096 bytes as the offset is, they do without a copy.
  virtual absl::Status Reserve(int64_t size) = 0;
  virtual absl::StatusOr<int64_t> Size() = 0;
  // Everything written is on the disk afterwards. After a failure what is on
  // the disk is unknown: never call it again to make sure, write another file.
  virtual absl::Status Sync() = 0;
  // Closes once; the file is unusable afterwards, whatever the result.
  virtual absl::Status Close() = 0;
};

// Held as long as it lives; given up when destroyed, or by the system when the
// process dies.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

// The disk, as much of it as checkpoints and logs need. Paths are absolute or
// relative to the working directory. Thread-safe. NOT_FOUND, ALREADY_EXISTS,
// PERMISSION_DENIED, RESOURCE_EXHAUSTED (no room, no descriptors) as they say,
// INTERNAL for other failures; every message names the path.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // A new file for reading and writing, never through a symbolic link.
  // ALREADY_EXISTS.
  virtual absl::StatusOr<std::unique_ptr<File>> Create(
      const std::string& path) = 0;
  virtual absl::StatusOr<std::unique_ptr<File>> OpenForRead(
      const std::string& path) = 0;
  // Replaces `to` in one step. On the disk only after SyncDirectory, of both
  // directories when they differ.
  virtual absl::Status Rename(const std::string& from,
                              const std::string& to) = 0;
  virtual absl::Status Remove(const std::string& path) = 0;
  // Names in a directory, without "." and "..", sorted.
  virtual absl::StatusOr<std::vector<std::string>> List(
      const std::string& directory) = 0;
  // OK when it exists already; parents are made too. What it made is on the
  // disk afterwards.
  virtual absl::Status MakeDirectory(const std::string& path) = 0;
  // What was created, renamed and removed in it is on the disk afterwards.
  virtual absl::Status SyncDirectory(const std::string& path) = 0;
  // Makes `path` when needed and locks it against every other process.
  // FAILED_PRECONDITION when another holder has it.
  virtual absl::StatusOr<std::unique_ptr<FileLock>> Lock(
      const std::string& path) = 0;
  // Bytes free for this process where `path` is.
  virtual absl::StatusOr<int64_t> FreeBytes(const std::string& path) = 0;
};

}  // namespace varkeep::storage

#endif  // VARKEEP_STORAGE_FILE_SYSTEM_H_
