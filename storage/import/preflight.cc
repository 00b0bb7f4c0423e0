// SPDX-License-Identifier: Apache-2.0
//
// The superblock as in "HDF5 File Format Specification Version 3.0", II.A.
#include "storage/import/preflight.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace varkeep::storage {
namespace {

constexpr std::array<uint8_t, 8> kSignature = {0x89, 'H',  'D',  'F',
                                               '\r', '\n', 0x1a, '\n'};
constexpr uint64_t kUndefined = ~uint64_t{0};
constexpr uint8_t kAddressBytes = 8;

absl::Status Refused(absl::string_view why) {
  return absl::InvalidArgumentError(why);
}

absl::Status CutOff() {
  return Refused("it ends within the first block of an HDF5 file");
}

// The superblock of one file.
class Header {
 public:
  Header(std::span<const std::byte> head, int64_t file_bytes)
      : head_(head), file_bytes_(static_cast<uint64_t>(file_bytes)) {}

  absl::Status Check() const {
    if (head_.size() <= kSignature.size()) return CutOff();
    const uint8_t version = At(8);
    switch (version) {
      case 0:
        return CheckOld(24);
      case 1:
        return CheckOld(28);
      case 2:
      case 3:
        return CheckNew(version);
      default:
        return Refused(absl::StrCat("it has superblock version ", version,
                                    ", the versions 0 to 3 are read"));
    }
  }

 private:
  uint8_t At(size_t offset) const {
    return std::to_integer<uint8_t>(head_[offset]);
  }
  uint64_t Number(size_t offset, size_t bytes) const {
    uint64_t value = 0;
    for (size_t i = bytes; i > 0; --i) value = value << 8 | At(offset + i - 1);
    return value;
  }
  uint64_t Address(size_t offset) const {
    return Number(offset, kAddressBytes);
  }

  // Versions 0 and 1: four addresses from `addresses` on, then the entry of
  // the root group: offset of its name, address of its header, ...
  absl::Status CheckOld(size_t addresses) const {
    if (head_.size() < addresses + 72) return CutOff();
    if (At(9) != 0 || At(10) != 0 || At(12) != 0) {
      return Refused("its superblock names versions that do not exist");
    }
    RETURN_IF_ERROR(CheckSizes(13));
    if (Number(16, 2) == 0 || Number(18, 2) == 0) {
      return Refused("its superblock says that groups have no room");
    }
    RETURN_IF_ERROR(CheckBase(Address(addresses)));
    if (Address(addresses + 24) != kUndefined) {
      return Refused("it is one part of several files");
    }
    return CheckPlaces(addresses + 72, Address(addresses + 16),
                       Address(addresses + 40));
  }

  // Versions 2 and 3.
  absl::Status CheckNew(uint8_t version) const {
    constexpr size_t kAddresses = 12;
    constexpr size_t kEnd = kAddresses + 4 * kAddressBytes + 4;
    if (head_.size() < kEnd) return CutOff();
    RETURN_IF_ERROR(CheckSizes(9));
    if (version == 3 && At(11) != 0) {
      return Refused("it is open for writing, or was never closed");
    }
    RETURN_IF_ERROR(CheckBase(Address(kAddresses)));
    const uint64_t extension = Address(kAddresses + 8);
    const uint64_t end = Address(kAddresses + 16);
    if (extension != kUndefined && extension >= end) {
      return Refused("its superblock goes on outside of the file");
    }
    return CheckPlaces(kEnd, end, Address(kAddresses + 24));
  }

  absl::Status CheckSizes(size_t offset) const {
    if (At(offset) == kAddressBytes && At(offset + 1) == kAddressBytes) {
      return absl::OkStatus();
    }
    return Refused(absl::StrCat("its addresses have ", At(offset),
                                " bytes and its lengths ", At(offset + 1),
                                ", not 8"));
  }

  static absl::Status CheckBase(uint64_t base) {
    if (base == 0) return absl::OkStatus();
    return Refused(absl::StrCat("its base address is ", base, ", not 0"));
  }

  absl::Status CheckPlaces(uint64_t superblock_end, uint64_t end,
                           uint64_t root) const {
    if (end > file_bytes_) {
      return Refused(absl::StrCat("it was cut off: it should have ", end,
                                  " bytes and has ", file_bytes_));
    }
    if (end < superblock_end || root < superblock_end || root >= end) {
      return Refused("its root group is not in the file");
    }
    return absl::OkStatus();
  }

  const std::span<const std::byte> head_;
  const uint64_t file_bytes_;
};

}  // namespace

absl::Status CheckHdf5Header(std::span<const std::byte> head,
                             int64_t file_bytes) {
  const auto signature = std::as_bytes(std::span(kSignature));
  if (head.size() < signature.size() ||
      !std::equal(signature.begin(), signature.end(), head.begin())) {
    return Refused("it is not an HDF5 file");
  }
  return Header(head, file_bytes).Check();
}

}  // namespace varkeep::storage
