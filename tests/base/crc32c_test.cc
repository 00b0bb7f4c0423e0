// SPDX-License-Identifier: Apache-2.0
#include "base/crc32c.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace varkeep {
namespace {

std::span<const std::byte> Bytes(const std::string& text) {
  return std::as_bytes(std::span(text));
}

// RFC 3720 appendix B.4 and the check value of the CRC catalogue.
TEST(Crc32cTest, KnownValues) {
  EXPECT_EQ(Crc32c(Bytes("")), 0u);
  EXPECT_EQ(Crc32c(Bytes("123456789")), 0xE3069283u);
  EXPECT_EQ(Crc32c(Bytes(std::string(32, '\0'))), 0x8A9136AAu);
  EXPECT_EQ(Crc32c(Bytes(std::string(32, '\xFF'))), 0x62A8AB43u);
}

TEST(Crc32cTest, HardwareAndPortablePathsAgreeAtEveryLengthAndSplit) {
  std::vector<std::byte> data(40000);
  uint32_t x = 1;
  for (std::byte& byte : data) {
    x = x * 1664525 + 1013904223;
    byte = static_cast<std::byte>(x >> 24);
  }
  std::span<const std::byte> all(data);
  for (size_t size = 0; size < data.size(); size += size < 300 ? 1 : 997) {
    const uint32_t expected = Crc32cPortable(all.first(size));
    EXPECT_EQ(Crc32c(all.first(size)), expected) << size;
    const size_t cut = size / 3;
    EXPECT_EQ(Crc32c(all.first(size).subspan(cut), Crc32c(all.first(cut))),
              expected)
        << size;
    EXPECT_EQ(JoinCrc32c(Crc32c(all.first(cut)),
                         Crc32c(all.first(size).subspan(cut)), size - cut),
              expected)
        << size;
  }
}

}  // namespace
}  // namespace varkeep
