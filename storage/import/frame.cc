// SPDX-License-Identifier: Apache-2.0
#include "storage/import/frame.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/crc32c.h"
#include "base/status_macros.h"

namespace varkeep::storage {
namespace {

using Kind = ImportFrame::Kind;

constexpr size_t kMaxErrorBytes = 8192;

std::span<const std::byte> BytesOf(absl::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

template <typename T>
void Append(T value, std::string* out) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  out->append(bytes, sizeof(T));
}

// The frame of a kind with what follows it.
class Payload {
 public:
  explicit Payload(Kind kind) : frame_(kFrameHeaderBytes, '\0') {
    Add(static_cast<uint8_t>(kind));
  }
  template <typename T>
  Payload& Add(T value) {
    Append(value, &frame_);
    return *this;
  }
  Payload& Add(absl::string_view text) {
    frame_.append(text.data(), text.size());
    return *this;
  }
  std::string Frame() && {
    const absl::string_view payload =
        absl::string_view(frame_).substr(kFrameHeaderBytes);
    const auto size = static_cast<uint32_t>(payload.size());
    const uint32_t crc = Crc32c(BytesOf(payload));
    std::memcpy(frame_.data(), &size, sizeof(size));
    std::memcpy(frame_.data() + sizeof(size), &crc, sizeof(crc));
    return std::move(frame_);
  }

 private:
  std::string frame_;
};

absl::Status Bad(absl::string_view what) {
  return absl::DataLossError(
      absl::StrCat("the program that reads the file sent ", what));
}

// Takes values from the front of a payload; `ok` turns false when it ends.
struct Cursor {
  std::span<const std::byte> rest;
  bool ok = true;

  template <typename T>
  T Take() {
    T value{};
    if (rest.size() < sizeof(T)) {
      ok = false;
      return value;
    }
    std::memcpy(&value, rest.data(), sizeof(T));
    rest = rest.subspan(sizeof(T));
    return value;
  }
  std::string TakeRest() {
    std::string text(reinterpret_cast<const char*>(rest.data()), rest.size());
    rest = {};
    return text;
  }
};

absl::Status TakeTensor(Cursor* cursor, ImportFrame* frame) {
  const auto dtype = cursor->Take<uint8_t>();
  const auto rank = cursor->Take<uint8_t>();
  if (!cursor->ok || rank > Shape::kMaxRank ||
      std::find(std::begin(kAllDTypes), std::end(kAllDTypes),
                static_cast<DType>(dtype)) == std::end(kAllDTypes)) {
    return Bad("a tensor without dtype and rank");
  }
  frame->dtype = static_cast<DType>(dtype);
  std::array<int64_t, Shape::kMaxRank> dims{};
  for (size_t i = 0; i < rank; ++i) dims[i] = cursor->Take<int64_t>();
  auto shape = Shape::Create(std::span(dims).first(rank));
  if (!shape.ok()) return Bad("a tensor without a shape");
  frame->shape = *std::move(shape);
  frame->path = cursor->TakeRest();
  return absl::OkStatus();
}

absl::Status TakeError(Cursor* cursor, ImportFrame* frame) {
  const auto code = cursor->Take<uint8_t>();
  if (code == 0 || code > static_cast<uint8_t>(absl::StatusCode::kDataLoss)) {
    return Bad("an error without a code");
  }
  frame->error =
      absl::Status(static_cast<absl::StatusCode>(code), cursor->TakeRest());
  return absl::OkStatus();
}

absl::StatusOr<ImportFrame> Decode(std::span<const std::byte> payload) {
  Cursor cursor{payload};
  ImportFrame frame;
  frame.kind = static_cast<Kind>(cursor.Take<uint8_t>());
  switch (frame.kind) {
    case Kind::kBegin:
      frame.datasets = cursor.Take<int64_t>();
      frame.value_bytes = cursor.Take<int64_t>();
      break;
    case Kind::kTensor:
      RETURN_IF_ERROR(TakeTensor(&cursor, &frame));
      break;
    case Kind::kBytes:
      frame.bytes = std::exchange(cursor.rest, {});
      break;
    case Kind::kNoValue:
      frame.path = cursor.TakeRest();
      break;
    case Kind::kEnd:
      break;
    case Kind::kError:
      RETURN_IF_ERROR(TakeError(&cursor, &frame));
      break;
    default:
      return Bad("a frame of unknown kind");
  }
  if (!cursor.ok || !cursor.rest.empty()) {
    return Bad("a frame of the wrong size");
  }
  return frame;
}

}  // namespace

std::string EncodeBegin(int64_t datasets, int64_t value_bytes) {
  Payload payload(Kind::kBegin);
  payload.Add(datasets).Add(value_bytes);
  return std::move(payload).Frame();
}

std::string EncodeTensor(absl::string_view path, DType dtype,
                         const Shape& shape) {
  Payload payload(Kind::kTensor);
  payload.Add(static_cast<uint8_t>(dtype));
  payload.Add(static_cast<uint8_t>(shape.rank()));
  for (int64_t dim : shape.dims()) payload.Add(dim);
  payload.Add(path);
  return std::move(payload).Frame();
}

std::string EncodeBytes(std::span<const std::byte> bytes) {
  Payload payload(Kind::kBytes);
  payload.Add(absl::string_view(reinterpret_cast<const char*>(bytes.data()),
                                bytes.size()));
  return std::move(payload).Frame();
}

std::string EncodeNoValue(absl::string_view path) {
  Payload payload(Kind::kNoValue);
  payload.Add(path);
  return std::move(payload).Frame();
}

std::string EncodeEnd() { return Payload(Kind::kEnd).Frame(); }

std::string EncodeError(const absl::Status& error) {
  Payload payload(Kind::kError);
  payload.Add(static_cast<uint8_t>(error.code()))
      .Add(error.message().substr(0, kMaxErrorBytes));
  return std::move(payload).Frame();
}

std::span<std::byte> FrameDecoder::Room() {
  std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_),
            buffer_.begin() + static_cast<std::ptrdiff_t>(end_),
            buffer_.begin());
  end_ -= std::exchange(begin_, 0);
  return std::span(buffer_).subspan(end_);
}

absl::StatusOr<std::optional<ImportFrame>> FrameDecoder::Next() {
  const auto there = std::span(buffer_).subspan(begin_, end_ - begin_);
  if (there.size() < kFrameHeaderBytes) return std::nullopt;
  uint32_t size = 0;
  uint32_t crc = 0;
  std::memcpy(&size, there.data(), sizeof(size));
  std::memcpy(&crc, there.data() + sizeof(size), sizeof(crc));
  if (size == 0 || size > kMaxFrameBytes - kFrameHeaderBytes) {
    return Bad("what is no frame");
  }
  if (there.size() < kFrameHeaderBytes + size) return std::nullopt;
  const auto payload = there.subspan(kFrameHeaderBytes, size);
  if (Crc32c(payload) != crc) return Bad("a frame with another checksum");
  begin_ += kFrameHeaderBytes + size;
  ASSIGN_OR_RETURN(ImportFrame frame, Decode(payload));
  return frame;
}

}  // namespace varkeep::storage
