// SPDX-License-Identifier: Apache-2.0
//
// Streams that keep their word, and streams that do not.
#include "client/internal/tensor_receiver.h"

#include <gmock/gmock.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <gtest/gtest.h>

#include "tests/testing/status_matchers.h"
#include "tests/testing/tensors.h"
#include "varkeep/v1/call_service.pb.h"

namespace varkeep::client {
namespace {

using ::testing::HasSubstr;

constexpr absl::StatusCode kInternal = absl::StatusCode::kInternal;

v1::TensorHeader Header(const std::string& name, int64_t dim) {
  v1::TensorHeader header;
  header.set_name(name);
  header.set_dtype(v1::DTYPE_INT8);
  header.mutable_shape()->add_dims(dim);
  header.set_version(7);
  header.set_size_bytes(static_cast<uint64_t>(dim));
  return header;
}

v1::ReadValuesResponse Message(const std::vector<v1::TensorHeader>& headers,
                               const std::string& data) {
  v1::ReadValuesResponse message;
  for (const v1::TensorHeader& header : headers) {
    *message.add_headers() = header;
  }
  message.set_data(data);
  return message;
}

// `block`: the network's buffers are this small.
absl::Status Accept(TensorReceiver* receiver,
                    const v1::ReadValuesResponse& message, int block = 3) {
  std::string bytes = message.SerializeAsString();
  google::protobuf::io::ArrayInputStream input(
      bytes.data(), static_cast<int>(bytes.size()), block);
  return receiver->Accept(&input);
}

TEST(TensorReceiverTest, ValuesMayBeCutAnywhere) {
  TensorReceiver receiver({"a", "empty", "b"});
  v1::ReadValuesResponse first = Message({Header("a", 5)}, "\1\2");
  first.set_revision(9);

  ASSERT_OK(Accept(&receiver, first));
  ASSERT_OK(Accept(&receiver,
                   Message({Header("empty", 0), Header("b", 2)}, "\3\4\5\6")));
  ASSERT_OK(Accept(&receiver, Message({}, "\7")));
  ASSERT_OK_AND_ASSIGN(auto values, receiver.Finish());

  EXPECT_EQ(receiver.revision(), 9u);
  EXPECT_THAT(values[0].tensor, TensorEq(Of<int8_t>({5}, {1, 2, 3, 4, 5})));
  EXPECT_THAT(values[1].tensor, TensorEq(Of<int8_t>({0}, {})));
  EXPECT_THAT(values[2].tensor, TensorEq(Of<int8_t>({2}, {6, 7})));
  EXPECT_EQ(values[2].version, 7u);
}

TEST(TensorReceiverTest, NotModifiedHasNoBytes) {
  TensorReceiver receiver({"a"});
  v1::TensorHeader header = Header("a", 5);
  header.set_not_modified(true);
  header.set_size_bytes(0);

  ASSERT_OK(Accept(&receiver, Message({header}, "")));
  ASSERT_OK_AND_ASSIGN(auto values, receiver.Finish());

  EXPECT_TRUE(values[0].not_modified);
}

// Of int8 values of 2 and 3 bytes.
absl::Status AcceptAgain(TensorReceiver* receiver,
                         const v1::ReadAgainResponse& message) {
  const std::string bytes = message.SerializeAsString();
  google::protobuf::io::ArrayInputStream input(
      bytes.data(), static_cast<int>(bytes.size()), /*block_size=*/3);
  return receiver->AcceptAgain(
      &input, {{DType::kInt8, Shape({2})}, {DType::kInt8, Shape({3, 1})}});
}

TEST(TensorReceiverTest, TypesThatAreKnownNeedNoHeaders) {
  TensorReceiver receiver({"a", "b"});
  v1::ReadAgainResponse message;
  message.set_revision(9);
  message.add_versions(7);
  message.add_versions(uint64_t{1} << 40);
  message.set_data("\1\2\3\4\5");

  ASSERT_OK(AcceptAgain(&receiver, message));
  EXPECT_EQ(receiver.Types()[1].shape, Shape({3, 1}));
  ASSERT_OK_AND_ASSIGN(auto values, receiver.Finish());

  EXPECT_EQ(receiver.revision(), 9u);
  EXPECT_THAT(values[0].tensor, TensorEq(Of<int8_t>({2}, {1, 2})));
  EXPECT_THAT(values[1].tensor, TensorEq(Of<int8_t>({3, 1}, {3, 4, 5})));
  EXPECT_EQ(values[0].version, 7u);
  EXPECT_EQ(values[1].version, uint64_t{1} << 40);
}

TEST(TensorReceiverTest, AnAnswerWithoutHeadersKeepsItsWordToo) {
  v1::ReadAgainResponse fine;
  fine.add_versions(7);
  fine.add_versions(8);
  fine.set_data("\1\2\3\4\5");

  TensorReceiver one({"a"});
  EXPECT_EQ(AcceptAgain(&one, fine).code(), kInternal);
  v1::ReadAgainResponse wrong = fine;
  wrong.add_versions(9);
  TensorReceiver versions({"a", "b"});
  EXPECT_THAT(AcceptAgain(&versions, wrong),
              StatusIs(kInternal, HasSubstr("24 bytes for 2 values")));
  wrong = fine;
  wrong.clear_versions();
  TensorReceiver none({"a", "b"});
  EXPECT_THAT(AcceptAgain(&none, wrong),
              StatusIs(kInternal, HasSubstr("no versions")));
  wrong = fine;
  wrong.mutable_data()->push_back('\6');
  TensorReceiver longer({"a", "b"});
  EXPECT_THAT(AcceptAgain(&longer, wrong),
              StatusIs(kInternal, HasSubstr("more bytes")));
  wrong.mutable_data()->resize(4);
  TensorReceiver shorter({"a", "b"});
  ASSERT_OK(AcceptAgain(&shorter, wrong));
  EXPECT_THAT(shorter.Finish(),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("4 of 5 bytes")));
}

TEST(TensorReceiverTest, ShortStreamsAreDataLoss) {
  TensorReceiver cut({"a"});
  ASSERT_OK(Accept(&cut, Message({Header("a", 5)}, "\1\2")));
  EXPECT_THAT(cut.Finish(),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("2 of 5 bytes")));
  TensorReceiver nothing({"a"});
  EXPECT_THAT(nothing.Finish(), StatusIs(absl::StatusCode::kDataLoss,
                                         HasSubstr("0 of 1 values")));
}

TEST(TensorReceiverTest, LongStreamsAreErrors) {
  TensorReceiver receiver({"a"});
  EXPECT_THAT(Accept(&receiver, Message({Header("a", 2)}, "\1\2\3")),
              StatusIs(kInternal, HasSubstr("more bytes")));
  TensorReceiver early({"a"});
  EXPECT_THAT(Accept(&early, Message({}, "\1")),
              StatusIs(kInternal, HasSubstr("more bytes")));
  TensorReceiver twice({"a"});
  EXPECT_THAT(Accept(&twice, Message({Header("a", 0), Header("a", 0)}, "")),
              StatusIs(kInternal, HasSubstr("none was asked for")));
}

TEST(TensorReceiverTest, HeadersThatLieAreErrors) {
  v1::TensorHeader other = Header("b", 2);
  v1::TensorHeader size = Header("a", 2);
  size.set_size_bytes(3);
  v1::TensorHeader dtype = Header("a", 2);
  dtype.set_dtype(static_cast<v1::DType>(99));
  v1::TensorHeader shape = Header("a", -2);
  for (const v1::TensorHeader& header : {other, size, dtype, shape}) {
    TensorReceiver receiver({"a"});
    EXPECT_THAT(Accept(&receiver, Message({header}, "\1\2")),
                StatusIs(kInternal, HasSubstr("")))
        << header.ShortDebugString();
  }
}

TEST(TensorReceiverTest, BytesThatAreNoMessageAreErrors) {
  for (const std::string& bytes :
       {std::string("\x1a\x7f", 2), std::string("\x12\x02\xff\xff", 4),
        std::string("\xff\xff\xff", 3),
        std::string("\x1a\xff\xff\xff\xff\x0f")}) {
    TensorReceiver receiver({"a"});
    google::protobuf::io::ArrayInputStream input(
        bytes.data(), static_cast<int>(bytes.size()));
    EXPECT_THAT(receiver.Accept(&input), StatusIs(kInternal, HasSubstr("")));
  }
}

TEST(TensorReceiverTest, ReadsIntoTheCallersMemory) {
  std::vector<std::byte> memory(2);
  TensorReceiver receiver({"a"}, std::span<std::byte>(memory));
  ASSERT_OK(Accept(&receiver, Message({Header("a", 2)}, "\1\2")));
  EXPECT_OK(receiver.Finish());
  EXPECT_EQ(memory[1], std::byte{2});

  TensorReceiver wrong({"a"}, std::span<std::byte>(memory));
  EXPECT_THAT(
      Accept(&wrong, Message({Header("a", 3)}, "")),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("3 bytes")));
}

}  // namespace
}  // namespace varkeep::client
