// SPDX-License-Identifier: Apache-2.0
#include "proto/tensor_header.h"

#include <gmock/gmock.h>
#include <google/protobuf/stubs/logging.h>

#include <random>
#include <string>
#include <vector>

#include "proto/tensor_codec.h"
#include "tests/testing/status_matchers.h"
#include "varkeep/v1/tensor.pb.h"

namespace varkeep {
namespace {

v1::TensorHeader MessageOf(const TensorHeader& header) {
  v1::TensorHeader message;
  message.set_name(std::string(header.name));
  message.set_dtype(DTypeToProto(header.dtype));
  ShapeToProto(header.shape, message.mutable_shape());
  message.set_version(header.version);
  message.set_size_bytes(header.size_bytes);
  message.set_not_modified(header.not_modified);
  return message;
}

std::vector<TensorHeader> Samples() {
  return {
      {},
      {.name = "a",
       .dtype = DType::kBool,
       .shape = Shape({}),
       .version = 1,
       .size_bytes = 1,
       .not_modified = false},
      {.name = "",
       .dtype = DType::kFloat64,
       .shape = Shape({0}),
       .version = 0,
       .size_bytes = 0,
       .not_modified = true},
      {.name = "scope/variable_with_a_longer_name_than_a_varint_of_one_byte_can"
               "_say_the_length_of_so_that_it_takes_two_of_them_which_is_why_it"
               "_is_this_long",
       .dtype = DType::kInt64,
       .shape = Shape({1, 127, 128, 16384, 1, 1, 1, 3}),
       .version = ~uint64_t{0},
       .size_bytes = uint64_t{1} << 62,
       .not_modified = true},
      {.name = "\xC3\xA9t\xC3\xA9",
       .dtype = DType::kUint8,
       .shape = Shape({int64_t{1} << 62}),
       .version = uint64_t{1} << 35,
       .size_bytes = 300,
       .not_modified = false},
  };
}

void ExpectSame(const TensorHeader& a, const TensorHeader& b) {
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.dtype, b.dtype);
  EXPECT_EQ(a.shape, b.shape);
  EXPECT_EQ(a.version, b.version);
  EXPECT_EQ(a.size_bytes, b.size_bytes);
  EXPECT_EQ(a.not_modified, b.not_modified);
}

// Refers to the message's name.
TensorHeader HeaderOf(const v1::TensorHeader& message) {
  return {.name = message.name(),
          .dtype = *DTypeFromProto(message.dtype()),
          .shape = *ShapeFromProto(message.shape()),
          .version = message.version(),
          .size_bytes = message.size_bytes(),
          .not_modified = message.not_modified()};
}

TEST(TensorHeaderTest, IsWrittenAsProtobufWritesIt) {
  for (const TensorHeader& header : Samples()) {
    std::string encoded = "before";
    AppendTensorHeader(header, &encoded);
    EXPECT_EQ(encoded, "before" + MessageOf(header).SerializeAsString());
  }
}

TEST(TensorHeaderTest, ReadsWhatProtobufWrites) {
  for (const TensorHeader& header : Samples()) {
    const std::string encoded = MessageOf(header).SerializeAsString();
    TensorHeader read;
    ASSERT_OK(ParseTensorHeader(encoded, &read));
    ExpectSame(read, header);
  }
}

// Another encoder may write dimensions one by one, a shape in parts, a field
// twice, and fields that came later.
TEST(TensorHeaderTest, ReadsOtherEncodings) {
  const std::string encoded(
      "\x10\x03"                  // dtype, given again below
      "\x1A\x04\x08\x02\x08\x03"  // shape: dims 2, 3, not packed
      "\x0A\x01x"                 // name
      "\x1A\x03\x0A\x01\x05"      // more of the shape: dim 5
      "\xFA\x3E\x02zz"            // field 1007, a text
      "\x10\x01"                  // dtype
      "\x30\x02");                // not_modified
  v1::TensorHeader message;
  ASSERT_TRUE(message.ParseFromString(encoded));
  TensorHeader read;
  ASSERT_OK(ParseTensorHeader(encoded, &read));
  EXPECT_EQ(read.shape, Shape({2, 3, 5}));
  EXPECT_TRUE(read.not_modified);
  ExpectSame(read, HeaderOf(message));
}

TEST(TensorHeaderTest, RefusesUnknownDTypesAndImpossibleShapes) {
  const auto taken = [](const v1::TensorHeader& header) {
    TensorHeader read;
    return ParseTensorHeader(header.SerializeAsString(), &read).ok();
  };
  v1::TensorHeader message;
  EXPECT_FALSE(taken(message));  // no dtype
  message.set_dtype(static_cast<v1::DType>(1000));
  EXPECT_FALSE(taken(message));
  message.set_dtype(v1::DTYPE_FLOAT32);
  EXPECT_TRUE(taken(message));
  message.mutable_shape()->add_dims(-1);
  EXPECT_FALSE(taken(message));
}

// Bytes changed at random: what protobuf takes is taken for the same.
TEST(TensorHeaderTest, AgreesWithProtobufAboutDamagedBytes) {
  std::mt19937 random(1);
  const std::vector<TensorHeader> samples = Samples();
  google::protobuf::LogSilencer quiet;  // of names that are no UTF-8
  int taken = 0;
  for (int i = 0; i < 100'000; ++i) {
    const TensorHeader& sample = samples[1 + random() % (samples.size() - 1)];
    std::string bytes = MessageOf(sample).SerializeAsString();
    for (int n = static_cast<int>(random() % 3); n >= 0; --n) {
      // Not in the name: protobuf says a lot about what is not UTF-8.
      const size_t after_name =
          bytes.find(std::string(sample.name)) + sample.name.size();
      const size_t at = after_name + random() % (bytes.size() - after_name);
      bytes[at] = static_cast<char>(random());
    }
    if (random() % 4 == 0) bytes.resize(random() % bytes.size());
    v1::TensorHeader message;
    TensorHeader read;
    const bool read_ok = ParseTensorHeader(bytes, &read).ok();
    if (!message.ParseFromString(bytes) ||
        !DTypeFromProto(message.dtype()).ok() ||
        !ShapeFromProto(message.shape()).ok()) {
      continue;
    }
    ++taken;
    ASSERT_TRUE(read_ok) << message.ShortDebugString();
    ExpectSame(read, HeaderOf(message));
  }
  EXPECT_GT(taken, 10'000);
}

}  // namespace
}  // namespace varkeep
