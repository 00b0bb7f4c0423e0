// SPDX-License-Identifier: Apache-2.0
#include "server/service/read_stream.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "proto/tensor_codec.h"
#include "tests/testing/tensors.h"
#include "varkeep/v1/variable_service.pb.h"

namespace varkeep {
namespace {

std::string Flatten(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  EXPECT_TRUE(buffer.Dump(&slices).ok());
  std::string bytes;
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

std::vector<std::string> Messages(std::vector<ReadStream::Item> items) {
  ReadStream stream(7, std::move(items));
  std::vector<std::string> messages;
  grpc::ByteBuffer message;
  while (!stream.AtEnd()) {
    EXPECT_TRUE(stream.Next(&message));
    messages.push_back(Flatten(message));
  }
  EXPECT_FALSE(stream.Next(&message));
  return messages;
}

ReadStream::Item Item(const std::string& name, int64_t elements,
                      float first = 1) {
  std::vector<float> values(static_cast<size_t>(elements));
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = first + static_cast<float>(i);
  }
  return {{Of<float>({elements}, values), 5, name}, false};
}

TEST(ReadStreamTest, WhatIsSentIsWhatProtobufWouldWrite) {
  for (int64_t elements : {0, 1, 5, 300, 5000, 3000000}) {
    for (const std::string& bytes :
         Messages({Item("a", elements), Item("b/c", 3)})) {
      v1::ReadValuesResponse message;
      ASSERT_TRUE(message.ParseFromString(bytes));
      EXPECT_EQ(message.SerializeAsString(), bytes);
    }
  }
}

TEST(ReadStreamTest, EveryMessageFitsIntoTheDefaultLimit) {
  std::vector<std::string> messages = Messages({Item("a", 5000000)});
  EXPECT_EQ(messages.size(), 5u);
  for (const std::string& message : messages) {
    EXPECT_LT(message.size(), size_t{4} << 20);
  }
}

TEST(ReadStreamTest, DataJoinedIsTheValuesInOrder) {
  std::vector<ReadStream::Item> items;
  std::string expected;
  for (int i = 0; i < 3000; ++i) {
    items.push_back(
        Item("v" + std::to_string(i), i % 700, static_cast<float>(i)));
    const auto bytes = items.back().value.value->bytes();
    expected.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  std::string joined;
  uint64_t announced = 0;
  int headers = 0;
  for (const std::string& bytes : Messages(std::move(items))) {
    v1::ReadValuesResponse message;
    ASSERT_TRUE(message.ParseFromString(bytes));
    for (const auto& header : message.headers()) {
      EXPECT_EQ(header.name(), "v" + std::to_string(headers++));
      announced += header.size_bytes();
    }
    joined += message.data();
    EXPECT_LE(joined.size(), announced) << "data before its header";
  }
  EXPECT_EQ(headers, 3000);
  EXPECT_TRUE(joined == expected);
}

TEST(ReadStreamTest, WhatAnOverlayHasIsSentInItsPlace) {
  std::atomic<int64_t> memory = 0;
  ReadStream::Item item = Item("a", 3'000'000);
  const auto overlay = std::make_shared<TensorOverlay>(&memory);
  // A page and a bit, a single byte, and the end, where a page is not full.
  const int64_t size = item.value.value->size_bytes();
  for (auto [offset, length] : {std::pair<int64_t, int64_t>{9000, 5000},
                                {5'000'000, 1},
                                {size - 9, 9}}) {
    overlay->Cover(*item.value.value, offset, length);
    for (int64_t i = offset; i < offset + length; ++i) {
      overlay->Covered(i, 1)[0] = std::byte{77};
    }
  }
  item.value.overlay = overlay;
  const std::shared_ptr<Tensor> whole = *item.value.view().Copy();

  std::string joined;
  for (const std::string& bytes : Messages({std::move(item)})) {
    v1::ReadValuesResponse message;
    ASSERT_TRUE(message.ParseFromString(bytes));
    EXPECT_EQ(message.SerializeAsString(), bytes);
    joined += message.data();
  }
  EXPECT_TRUE(joined == std::string_view(reinterpret_cast<const char*>(
                                             whole->bytes().data()),
                                         whole->bytes().size()));
}

TEST(ReadStreamTest, NoValuesAreOneMessageWithTheRevision) {
  std::vector<std::string> messages = Messages({});
  ASSERT_EQ(messages.size(), 1u);
  v1::ReadValuesResponse message;
  ASSERT_TRUE(message.ParseFromString(messages[0]));
  EXPECT_EQ(message.revision(), 7u);
}

TEST(ReadStreamTest, NotModifiedSendsNoBytes) {
  ReadStream::Item item = Item("a", 100);
  item.not_modified = true;
  std::vector<std::string> messages = Messages({item});
  ASSERT_EQ(messages.size(), 1u);
  v1::ReadValuesResponse message;
  ASSERT_TRUE(message.ParseFromString(messages[0]));
  EXPECT_TRUE(message.headers(0).not_modified());
  EXPECT_EQ(message.headers(0).version(), 5u);
  EXPECT_EQ(message.data(), "");
}

TEST(ReadStreamTest, AMessageKeepsItsTensorAlive) {
  grpc::ByteBuffer message;
  std::weak_ptr<const Tensor> watched;
  {
    ReadStream::Item item = Item("a", 100000);
    watched = item.value.value;
    ReadStream stream(1, {item});
    ASSERT_TRUE(stream.Next(&message));
  }
  EXPECT_FALSE(watched.expired());
  message.Clear();
  EXPECT_TRUE(watched.expired());
}

}  // namespace
}  // namespace varkeep
