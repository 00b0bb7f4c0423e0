// SPDX-License-Identifier: Apache-2.0
//
// The instruction has a latency of three cycles and a throughput of one, so one
// dependent chain runs at a third of the processor's speed. Large inputs are
// therefore cut into three stripes that run side by side; two multiplications
// by a power of x (modulo the polynomial) join their checksums. The portable
// path is slicing-by-8.
#include "base/crc32c.h"

#include <array>
#include <bit>
#include <cstring>

#include "base/cpu_path.h"

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace varkeep {
namespace {

constexpr uint32_t kPolynomial = 0x82F63B78;  // reflected

using SliceTables = std::array<std::array<uint32_t, 256>, 8>;

constexpr SliceTables MakeSliceTables() {
  SliceTables tables{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    }
    tables[0][i] = crc;
  }
  for (size_t t = 1; t < 8; ++t) {
    for (size_t i = 0; i < 256; ++i) {
      uint32_t previous = tables[t - 1][i];
      tables[t][i] = (previous >> 8) ^ tables[0][previous & 0xFF];
    }
  }
  return tables;
}

constexpr SliceTables kTables = MakeSliceTables();

uint32_t ExtendPortable(uint32_t crc, const std::byte* data, size_t size) {
  static_assert(std::endian::native == std::endian::little);
  while (size >= 8) {
    uint64_t word;
    std::memcpy(&word, data, 8);
    word ^= crc;
    crc = 0;
    for (size_t i = 0; i < 8; ++i) {
      crc ^= kTables[7 - i][(word >> (8 * i)) & 0xFF];
    }
    data += 8;
    size -= 8;
  }
  for (; size > 0; --size, ++data) {
    crc = (crc >> 8) ^ kTables[0][(crc ^ static_cast<uint32_t>(*data)) & 0xFF];
  }
  return crc;
}

// a * b modulo the polynomial, both bit-reflected.
constexpr uint32_t Multiply(uint32_t a, uint32_t b) {
  uint32_t product = 0;
  for (uint32_t bit = 0x80000000; bit != 0; bit >>= 1) {
    if ((a & bit) != 0) product ^= b;
    b = (b >> 1) ^ ((b & 1) != 0 ? kPolynomial : 0);
  }
  return product;
}

// x^(8 * 2^n) for each n.
constexpr std::array<uint32_t, 64> MakePowers() {
  std::array<uint32_t, 64> powers{};
  uint32_t square = 0x00800000;  // x^8
  for (uint32_t& power : powers) {
    power = square;
    square = Multiply(square, square);
  }
  return powers;
}

constexpr std::array<uint32_t, 64> kPowers = MakePowers();

// x^(8 * bytes): what appending `bytes` zero bytes multiplies a checksum by.
constexpr uint32_t ShiftBy(size_t bytes) {
  uint32_t power = 0x80000000;  // x^0
  for (size_t n = 0; bytes != 0; ++n, bytes >>= 1) {
    if ((bytes & 1) != 0) power = Multiply(power, kPowers[n]);
  }
  return power;
}

#if defined(__x86_64__)

constexpr size_t kStripe = 4096;

using ShiftTable = std::array<std::array<uint32_t, 256>, 4>;

constexpr ShiftTable MakeShiftTable(size_t bytes) {
  ShiftTable table{};
  uint32_t factor = ShiftBy(bytes);
  for (uint32_t position = 0; position < 4; ++position) {
    for (uint32_t value = 0; value < 256; ++value) {
      table[position][value] = Multiply(value << (8 * position), factor);
    }
  }
  return table;
}

const ShiftTable kShiftOne = MakeShiftTable(kStripe);
const ShiftTable kShiftTwo = MakeShiftTable(2 * kStripe);

uint32_t Shift(const ShiftTable& table, uint32_t crc) {
  return table[0][crc & 0xFF] ^ table[1][(crc >> 8) & 0xFF] ^
         table[2][(crc >> 16) & 0xFF] ^ table[3][crc >> 24];
}

uint64_t Load(const std::byte* data) {
  uint64_t word;
  std::memcpy(&word, data, 8);
  return word;
}

__attribute__((target("sse4.2"))) uint32_t ExtendHardware(uint32_t crc,
                                                          const std::byte* data,
                                                          size_t size) {
  uint64_t a = crc;
  while (size >= 3 * kStripe) {
    uint64_t b = 0;
    uint64_t c = 0;
    for (size_t i = 0; i < kStripe; i += 8) {
      a = _mm_crc32_u64(a, Load(data + i));
      b = _mm_crc32_u64(b, Load(data + kStripe + i));
      c = _mm_crc32_u64(c, Load(data + 2 * kStripe + i));
    }
    a = Shift(kShiftTwo, static_cast<uint32_t>(a)) ^
        Shift(kShiftOne, static_cast<uint32_t>(b)) ^ c;
    data += 3 * kStripe;
    size -= 3 * kStripe;
  }
  for (; size >= 8; size -= 8, data += 8) a = _mm_crc32_u64(a, Load(data));
  auto tail = static_cast<uint32_t>(a);
  for (; size > 0; --size, ++data) {
    tail = _mm_crc32_u8(tail, static_cast<unsigned char>(*data));
  }
  return tail;
}

#endif  // __x86_64__

}  // namespace

uint32_t Crc32cPortable(std::span<const std::byte> bytes, uint32_t crc) {
  return ~ExtendPortable(~crc, bytes.data(), bytes.size());
}

uint32_t Crc32c(std::span<const std::byte> bytes, uint32_t crc) {
#if defined(__x86_64__)
  static const bool has_instruction =
      ChosenCpuPath() != CpuPath::kScalar && __builtin_cpu_supports("sse4.2");
  if (has_instruction) {
    return ~ExtendHardware(~crc, bytes.data(), bytes.size());
  }
#endif
  return Crc32cPortable(bytes, crc);
}

uint32_t JoinCrc32c(uint32_t a, uint32_t b, size_t b_size) {
  return Multiply(a, ShiftBy(b_size)) ^ b;
}

}  // namespace varkeep
