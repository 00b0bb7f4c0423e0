// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_PROTO_TENSOR_HEADER_H_
#define VARKEEP_PROTO_TENSOR_HEADER_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace varkeep {

// v1::TensorHeader without a message: a call may carry a thousand of them, each
// of a value smaller than its header.
struct TensorHeader {
  absl::string_view name;  // refers to what was decoded
  DType dtype = DType::kFloat32;
  Shape shape;
  uint64_t version = 0;
  uint64_t size_bytes = 0;
  bool not_modified = false;
};

// Appends what protobuf would write for it.
void AppendTensorHeader(const TensorHeader& header, std::string* out);

// Decodes what protobuf takes for a TensorHeader, and some that it does not:
// that the name is UTF-8 is not checked. INVALID_ARGUMENT for bytes that are no
// message, an unknown dtype and an impossible shape. REQUIRES: *header is as
// made.
absl::Status ParseTensorHeader(absl::string_view encoded, TensorHeader* header);

}  // namespace varkeep

#endif  // VARKEEP_PROTO_TENSOR_HEADER_H_
