// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_CLIENT_INTERNAL_TENSOR_RECEIVER_H_
#define VARKEEP_CLIENT_INTERNAL_TENSOR_RECEIVER_H_

#include <google/protobuf/io/zero_copy_stream.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "proto/tensor_header.h"
#include "tensor/tensor.h"
#include "tensor/tensor_slab.h"

namespace google::protobuf::io {
class CodedInputStream;
}

namespace varkeep::client {

// INVALID_ARGUMENT: what the caller wants to read into has another size.
absl::Status OtherSize(absl::string_view name, int64_t value_bytes,
                       size_t memory_bytes);

// Rebuilds tensors from the messages of a ReadValuesResponse stream. Each value
// has its memory when its header arrives, and its bytes are copied once, from
// the network's buffers. A stream that does not keep its word is an error:
// INTERNAL when it says wrong things, DATA_LOSS when it ends early. One thread
// only.
class TensorReceiver {
 public:
  struct Value {
    std::shared_ptr<Tensor> tensor;  // null: not modified, or read into memory
    uint64_t version = 0;
    bool not_modified = false;
  };
  // Called with bytes that arrived and bytes expected so far.
  using Progress = std::function<void(int64_t, int64_t)>;

  // Values of these names in this order, which must live longer. `into`: memory
  // of the caller for the one value; INVALID_ARGUMENT when its size is another.
  explicit TensorReceiver(
      std::vector<absl::string_view> names,
      std::optional<std::span<std::byte>> into = std::nullopt,
      Progress progress = nullptr);

  // The next message.
  absl::Status Accept(google::protobuf::io::ZeroCopyInputStream* message);

  // What a ReadAgainResponse leaves out: of each value, in order.
  struct Type {
    DType dtype;
    Shape shape;
  };
  // Of the values that came.
  std::vector<Type> Types() const;
  // A ReadAgainResponse instead of all messages.
  absl::Status AcceptAgain(google::protobuf::io::ZeroCopyInputStream* message,
                           const std::vector<Type>& types);

  // After the last message: all values.
  absl::StatusOr<std::vector<Value>> Finish();
  uint64_t revision() const { return revision_; }

 private:
  using Input = google::protobuf::io::CodedInputStream;
  absl::Status AcceptField(Input* input, uint32_t tag);
  absl::Status AcceptHeader(const TensorHeader& header);
  absl::Status AcceptFieldAgain(Input* input, uint32_t tag);
  absl::Status AcceptVersions(Input* input, uint32_t size);
  absl::Status AcceptData(Input* input, uint32_t size);

  const std::vector<absl::string_view> names_;
  const std::optional<std::span<std::byte>> into_;
  const Progress progress_;
  TensorSlab slab_;
  std::vector<Value> values_;
  std::vector<std::span<std::byte>> memory_;  // of each value
  size_t current_ = 0;                        // the value being filled
  size_t filled_ = 0;                         // bytes of it that are there
  uint64_t revision_ = 0;
  std::string scratch_;  // a header that came in pieces
  int64_t arrived_bytes_ = 0;
  int64_t expected_bytes_ = 0;
};

}  // namespace varkeep::client

#endif  // VARKEEP_CLIENT_INTERNAL_TENSOR_RECEIVER_H_
