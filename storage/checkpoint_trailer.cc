// SPDX-License-Identifier: Apache-2.0
#include "storage/checkpoint_trailer.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/background_checksum.h"
#include "base/crc32c.h"
#include "base/status_macros.h"

namespace varkeep::storage {
namespace {

constexpr int64_t kBlockBytes = 1 << 20;
constexpr char kMagic[] = "VARKEEP\n";

struct TrailerFields {
  int64_t size = 0;  // of what precedes the trailer
  int64_t index_bytes = 0;
  uint32_t index_crc = 0;
  uint32_t rest_crc = 0;
  uint32_t whole_crc = 0;
  uint32_t version = kCheckpointFormatVersion;
};
using Trailer = std::array<std::byte, 44>;
constexpr auto kTrailerBytes = static_cast<int64_t>(Trailer().size());

Trailer Encode(const TrailerFields& fields) {
  Trailer trailer;
  std::memcpy(&trailer[0], kMagic, 8);
  std::memcpy(&trailer[8], &fields.size, 8);
  std::memcpy(&trailer[16], &fields.index_bytes, 8);
  std::memcpy(&trailer[24], &fields.index_crc, 4);
  std::memcpy(&trailer[28], &fields.rest_crc, 4);
  std::memcpy(&trailer[32], &fields.whole_crc, 4);
  std::memcpy(&trailer[36], &fields.version, 4);
  const uint32_t own = Crc32c(std::span(trailer).first(40));
  std::memcpy(&trailer[40], &own, 4);
  return trailer;
}

TrailerFields Decode(const Trailer& trailer) {
  TrailerFields fields;
  std::memcpy(&fields.size, &trailer[8], 8);
  std::memcpy(&fields.index_bytes, &trailer[16], 8);
  std::memcpy(&fields.index_crc, &trailer[24], 4);
  std::memcpy(&fields.rest_crc, &trailer[28], 4);
  std::memcpy(&fields.whole_crc, &trailer[32], 4);
  std::memcpy(&fields.version, &trailer[36], 4);
  return fields;
}

// True when the file ends in one of the trailers that version 1 had.
absl::StatusOr<bool> IsOfVersionOne(File* file, int64_t file_size) {
  for (size_t length : {size_t{24}, size_t{36}}) {
    std::array<std::byte, 36> buffer;
    std::span<std::byte> trailer = std::span(buffer).first(length);
    const int64_t size = file_size - static_cast<int64_t>(length);
    if (size < 0) continue;
    RETURN_IF_ERROR(file->ReadAt(size, trailer));
    const uint32_t own = Crc32c(trailer.first(length - 4));
    if (std::memcmp(&trailer[0], kMagic, 8) == 0 &&
        std::memcmp(&trailer[8], &size, 8) == 0 &&
        std::memcmp(&trailer[length - 4], &own, 4) == 0) {
      return true;
    }
  }
  return false;
}

// The large values of an index, in the order of their offsets. DATA_LOSS when
// two of them overlap.
absl::StatusOr<std::vector<StoredValue>> RegionsOf(
    const CheckpointIndex& index) {
  std::vector<StoredValue> regions;
  for (const std::optional<StoredValue>& value : index.values) {
    if (value.has_value() && value->size_bytes >= kRegionBytes) {
      regions.push_back(*value);
    }
  }
  std::sort(regions.begin(), regions.end(),
            [](const StoredValue& a, const StoredValue& b) {
              return a.offset < b.offset;
            });
  for (size_t i = 1; i < regions.size(); ++i) {
    const StoredValue& previous = regions[i - 1];
    if (regions[i].offset - previous.offset < previous.size_bytes) {
      return absl::DataLossError("values overlap in its index");
    }
  }
  return regions;
}

struct Checksums {
  uint32_t rest = 0;
  uint32_t whole = 0;
};

// Of the first `size` bytes; reads them but for the regions.
absl::StatusOr<Checksums> ChecksumRest(File* file, int64_t size,
                                       const std::vector<StoredValue>& regions,
                                       bool with_whole) {
  Checksums sums;
  std::vector<std::byte> buffer(
      static_cast<size_t>(std::min(size, kBlockBytes)));
  int64_t offset = 0;
  auto read_up_to = [&](int64_t end) -> absl::Status {
    while (offset < end) {
      std::span<std::byte> block = std::span(buffer).first(
          static_cast<size_t>(std::min(end - offset, kBlockBytes)));
      RETURN_IF_ERROR(file->ReadAt(offset, block));
      sums.rest = Crc32c(block, sums.rest);
      if (with_whole) sums.whole = Crc32c(block, sums.whole);
      offset += static_cast<int64_t>(block.size());
    }
    return absl::OkStatus();
  };
  for (const StoredValue& region : regions) {
    RETURN_IF_ERROR(read_up_to(region.offset));
    if (with_whole) {
      sums.whole = JoinCrc32c(sums.whole, region.crc32c,
                              static_cast<size_t>(region.size_bytes));
    }
    offset = region.offset + region.size_bytes;
  }
  RETURN_IF_ERROR(read_up_to(size));
  return sums;
}

// The trailer of a file of `file_size` bytes.
absl::StatusOr<TrailerFields> ReadTrailer(File* file, int64_t file_size) {
  ASSIGN_OR_RETURN(bool is_old, IsOfVersionOne(file, file_size));
  if (is_old) return CheckFormatVersion(1);
  const int64_t size = file_size - kTrailerBytes;
  if (size < 0) {
    return absl::DataLossError(
        absl::StrCat("it has only ", file_size, " bytes"));
  }
  Trailer stored;
  RETURN_IF_ERROR(file->ReadAt(size, stored));
  const TrailerFields fields = Decode(stored);
  if (stored != Encode(fields) || fields.size != size) {
    return absl::DataLossError(
        absl::StrCat("its trailer, at byte ", size, ", is damaged"));
  }
  RETURN_IF_ERROR(CheckFormatVersion(fields.version));
  if (fields.index_bytes < 0 || fields.index_bytes > size) {
    return absl::DataLossError("its trailer names an index outside of it");
  }
  return fields;
}

absl::Status Differs(absl::string_view what, uint32_t crc, uint32_t expected) {
  return absl::DataLossError(
      absl::StrCat(what, " has checksum ", absl::Hex(crc, absl::kZeroPad8),
                   ", not ", absl::Hex(expected, absl::kZeroPad8)));
}

}  // namespace

absl::StatusOr<uint32_t> ReadChecksum(
    File* file, int64_t offset, int64_t size,
    const std::function<bool(int64_t)>& progress) {
  std::vector<std::byte> buffer(
      static_cast<size_t>(std::min(size, kBlockBytes)));
  BackgroundChecksum checksum;
  uint32_t crc = 0;
  for (int64_t done = 0; done < size; done += kBlockBytes) {
    std::span<std::byte> block = std::span(buffer).first(
        static_cast<size_t>(std::min(size - done, kBlockBytes)));
    RETURN_IF_ERROR(file->ReadAt(offset + done, block));
    crc = checksum.Sum(block, crc);
    if (progress && !progress(static_cast<int64_t>(block.size()))) {
      return absl::CancelledError("reading was given up");
    }
  }
  return crc;
}

absl::StatusOr<Seal> AppendTrailer(File* file, CheckpointIndex index) {
  Seal seal;
  ASSIGN_OR_RETURN(seal.regions, RegionsOf(index));
  ASSIGN_OR_RETURN(int64_t size, file->Size());
  ASSIGN_OR_RETURN(Checksums sums,
                   ChecksumRest(file, size, seal.regions, true));
  std::vector<std::byte> tail = EncodeIndex(index);
  const auto index_bytes = static_cast<int64_t>(tail.size());
  const uint32_t index_crc = Crc32c(tail);
  const Trailer trailer =
      Encode({size + index_bytes, index_bytes, index_crc,
              JoinCrc32c(sums.rest, index_crc, tail.size()),
              JoinCrc32c(sums.whole, index_crc, tail.size())});
  tail.insert(tail.end(), trailer.begin(), trailer.end());
  RETURN_IF_ERROR(file->WriteAt(size, tail));
  seal.size_bytes = size + static_cast<int64_t>(tail.size());
  seal.crc32c = Crc32c(tail, sums.whole);
  seal.index = std::move(index);
  return seal;
}

absl::Status CheckTrailerVersion(File* file) {
  ASSIGN_OR_RETURN(int64_t file_size, file->Size());
  absl::Status status = ReadTrailer(file, file_size).status();
  return absl::IsDataLoss(status) ? absl::OkStatus() : status;
}

absl::StatusOr<Seal> VerifyTrailer(File* file) {
  Seal seal;
  ASSIGN_OR_RETURN(seal.size_bytes, file->Size());
  ASSIGN_OR_RETURN(TrailerFields fields, ReadTrailer(file, seal.size_bytes));
  const int64_t index_at = fields.size - fields.index_bytes;
  std::vector<std::byte> bytes(static_cast<size_t>(fields.index_bytes));
  RETURN_IF_ERROR(file->ReadAt(index_at, bytes));
  const uint32_t index_crc = Crc32c(bytes);
  if (index_crc != fields.index_crc) {
    return Differs("its index", index_crc, fields.index_crc);
  }
  ASSIGN_OR_RETURN(seal.index, DecodeIndex(bytes, index_at));
  ASSIGN_OR_RETURN(seal.regions, RegionsOf(seal.index));
  ASSIGN_OR_RETURN(Checksums sums,
                   ChecksumRest(file, index_at, seal.regions, false));
  const uint32_t rest = JoinCrc32c(sums.rest, index_crc, bytes.size());
  if (rest != fields.rest_crc) {
    return Differs("what is not values in it", rest, fields.rest_crc);
  }
  seal.crc32c = Crc32c(Encode(fields), fields.whole_crc);
  return seal;
}

}  // namespace varkeep::storage
