// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_IMPORT_FRAME_H_
#define VARKEEP_STORAGE_IMPORT_FRAME_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace varkeep::storage {

// What the program that reads a foreign file says to the one that started it,
// through a pipe: kBegin, then for each dataset kNoValue, or kTensor and kBytes
// until all its bytes are there, then kEnd. Instead of any of it, kError.
//
// A frame is: 4 bytes size of the payload, 4 bytes its CRC-32C, the payload,
// whose first byte is the kind. Little-endian.
struct ImportFrame {
  enum class Kind : uint8_t {
    kBegin = 1,
    kTensor = 2,
    kBytes = 3,
    kNoValue = 4,
    kEnd = 5,
    kError = 6,
  };
  Kind kind = Kind::kEnd;
  int64_t datasets = 0;     // kBegin
  int64_t value_bytes = 0;  // kBegin: of all of them
  std::string path;         // kTensor, kNoValue; as it came
  DType dtype = DType::kFloat32;
  Shape shape;
  std::span<const std::byte> bytes;  // kBytes; until the next call
  absl::Status error;                // kError; its message as it came
};

inline constexpr size_t kFrameHeaderBytes = 8;
inline constexpr size_t kMaxFrameValueBytes = size_t{1} << 20;
inline constexpr size_t kMaxFrameBytes =
    kFrameHeaderBytes + kMaxFrameValueBytes + 128;

std::string EncodeBegin(int64_t datasets, int64_t value_bytes);
std::string EncodeTensor(absl::string_view path, DType dtype,
                         const Shape& shape);
// REQUIRES: at most kMaxFrameValueBytes.
std::string EncodeBytes(std::span<const std::byte> bytes);
std::string EncodeNoValue(absl::string_view path);
std::string EncodeEnd();
std::string EncodeError(const absl::Status& error);

// Takes frames out of a stream of bytes that may be anything.
class FrameDecoder {
 public:
  FrameDecoder() : buffer_(kMaxFrameBytes) {}

  // Where the next bytes of the stream are to be put; not empty after Next()
  // gave nothing.
  std::span<std::byte> Room();
  // As many bytes of Room() were filled.
  void Received(size_t count) { end_ += count; }

  // The next frame; nothing: more bytes are needed. DATA_LOSS when the stream
  // has something else; not to be used after that.
  absl::StatusOr<std::optional<ImportFrame>> Next();

 private:
  std::vector<std::byte> buffer_;
  size_t begin_ = 0;
  size_t end_ = 0;
};

}  // namespace varkeep::storage

#endif  // VARKEEP_STORAGE_IMPORT_FRAME_H_
