// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_IMPORT_HELPER_READ_ONLY_FILE_H_
#define VARKEEP_STORAGE_IMPORT_HELPER_READ_ONLY_FILE_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "storage/file_system.h"

namespace varkeep::storage {

// A descriptor, borrowed, that can be read at an offset and nothing else: what
// changes a file is PERMISSION_DENIED.
class ReadOnlyFile final : public File {
 public:
  ReadOnlyFile(int fd, int64_t size) : fd_(fd), size_(size) {}

  absl::Status ReadAt(int64_t offset, std::span<std::byte> out) override;
  absl::StatusOr<int64_t> Size() override { return size_; }
  absl::Status WriteAt(int64_t, std::span<const std::byte>) override {
    return Refused();
  }
  absl::Status Truncate(int64_t) override { return Refused(); }
  absl::Status Reserve(int64_t) override { return Refused(); }
  absl::Status Sync() override { return Refused(); }
  absl::Status Close() override { return absl::OkStatus(); }

 private:
  static absl::Status Refused() {
    return absl::PermissionDeniedError("the file is only read");
  }

  const int fd_;
  const int64_t size_;
};

}  // namespace varkeep::storage

#endif  // VARKEEP_STORAGE_IMPORT_HELPER_READ_ONLY_FILE_H_
