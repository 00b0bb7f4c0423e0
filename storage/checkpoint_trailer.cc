// SPDX-License-Identifier: Apache-2.0
#include "storage/checkpoint_trailer.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/crc32c.h"
#include "base/status_macros.h"

namespace varkeep::storage {
namespace {

constexpr int64_t kBlockBytes = 1 << 20;
constexpr char kMagic[] = "VARKEEP\n";

using Trailer = std::array<std::byte, 24>;
constexpr auto kTrailerBytes = static_cast<int64_t>(Trailer().size());

Trailer MakeTrailer(int64_t size, uint32_t crc) {
  Trailer trailer;
  std::memcpy(&trailer[0], kMagic, 8);
  std::memcpy(&trailer[8], &size, 8);
  std::memcpy(&trailer[16], &crc, 4);
  const uint32_t own = Crc32c(std::span(trailer).first(20));
  std::memcpy(&trailer[20], &own, 4);
  return trailer;
}

}  // namespace

absl::StatusOr<uint32_t> FileChecksum(File* file, int64_t size) {
  std::vector<std::byte> buffer(
      static_cast<size_t>(std::min(size, kBlockBytes)));
  uint32_t crc = 0;
  for (int64_t offset = 0; offset < size; offset += kBlockBytes) {
    std::span<std::byte> block = std::span(buffer).first(
        static_cast<size_t>(std::min(size - offset, kBlockBytes)));
    RETURN_IF_ERROR(file->ReadAt(offset, block));
    crc = Crc32c(block, crc);
  }
  return crc;
}

absl::StatusOr<uint32_t> AppendTrailer(File* file) {
  ASSIGN_OR_RETURN(int64_t size, file->Size());
  ASSIGN_OR_RETURN(uint32_t crc, FileChecksum(file, size));
  const Trailer trailer = MakeTrailer(size, crc);
  RETURN_IF_ERROR(file->WriteAt(size, trailer));
  return Crc32c(trailer, crc);
}

absl::StatusOr<uint32_t> VerifyTrailer(File* file) {
  ASSIGN_OR_RETURN(int64_t file_size, file->Size());
  const int64_t size = file_size - kTrailerBytes;
  if (size < 0) {
    return absl::DataLossError(
        absl::StrCat("it has only ", file_size, " bytes"));
  }
  Trailer stored;
  RETURN_IF_ERROR(file->ReadAt(size, stored));
  ASSIGN_OR_RETURN(uint32_t crc, FileChecksum(file, size));
  if (stored != MakeTrailer(size, crc)) {
    return absl::DataLossError(absl::StrCat("its trailer does not match its ",
                                            size, " bytes with checksum ",
                                            absl::Hex(crc, absl::kZeroPad8)));
  }
  return Crc32c(stored, crc);
}

}  // namespace varkeep::storage
