// SPDX-License-Identifier: Apache-2.0
#include "storage/import/helper/read_only_file.h"

#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace varkeep::storage {

absl::Status ReadOnlyFile::ReadAt(int64_t offset, std::span<std::byte> out) {
  while (!out.empty()) {
    const ssize_t count = pread(fd_, out.data(), out.size(), offset);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      return absl::InternalError(absl::StrCat(
          "cannot read: ", std::generic_category().message(errno)));
    }
    if (count == 0) {
      return absl::OutOfRangeError(
          absl::StrCat("the file ends at offset ", offset));
    }
    offset += count;
    out = out.subspan(static_cast<size_t>(count));
  }
  return absl::OkStatus();
}

}  // namespace varkeep::storage
