// SPDX-License-Identifier: Apache-2.0
#include "storage/checkpoint_trailer.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/crc32c.h"
#include "base/status_macros.h"

namespace varkeep::storage {
namespace {

using hdf5::StoredValue;

constexpr int64_t kBlockBytes = 1 << 20;
constexpr char kMagic[] = "VARKEEP\n";

struct TrailerFields {
  int64_t size = 0;  // of what precedes the trailer
  int64_t regions = 0;
  uint32_t rest_crc = 0;
  uint32_t whole_crc = 0;
};
using Trailer = std::array<std::byte, 36>;
constexpr auto kTrailerBytes = static_cast<int64_t>(Trailer().size());
constexpr int64_t kTableEntryBytes = 20;

Trailer Encode(const TrailerFields& fields) {
  Trailer trailer;
  std::memcpy(&trailer[0], kMagic, 8);
  std::memcpy(&trailer[8], &fields.size, 8);
  std::memcpy(&trailer[16], &fields.regions, 8);
  std::memcpy(&trailer[24], &fields.rest_crc, 4);
  std::memcpy(&trailer[28], &fields.whole_crc, 4);
  const uint32_t own = Crc32c(std::span(trailer).first(32));
  std::memcpy(&trailer[32], &own, 4);
  return trailer;
}

TrailerFields Decode(const Trailer& trailer) {
  TrailerFields fields;
  std::memcpy(&fields.size, &trailer[8], 8);
  std::memcpy(&fields.regions, &trailer[16], 8);
  std::memcpy(&fields.rest_crc, &trailer[24], 4);
  std::memcpy(&fields.whole_crc, &trailer[28], 4);
  return fields;
}

std::vector<std::byte> EncodeTable(const std::vector<StoredValue>& regions) {
  std::vector<std::byte> table(regions.size() * kTableEntryBytes);
  std::byte* at = table.data();
  for (const StoredValue& region : regions) {
    std::memcpy(at, &region.offset, 8);
    std::memcpy(at + 8, &region.size_bytes, 8);
    std::memcpy(at + 16, &region.crc32c, 4);
    at += kTableEntryBytes;
  }
  return table;
}

// DATA_LOSS when the regions are not in order inside the first `size` bytes.
absl::StatusOr<std::vector<StoredValue>> DecodeTable(
    std::span<const std::byte> table, int64_t size) {
  std::vector<StoredValue> regions(table.size() / kTableEntryBytes);
  const std::byte* at = table.data();
  int64_t end = 0;
  for (StoredValue& region : regions) {
    std::memcpy(&region.offset, at, 8);
    std::memcpy(&region.size_bytes, at + 8, 8);
    std::memcpy(&region.crc32c, at + 16, 4);
    at += kTableEntryBytes;
    if (region.offset < end || region.offset > size ||
        region.size_bytes < kRegionBytes ||
        region.size_bytes > size - region.offset) {
      return absl::DataLossError("its table of values is damaged");
    }
    end = region.offset + region.size_bytes;
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
      sums.whole = JoinChecksums(sums.whole, region.crc32c, region.size_bytes);
    }
    offset = region.offset + region.size_bytes;
  }
  RETURN_IF_ERROR(read_up_to(size));
  return sums;
}

// a * b modulo the polynomial, both bit-reflected.
uint32_t Multiply(uint32_t a, uint32_t b) {
  constexpr uint32_t kPolynomial = 0x82F63B78;
  uint32_t product = 0;
  for (uint32_t bit = 0x80000000; bit != 0; bit >>= 1) {
    if ((a & bit) != 0) product ^= b;
    b = (b >> 1) ^ ((b & 1) != 0 ? kPolynomial : 0);
  }
  return product;
}

}  // namespace

// Appending n zero bytes multiplies a checksum by x^(8 n).
uint32_t JoinChecksums(uint32_t a, uint32_t b, int64_t b_size) {
  uint32_t square = 0x00800000;  // x^8
  for (; b_size != 0; b_size >>= 1) {
    if ((b_size & 1) != 0) a = Multiply(a, square);
    square = Multiply(square, square);
  }
  return a ^ b;
}

absl::StatusOr<uint32_t> ReadChecksum(
    File* file, int64_t offset, int64_t size,
    const std::function<bool(int64_t)>& progress) {
  std::vector<std::byte> buffer(
      static_cast<size_t>(std::min(size, kBlockBytes)));
  uint32_t crc = 0;
  for (int64_t done = 0; done < size; done += kBlockBytes) {
    std::span<std::byte> block = std::span(buffer).first(
        static_cast<size_t>(std::min(size - done, kBlockBytes)));
    RETURN_IF_ERROR(file->ReadAt(offset + done, block));
    crc = Crc32c(block, crc);
    if (progress && !progress(static_cast<int64_t>(block.size()))) {
      return absl::CancelledError("reading was given up");
    }
  }
  return crc;
}

absl::StatusOr<Seal> AppendTrailer(File* file,
                                   std::vector<StoredValue> values) {
  std::erase_if(values, [](const StoredValue& value) {
    return value.size_bytes < kRegionBytes;
  });
  std::sort(values.begin(), values.end(),
            [](const StoredValue& a, const StoredValue& b) {
              return a.offset < b.offset;
            });
  Seal seal;
  ASSIGN_OR_RETURN(int64_t size, file->Size());
  ASSIGN_OR_RETURN(Checksums sums, ChecksumRest(file, size, values, true));
  const std::vector<std::byte> table = EncodeTable(values);
  const auto table_bytes = static_cast<int64_t>(table.size());
  const Trailer trailer =
      Encode({size + table_bytes, static_cast<int64_t>(values.size()),
              Crc32c(table, sums.rest), Crc32c(table, sums.whole)});
  std::vector<std::byte> tail = table;
  tail.insert(tail.end(), trailer.begin(), trailer.end());
  RETURN_IF_ERROR(file->WriteAt(size, tail));
  seal.size_bytes = size + static_cast<int64_t>(tail.size());
  seal.crc32c = Crc32c(tail, sums.whole);
  seal.regions = std::move(values);
  return seal;
}

absl::StatusOr<Seal> VerifyTrailer(File* file) {
  Seal seal;
  ASSIGN_OR_RETURN(seal.size_bytes, file->Size());
  const int64_t size = seal.size_bytes - kTrailerBytes;
  if (size < 0) {
    return absl::DataLossError(
        absl::StrCat("it has only ", seal.size_bytes, " bytes"));
  }
  Trailer stored;
  RETURN_IF_ERROR(file->ReadAt(size, stored));
  const TrailerFields fields = Decode(stored);
  if (stored != Encode(fields) || fields.size != size || fields.regions < 0 ||
      fields.regions > size / kTableEntryBytes) {
    return absl::DataLossError(
        absl::StrCat("its trailer, at byte ", size, ", is damaged"));
  }
  const int64_t table_at = size - fields.regions * kTableEntryBytes;
  std::vector<std::byte> table(static_cast<size_t>(size - table_at));
  RETURN_IF_ERROR(file->ReadAt(table_at, table));
  ASSIGN_OR_RETURN(seal.regions, DecodeTable(table, table_at));
  ASSIGN_OR_RETURN(Checksums sums,
                   ChecksumRest(file, table_at, seal.regions, false));
  const uint32_t rest = Crc32c(table, sums.rest);
  if (rest != fields.rest_crc) {
    return absl::DataLossError(
        absl::StrCat("what is not values in it has checksum ",
                     absl::Hex(rest, absl::kZeroPad8), ", not ",
                     absl::Hex(fields.rest_crc, absl::kZeroPad8)));
  }
  seal.crc32c = Crc32c(stored, fields.whole_crc);
  return seal;
}

}  // namespace varkeep::storage
