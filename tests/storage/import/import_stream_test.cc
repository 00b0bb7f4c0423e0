// SPDX-License-Identifier: Apache-2.0
#include "storage/import/import_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "tests/testing/status_matchers.h"

namespace varkeep::storage {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Kind = ImportFrame::Kind;

ImportFrame Begin(int64_t datasets, int64_t bytes) {
  ImportFrame frame;
  frame.kind = Kind::kBegin;
  frame.datasets = datasets;
  frame.value_bytes = bytes;
  return frame;
}
ImportFrame TensorFrame(const std::string& path, DType dtype, Shape shape) {
  ImportFrame frame;
  frame.kind = Kind::kTensor;
  frame.path = path;
  frame.dtype = dtype;
  frame.shape = shape;
  return frame;
}
// At most 8 bytes, all `value`, which is 1 or 2.
ImportFrame Bytes(size_t count, int value = 1) {
  static constexpr std::array<uint8_t, 8> kOnes = {1, 1, 1, 1, 1, 1, 1, 1};
  static constexpr std::array<uint8_t, 8> kTwos = {2, 2, 2, 2, 2, 2, 2, 2};
  ImportFrame frame;
  frame.kind = Kind::kBytes;
  frame.bytes =
      std::as_bytes(std::span(value == 1 ? kOnes : kTwos)).first(count);
  return frame;
}
ImportFrame NoValue(const std::string& path) {
  ImportFrame frame;
  frame.kind = Kind::kNoValue;
  frame.path = path;
  return frame;
}
ImportFrame End() { return {}; }

class ImportStreamTest : public ::testing::Test {
 protected:
  // Of the first frame that is refused.
  absl::Status HandleAll(const std::vector<ImportFrame>& frames) {
    paths_.clear();
    ImportStream stream(options_, 1000, visit_);
    for (const ImportFrame& frame : frames) {
      absl::Status status = stream.Handle(frame);
      if (!status.ok()) return status;
    }
    EXPECT_EQ(stream.complete(),
              !frames.empty() && frames.back().kind == Kind::kEnd);
    return absl::OkStatus();
  }

  ImportOptions options_;
  std::vector<std::string> paths_;
  std::function<absl::Status(const ImportedDataset&)> visit_ =
      [this](const ImportedDataset& dataset) {
        paths_.push_back(dataset.path);
        return absl::OkStatus();
      };
};

TEST_F(ImportStreamTest, DatasetsArriveInPieces) {
  EXPECT_OK(
      HandleAll({Begin(3, 8), TensorFrame("a", DType::kInt32, Shape({2})),
                 Bytes(3), Bytes(5), TensorFrame("b", DType::kInt8, Shape({0})),
                 NoValue("c"), End()}));
  EXPECT_THAT(paths_, ElementsAre("a", "b", "c"));
}

TEST_F(ImportStreamTest, NoOtherOrderIsTaken) {
  const ImportFrame one = TensorFrame("b", DType::kInt8, Shape({4}));
  const std::vector<ImportFrame> kStreams[] = {
      {End()},
      {one},
      {Bytes(1)},
      {NoValue("a")},
      {Begin(0, 0), Begin(0, 0)},
      {Begin(1, 4), End()},
      {Begin(1, 4), Bytes(4)},
      {Begin(1, 4), one, Bytes(5)},
      {Begin(1, 4), one, Bytes(0)},
      {Begin(1, 4), one, one},
      {Begin(1, 4), one, End()},
      {Begin(1, 4), one, Bytes(4), Bytes(1)},
      {Begin(1, 5), one, Bytes(4), End()},
      {Begin(2, 8), one, Bytes(4), one},
      {Begin(2, 4), one, Bytes(4), NoValue("a")},
      {Begin(1, 4), one, Bytes(4), NoValue("c")},
      {Begin(1, 3), one},
      {Begin(-1, 0)},
      {Begin(0, -1)},
      {Begin(1, int64_t{1} << 60)},
      {Begin(int64_t{1} << 40, 0)},
      {Begin(1, 64), TensorFrame("b", DType::kBool, Shape({1})), Bytes(1, 2)},
  };
  for (size_t i = 0; i < std::size(kStreams); ++i) {
    EXPECT_THAT(HandleAll(kStreams[i]),
                StatusIs(absl::StatusCode::kDataLoss, ::testing::_))
        << i;
  }
}

TEST_F(ImportStreamTest, NoValueIsFarLargerThanTheFile) {
  EXPECT_THAT(HandleAll({Begin(1, 2'000'000),
                         TensorFrame("a", DType::kInt8, Shape({2'000'000}))}),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("larger")));
}

TEST_F(ImportStreamTest, PathsAreCheckedAgain) {
  for (const char* path : {"", "../x", "a\n", "/a"}) {
    EXPECT_THAT(HandleAll({Begin(1, 0), NoValue(path)}),
                StatusIs(absl::StatusCode::kInvalidArgument, ::testing::_))
        << path;
  }
}

}  // namespace
}  // namespace varkeep::storage
