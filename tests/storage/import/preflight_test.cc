// SPDX-License-Identifier: Apache-2.0
#include "storage/import/preflight.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "tests/testing/status_matchers.h"

namespace varkeep::storage {
namespace {

using ::testing::HasSubstr;

// The first bytes of a file as HDF5 writes it.
class Head {
 public:
  static Head Version0() {
    Head head;
    head.Put(13, 8).Put(14, 8).Put(16, 4).Put(18, 16);
    head.PutAddress(24, 0).PutAddress(32, ~uint64_t{0});
    head.PutAddress(40, 2048).PutAddress(48, ~uint64_t{0});
    return head.PutAddress(56, 0).PutAddress(64, 96);
  }
  static Head Version3() {
    Head head;
    head.Put(8, 3).Put(9, 8).Put(10, 8);
    head.PutAddress(12, 0).PutAddress(20, ~uint64_t{0});
    return head.PutAddress(28, 2048).PutAddress(36, 48);
  }
  Head& Put(size_t offset, uint8_t value) {
    bytes_[offset] = std::byte{value};
    return *this;
  }
  Head& PutAddress(size_t offset, uint64_t value) {
    std::memcpy(&bytes_[offset], &value, 8);
    return *this;
  }
  absl::Status Check(int64_t file_bytes = 2048) const {
    return CheckHdf5Header(bytes_, file_bytes);
  }
  absl::Status CheckFirst(size_t size) const {
    return CheckHdf5Header(std::span(bytes_).first(size),
                           static_cast<int64_t>(size));
  }

 private:
  Head() : bytes_(kPreflightBytes) {
    std::memcpy(bytes_.data(), "\x89HDF\r\n\x1a\n", 8);
  }
  std::vector<std::byte> bytes_;
};

TEST(PreflightTest, WholeFilesPass) {
  EXPECT_OK(Head::Version0().Check());
  EXPECT_OK(Head::Version0().Check(5000));
  EXPECT_OK(Head::Version3().Check());
  EXPECT_OK(Head::Version3().Put(8, 2).Check());
}

TEST(PreflightTest, EverythingElseIsRefusedWithItsReason) {
  const std::pair<absl::Status, const char*> kRows[] = {
      {Head::Version0().Put(0, 0).Check(), "not an HDF5 file"},
      {Head::Version0().Put(8, 4).Check(), "superblock version 4"},
      {Head::Version0().Put(9, 1).Check(), "versions that do not exist"},
      {Head::Version0().Put(13, 4).Check(), "addresses have 4 bytes"},
      {Head::Version3().Put(10, 16).Check(), "lengths 16"},
      {Head::Version0().Put(16, 0).Check(), "no room"},
      {Head::Version0().PutAddress(24, 512).Check(), "base address is 512"},
      {Head::Version3().PutAddress(12, 512).Check(), "base address is 512"},
      {Head::Version0().Check(2047), "it should have 2048 bytes and has 2047"},
      {Head::Version0().PutAddress(40, ~uint64_t{0}).Check(), "cut off"},
      {Head::Version0().PutAddress(48, 96).Check(), "one part of several"},
      {Head::Version0().PutAddress(64, 2048).Check(), "root group"},
      {Head::Version0().PutAddress(64, 8).Check(), "root group"},
      {Head::Version3().PutAddress(36, ~uint64_t{0}).Check(), "root group"},
      {Head::Version3().Put(11, 1).Check(), "open for writing"},
      {Head::Version3().PutAddress(20, 4096).Check(), "outside of the file"},
  };
  for (const auto& [status, reason] : kRows) {
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument,
                                 HasSubstr(reason)));
  }
}

TEST(PreflightTest, AnyShortFileIsRefused) {
  for (size_t size = 0; size < 96; ++size) {
    EXPECT_FALSE(Head::Version0().CheckFirst(size).ok()) << size;
    EXPECT_FALSE(Head::Version3().CheckFirst(size).ok()) << size;
  }
}

}  // namespace
}  // namespace varkeep::storage
