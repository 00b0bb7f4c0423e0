// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>

#include "base/crc32c.h"
#include "storage/import/dataset_path.h"
#include "storage/import/frame.h"
#include "storage/import/import_stream.h"
#include "tests/fuzz/fuzz_targets.h"

namespace varkeep::storage {
namespace {

std::string FramesOf(std::span<const uint8_t> bytes) {
  std::string stream;
  while (bytes.size() >= 2) {
    const size_t wanted = bytes[0] + 256u * bytes[1];
    bytes = bytes.subspan(2);
    const auto payload = bytes.first(std::min(wanted, bytes.size()));
    const uint32_t head[2] = {static_cast<uint32_t>(payload.size()),
                              Crc32c(std::as_bytes(payload))};
    stream.append(reinterpret_cast<const char*>(head), sizeof(head));
    stream.append(payload.begin(), payload.end());
    bytes = bytes.subspan(payload.size());
  }
  return stream;
}

// Hands over everything there is; false when the stream ended in an error.
bool Drain(FrameDecoder* decoder, ImportStream* stream) {
  for (;;) {
    const absl::StatusOr<std::optional<ImportFrame>> frame = decoder->Next();
    if (!frame.ok()) return false;
    if (!frame->has_value()) return true;
    if (!stream->Handle(**frame).ok()) return false;
  }
}

}  // namespace

void ReadAnyFrames(std::span<const uint8_t> bytes) {
  ImportOptions options;
  options.limits.max_tensor_bytes = 1 << 20;
  options.limits.max_total_bytes = 4 << 20;
  int64_t datasets = 0;
  int64_t value_bytes = 0;
  const std::function<absl::Status(const ImportedDataset&)> visit =
      [&](const ImportedDataset& dataset) {
        if (!CheckDatasetPath(dataset.path).ok()) std::abort();
        ++datasets;
        if (dataset.value != nullptr)
          value_bytes += dataset.value->size_bytes();
        return absl::OkStatus();
      };
  ImportStream stream(options, 1 << 20, visit);
  FrameDecoder decoder;
  const std::string input = FramesOf(bytes);
  for (size_t at = 0; at < input.size() && Drain(&decoder, &stream);) {
    const std::span<std::byte> room = decoder.Room();
    const size_t count = std::min(room.size(), input.size() - at);
    std::memcpy(room.data(), input.data() + at, count);
    decoder.Received(count);
    at += count;
  }
  Drain(&decoder, &stream);
  if (stream.complete() && (stream.summary().datasets != datasets ||
                            stream.summary().value_bytes != value_bytes)) {
    std::abort();
  }
}

}  // namespace varkeep::storage
