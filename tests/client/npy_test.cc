// SPDX-License-Identifier: Apache-2.0
#include "client/cli/npy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "tests/testing/status_matchers.h"
#include "tests/testing/tensors.h"

namespace varkeep::cli {
namespace {

using ::testing::HasSubstr;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;

std::string Npy(const Tensor& tensor) {
  std::ostringstream out;
  WriteNpy(tensor, out);
  return out.str();
}

absl::StatusOr<std::shared_ptr<Tensor>> Parse(const std::string& bytes) {
  std::istringstream in(bytes);
  return ReadNpy(in);
}

// A file of version 1 with this dictionary.
std::string File(const std::string& header, const std::string& data) {
  std::string text("\x93NUMPY\x01\x00", 8);
  text += static_cast<char>(header.size());
  text += '\0';
  return text + header + data;
}

TEST(NpyTest, EveryDTypeAndRankGoesRound) {
  for (DType dtype : kAllDTypes) {
    for (const Shape& shape :
         {Shape{}, Shape{3}, Shape{2, 0}, Shape{2, 3, 4}}) {
      ASSERT_OK_AND_ASSIGN(auto tensor, Tensor::Create(dtype, shape));
      int i = 0;
      for (std::byte& byte : tensor->mutable_bytes()) {
        byte = static_cast<std::byte>(dtype == DType::kBool ? i++ % 2 : i++);
      }

      ASSERT_OK_AND_ASSIGN(auto back, Parse(Npy(*tensor)));

      EXPECT_EQ(back->dtype(),
                dtype == DType::kBfloat16 ? DType::kUint16 : dtype);
      EXPECT_EQ(back->shape(), shape);
      EXPECT_TRUE(std::ranges::equal(back->bytes(), tensor->bytes()));
    }
  }
}

TEST(NpyTest, DataBeginsAtAMultipleOf64) {
  for (int64_t dim : {1, 10, 100000}) {
    auto tensor = Tensor::Create(DType::kInt8, {dim}).value();

    EXPECT_EQ((Npy(*tensor).size() - static_cast<size_t>(dim)) % 64, 0u);
  }
}

TEST(NpyTest, ColumnMajorIsReadAsRowMajor) {
  std::string data("\1\2\3\4\5\6", 6);

  ASSERT_OK_AND_ASSIGN(auto tensor,
                       Parse(File("{'descr': '|u1', 'fortran_order': True, "
                                  "'shape': (2, 3), }",
                                  data)));

  EXPECT_THAT(tensor, TensorEq(Of<uint8_t>({2, 3}, {1, 3, 5, 2, 4, 6})));
}

TEST(NpyTest, WrongFilesAreErrors) {
  std::string good = Npy(*Of<float>({2}, {1, 2}));
  auto header = [](const std::string& descr) {
    return "{'descr': " + descr + ", 'fortran_order': False, 'shape': (1,), }";
  };
  EXPECT_THAT(Parse(""), StatusIs(kInvalid, HasSubstr("begin")));
  EXPECT_THAT(Parse("PK\3\4 a zip file"), StatusIs(kInvalid, HasSubstr("npy")));
  EXPECT_THAT(Parse(good.substr(0, 40)), StatusIs(kInvalid, HasSubstr("cut")));
  EXPECT_THAT(Parse(good.substr(0, good.size() - 1)),
              StatusIs(kInvalid, HasSubstr("cut")));
  EXPECT_THAT(Parse(good + "x"), StatusIs(kInvalid, HasSubstr("after")));
  EXPECT_THAT(Parse(File(header("'>f4'"), "abcd")),
              StatusIs(kInvalid, HasSubstr("'>f4'")));
  EXPECT_THAT(Parse(File(header("[('a', '<f4')]"), "abcd")),
              StatusIs(kInvalid, HasSubstr("records")));
  EXPECT_THAT(Parse(File(header("'|b1'"), "\x07")),
              StatusIs(kInvalid, HasSubstr("neither")));
}

}  // namespace
}  // namespace varkeep::cli
