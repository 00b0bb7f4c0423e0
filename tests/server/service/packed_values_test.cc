// SPDX-License-Identifier: Apache-2.0
#include "server/service/packed_values.h"

#include <grpcpp/support/byte_buffer.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <vector>

#include "tests/testing/tensors.h"
#include "varkeep/v1/call_service.pb.h"

namespace varkeep {
namespace {

std::string BytesOf(const Tensor& tensor) {
  return {reinterpret_cast<const char*>(tensor.bytes().data()),
          tensor.bytes().size()};
}

// Small and large ones in turn, one of them with rows that changed.
TEST(PackedValuesTest, IsTheMessageThatProtobufWouldWrite) {
  std::atomic<int64_t> memory = 0;
  StoredValue overlaid{Of<float>({50'000}, std::vector<float>(50'000, 1)),
                       std::make_shared<TensorOverlay>(&memory)};
  for (int64_t offset : {0, 100'000, 199'999}) {
    overlaid.overlay->Cover(*overlaid.tensor, offset, 1);
    overlaid.overlay->Covered(offset, 1)[0] = std::byte{77};
  }
  const std::vector<StoredValue> values = {
      {Of<float>({2}, {1, 2})},
      overlaid,
      {Of<float>({}, {3})},
      {Of<float>({0}, {})},
      {Of<float>({300}, std::vector<float>(300, 4))},
      {Of<float>({}, {5})}};
  std::string data;
  PackedValues packed(values.size(), 0);
  for (size_t i = 0; i < values.size(); ++i) {
    packed.Add(values[i], i + 1);
    const TensorView view(*values[i].tensor, values[i].overlay.get());
    data += BytesOf(**view.Copy());
  }

  std::vector<grpc::Slice> slices;
  ASSERT_TRUE(std::move(packed).Message(9).Dump(&slices).ok());
  std::string bytes;
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  v1::CallResponse message;
  ASSERT_TRUE(message.ParseFromString(bytes));
  EXPECT_EQ(message.SerializeAsString(), bytes);
  EXPECT_EQ(message.again().revision(), 9u);
  EXPECT_EQ(message.again().versions_size(), 6);
  EXPECT_EQ(message.again().versions(5), 6u);
  EXPECT_TRUE(message.again().data() == data);
}

}  // namespace
}  // namespace varkeep
