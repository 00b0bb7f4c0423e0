// SPDX-License-Identifier: Apache-2.0
//
// The index of a checkpoint file and the trailer behind it, also when someone
// else wrote them.
#include "storage/checkpoint_index.h"

#include <gmock/gmock.h>

#include <cstring>
#include <functional>

#include "absl/strings/str_cat.h"
#include "base/crc32c.h"
#include "storage/checkpoint_trailer.h"
#include "storage/memory_file_system.h"
#include "tests/testing/status_matchers.h"

namespace varkeep::storage {
namespace {

using absl::StatusCode;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr int64_t kValuesEnd = 100'000;

CheckpointIndex SampleIndex() {
  CheckpointIndex index;
  index.contents.revision = 7;
  index.contents.attributes = {{"server", std::string("test")}};
  index.created = absl::FromUnixSeconds(1'700'000'000);
  index.contents.entries = {
      {"a", DType::kFloat32, {2, 3}, nullptr, {{"bool", true}}, 4},
      {"b",
       DType::kInt8,
       {},
       nullptr,
       {{"list", std::vector<std::string>{"x"}}}},
      {"c",
       DType::kBool,
       {9},
       nullptr,
       {{"int", int64_t{-1}}, {"u", uint64_t{1}}}}};
  index.values = {StoredValue{16, 24, 5}, StoredValue{40, 1, 6}, std::nullopt};
  index.shared.holders = {{"ckpt-000001.h5", 86824, 0x0c9d1f72}};
  index.shared.files = {{"d", "ckpt-000001.h5"}};
  return index;
}

absl::Status Decoded(const CheckpointIndex& index) {
  return DecodeIndex(EncodeIndex(index), kValuesEnd).status();
}

TEST(CheckpointIndexTest, CutAnywhereItSaysSoAndWhere) {
  const std::vector<std::byte> whole = EncodeIndex(SampleIndex());
  for (size_t size = 0; size < whole.size(); ++size) {
    const absl::Status status =
        DecodeIndex(std::span(whole).first(size), kValuesEnd).status();
    EXPECT_THAT(status,
                StatusIs(StatusCode::kDataLoss,
                         AllOf(HasSubstr(absl::StrCat(
                                   "its index of ", size,
                                   " bytes is cut or damaged: what begins at")),
                               HasSubstr("goes beyond its end"))));
  }
}

TEST(CheckpointIndexTest, IsReadAsItWasWritten) {
  const CheckpointIndex index = SampleIndex();
  ASSERT_OK_AND_ASSIGN(CheckpointIndex read,
                       DecodeIndex(EncodeIndex(index), kValuesEnd));
  EXPECT_EQ(read.contents.attributes, index.contents.attributes);
  EXPECT_EQ(read.created, index.created);
  ASSERT_EQ(read.contents.entries.size(), 3);
  EXPECT_EQ(read.contents.entries[2].attributes,
            index.contents.entries[2].attributes);
  EXPECT_EQ(read.values[0]->offset, 16);
  EXPECT_EQ(read.values[0]->size_bytes, 24);
  EXPECT_EQ(read.values[2].has_value(), false);
  EXPECT_EQ(read.shared.files, index.shared.files);
  EXPECT_EQ(read.shared.holders, index.shared.holders);
  EXPECT_EQ(EncodeIndex(read), EncodeIndex(index));
}

TEST(CheckpointIndexTest, CutShortOrWithMoreBehindItIsDamaged) {
  std::vector<std::byte> bytes = EncodeIndex(SampleIndex());
  const auto damaged = StatusIs(StatusCode::kDataLoss, HasSubstr(""));
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_THAT(DecodeIndex(std::span(bytes).first(size), kValuesEnd), damaged)
        << size;
  }
  bytes.push_back(std::byte{0});
  EXPECT_THAT(DecodeIndex(bytes, kValuesEnd), damaged);
}

// Whatever a byte becomes: another index, or DATA_LOSS.
TEST(CheckpointIndexTest, AnyByteMayBeAnything) {
  const std::vector<std::byte> good = EncodeIndex(SampleIndex());
  int refused = 0;
  for (size_t at = 0; at < good.size(); ++at) {
    for (const int value : {0x00, 0x01, 0x20, 0x7f, 0xff}) {
      std::vector<std::byte> bytes = good;
      bytes[at] = static_cast<std::byte>(value);
      absl::StatusOr<CheckpointIndex> read = DecodeIndex(bytes, kValuesEnd);
      if (read.ok()) {
        EXPECT_OK(Decoded(*read)) << at << " " << value;
      } else {
        EXPECT_EQ(read.status().code(), StatusCode::kDataLoss)
            << at << " " << value << " " << read.status();
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, 100);
}

TEST(CheckpointIndexTest, WhatItSaysMustMakeSense) {
  struct {
    std::function<void(CheckpointIndex&)> change;
    const char* reason;
  } const changes[] = {
      {[](auto& index) { index.values[0]->offset = -1; }, "not inside"},
      {[](auto& index) { index.values[0]->offset = kValuesEnd - 23; },
       "entry 'a' is not inside the file"},
      {[](auto& index) { index.values[0]->offset = kValuesEnd + 1; },
       "not inside"},
      {[](auto& index) { index.contents.entries[1].path = "a"; }, "damaged"},
      {[](auto& index) { index.shared.holders[0].file = "a/b"; },
       "its index has a holder that is none"},
      {[](auto& index) { index.shared.holders[0].file = "a b"; },
       "its index has a holder that is none"},
      {[](auto& index) { index.shared.holders[0].file = ""; },
       "its index has a holder that is none"}};
  for (const auto& [change, reason] : changes) {
    CheckpointIndex index = SampleIndex();
    change(index);
    index.shared.files = {{"d", index.shared.holders[0].file}};
    EXPECT_THAT(Decoded(index),
                StatusIs(StatusCode::kDataLoss, HasSubstr(reason)));
  }
}

// The last bytes of a checkpoint file, with their own checksum.
struct Trailer {
  int64_t size = 0;
  int64_t index_bytes = 0;
  uint32_t index_crc = 0;
  uint32_t rest_crc = 0;
  uint32_t whole_crc = 0;
  uint32_t version = kCheckpointFormatVersion;

  std::vector<std::byte> Encode() const {
    std::vector<std::byte> bytes(44);
    std::memcpy(&bytes[0], "VARKEEP\n", 8);
    std::memcpy(&bytes[8], &size, 8);
    std::memcpy(&bytes[16], &index_bytes, 8);
    const uint32_t numbers[] = {index_crc, rest_crc, whole_crc, version};
    std::memcpy(&bytes[24], numbers, sizeof(numbers));
    const uint32_t own = Crc32c(std::span(bytes).first(40));
    std::memcpy(&bytes[40], &own, 4);
    return bytes;
  }
};

class CheckpointTrailerTest : public ::testing::Test {
 protected:
  // What reading a file gives that ends in an index, of values in its first
  // `size` bytes, and a trailer, changed before it is written.
  absl::Status Verify(const CheckpointIndex& index, int64_t size,
                      const std::function<void(Trailer&)>& change) {
    const std::vector<std::byte> bytes = EncodeIndex(index);
    Trailer trailer;
    trailer.index_bytes = static_cast<int64_t>(bytes.size());
    trailer.size = size + trailer.index_bytes;
    trailer.index_crc = Crc32c(bytes);
    change(trailer);
    const std::string path = "/f" + std::to_string(++files_);
    std::unique_ptr<File> file = *disk_.Create(path);
    EXPECT_OK(file->WriteAt(size, bytes));
    EXPECT_OK(file->WriteAt(size + static_cast<int64_t>(bytes.size()),
                            trailer.Encode()));
    return VerifyTrailer(file.get()).status();
  }

  MemoryFileSystem disk_;
  int files_ = 0;
};

TEST_F(CheckpointTrailerTest, WhatItSaysMustMakeSense) {
  struct {
    std::function<void(Trailer&)> change;
    StatusCode code;
    const char* reason;
  } const changes[] = {
      {[](auto&) {}, StatusCode::kDataLoss, "what is not values in it has"},
      {[](auto& trailer) { ++trailer.size; }, StatusCode::kDataLoss,
       "its trailer, at byte"},
      {[](auto& trailer) { trailer.index_bytes = -1; }, StatusCode::kDataLoss,
       "names an index outside of it"},
      {[](auto& trailer) { trailer.index_bytes = trailer.size + 1; },
       StatusCode::kDataLoss, "names an index outside of it"},
      {[](auto& trailer) { ++trailer.index_crc; }, StatusCode::kDataLoss,
       "its index has checksum"},
      {[](auto& trailer) { ++trailer.version; },
       StatusCode::kFailedPrecondition, "format version 3"}};
  for (const auto& [change, code, reason] : changes) {
    EXPECT_THAT(Verify(SampleIndex(), 4096, change),
                StatusIs(code, HasSubstr(reason)));
  }
}

TEST_F(CheckpointTrailerTest, ValuesDoNotOverlap) {
  CheckpointIndex index = SampleIndex();
  for (size_t i : {size_t{0}, size_t{1}}) {
    index.contents.entries[i].dtype = DType::kInt8;
    index.contents.entries[i].shape = {kRegionBytes};
    index.values[i] = {static_cast<int64_t>(1 - i), kRegionBytes, 0};
  }
  const auto overlap =
      StatusIs(StatusCode::kDataLoss, HasSubstr("values overlap"));
  EXPECT_THAT(Verify(index, 8192, [](auto&) {}), overlap);
  EXPECT_THAT(AppendTrailer(disk_.Create("/new")->get(), index), overlap);
}

TEST_F(CheckpointTrailerTest, AChecksumCanBeGivenUp) {
  std::unique_ptr<File> file = *disk_.Create("/f");
  ASSERT_OK(file->WriteAt(4095, std::vector<std::byte>(1)));
  EXPECT_THAT(ReadChecksum(file.get(), 0, 4096, [](int64_t) { return false; }),
              StatusIs(StatusCode::kCancelled, HasSubstr("given up")));
  EXPECT_OK(ReadChecksum(file.get(), 0, 4096, [](int64_t bytes) {
    EXPECT_EQ(bytes, 4096);
    return true;
  }));
}

}  // namespace
}  // namespace varkeep::storage
