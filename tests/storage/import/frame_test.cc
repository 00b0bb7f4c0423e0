// SPDX-License-Identifier: Apache-2.0
#include "storage/import/frame.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/testing/status_matchers.h"

namespace varkeep::storage {
namespace {

using ::testing::SizeIs;
using Kind = ImportFrame::Kind;

// What the decoder makes of a stream that arrives in pieces of `step` bytes.
absl::StatusOr<std::vector<ImportFrame>> DecodeAll(const std::string& stream,
                                                   size_t step) {
  FrameDecoder decoder;
  std::vector<ImportFrame> frames;
  for (size_t at = 0; at < stream.size();) {
    auto frame = decoder.Next();
    if (!frame.ok()) return frame.status();
    if (frame->has_value()) {
      frames.push_back(**frame);
      continue;
    }
    const auto room = decoder.Room();
    const size_t count = std::min({step, room.size(), stream.size() - at});
    std::copy_n(std::as_bytes(std::span(stream)).data() + at, count,
                room.begin());
    decoder.Received(count);
    at += count;
  }
  for (;;) {
    auto frame = decoder.Next();
    if (!frame.ok()) return frame.status();
    if (!frame->has_value()) return frames;
    frames.push_back(**frame);
  }
}

std::string Sample() {
  std::vector<std::byte> bytes(3000, std::byte{7});
  return EncodeBegin(2, 3000) +
         EncodeTensor("a/b", DType::kInt64, Shape({375})) + EncodeBytes(bytes) +
         EncodeNoValue("c") + EncodeError(absl::DataLossError("oh")) +
         EncodeEnd();
}

TEST(FrameTest, FramesComeOutAsTheyWentIn) {
  for (size_t step : {size_t{1}, size_t{7}, size_t{100'000}}) {
    ASSERT_OK_AND_ASSIGN(std::vector<ImportFrame> frames,
                         DecodeAll(Sample(), step));
    ASSERT_THAT(frames, SizeIs(6));
    EXPECT_EQ(frames[0].datasets, 2);
    EXPECT_EQ(frames[0].value_bytes, 3000);
    EXPECT_EQ(frames[1].path, "a/b");
    EXPECT_EQ(frames[1].dtype, DType::kInt64);
    EXPECT_EQ(frames[1].shape, Shape({375}));
    EXPECT_EQ(frames[2].kind, Kind::kBytes);
    EXPECT_THAT(frames[2].bytes, SizeIs(3000));
    EXPECT_EQ(frames[3].path, "c");
    EXPECT_EQ(frames[4].error, absl::DataLossError("oh"));
    EXPECT_EQ(frames[5].kind, Kind::kEnd);
  }
}

TEST(FrameTest, TheLargestFrameFits) {
  const std::vector<std::byte> bytes(kMaxFrameValueBytes);
  EXPECT_THAT(DecodeAll(EncodeBytes(bytes) + EncodeEnd(), 65536),
              IsOkAndHolds(SizeIs(2)));
  EXPECT_THAT(DecodeAll(EncodeTensor(std::string(4096, 'x'), DType::kBool,
                                     Shape({1, 1, 1, 1, 1, 1, 1, 1})),
                        65536),
              IsOkAndHolds(SizeIs(1)));
}

TEST(FrameTest, AnyFlippedBitIsNoticed) {
  const std::string stream = Sample();
  std::mt19937 random(3);
  for (int i = 0; i < 2000; ++i) {
    const size_t bit =
        i < 1000 ? static_cast<size_t>(i) : random() % (stream.size() * 8);
    std::string flipped = stream;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    auto frames = DecodeAll(flipped, 4096);
    if (!frames.ok()) {
      EXPECT_TRUE(absl::IsDataLoss(frames.status())) << frames.status();
    } else {
      EXPECT_LT(frames->size(), 6u) << bit;
    }
  }
}

}  // namespace
}  // namespace varkeep::storage
