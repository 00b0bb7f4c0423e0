// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_BASE_CRC32C_H_
#define VARKEEP_BASE_CRC32C_H_

#include <cstddef>
#include <cstdint>
#include <span>

namespace varkeep {

// CRC-32C (Castagnoli, RFC 3720 appendix B.4) of `bytes`, continuing from
// `crc`, the checksum of all that came before them:
// Crc32c(b, Crc32c(a)) == Crc32c(a followed by b). The empty checksum is 0.
// Uses the processor's CRC instruction where there is one; every path gives the
// same result. Thread-safe.
uint32_t Crc32c(std::span<const std::byte> bytes, uint32_t crc = 0);

// The checksum of a followed by b: Crc32c(b, Crc32c(a)) from the checksums of
// both and the size of b, without their bytes.
uint32_t JoinCrc32c(uint32_t a, uint32_t b, size_t b_size);

// The portable path, for comparison.
uint32_t Crc32cPortable(std::span<const std::byte> bytes, uint32_t crc = 0);

}  // namespace varkeep

#endif  // VARKEEP_BASE_CRC32C_H_
