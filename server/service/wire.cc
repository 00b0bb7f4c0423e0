// SPDX-License-Identifier: Apache-2.0
#include "server/service/wire.h"

#include <google/protobuf/io/coded_stream.h>

#include <memory>
#include <utility>

namespace varkeep {

void AppendField(uint32_t tag, uint64_t number, std::string* out) {
  using google::protobuf::io::CodedOutputStream;
  uint8_t start[16];
  uint8_t* end = CodedOutputStream::WriteVarint32ToArray(tag, start);
  end = CodedOutputStream::WriteVarint64ToArray(number, end);
  out->append(reinterpret_cast<const char*>(start),
              static_cast<size_t>(end - start));
}

grpc::Slice Borrow(const VersionedValue& value,
                   std::span<const std::byte> bytes) {
  struct Holder {
    TensorRef tensor;
    std::shared_ptr<const TensorOverlay> overlay;
  };
  auto* holder = new Holder{value.value, value.overlay};
  // gRPC only reads the bytes.
  return grpc::Slice(
      const_cast<std::byte*>(bytes.data()), bytes.size(),
      [](void* user) { delete static_cast<Holder*>(user); }, holder);
}

grpc::Slice Own(std::string bytes) {
  auto* holder = new std::string(std::move(bytes));
  return grpc::Slice(
      holder->data(), holder->size(),
      [](void* user) { delete static_cast<std::string*>(user); }, holder);
}

}  // namespace varkeep
