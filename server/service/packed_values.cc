// SPDX-License-Identifier: Apache-2.0
#include "server/service/packed_values.h"

#include <algorithm>
#include <span>
#include <utility>

#include "server/service/wire.h"
#include "varkeep/v1/call_service.pb.h"

namespace varkeep {
namespace {

using Field = v1::ReadAgainResponse;
constexpr uint32_t kAgainTag =
    DelimitedTag(v1::CallResponse::kAgainFieldNumber);
constexpr uint32_t kRevisionTag = VarintTag(Field::kRevisionFieldNumber);
constexpr uint32_t kVersionsTag = DelimitedTag(Field::kVersionsFieldNumber);
constexpr uint32_t kDataTag = DelimitedTag(Field::kDataFieldNumber);

// Copying so many bytes costs less than holding the tensor does.
constexpr size_t kTinyBytes = 128;

}  // namespace

PackedValues::PackedValues(size_t count, size_t bytes) {
  versions_.reserve(count);
  copied_.reserve(std::min(bytes, count * kTinyBytes));
}

void PackedValues::Add(const StoredValue& value, Revision version) {
  const std::span<const std::byte> bytes = value.tensor->bytes();
  versions_.push_back(version);
  data_bytes_ += bytes.size();
  if (bytes.size() <= kTinyBytes && value.overlay == nullptr) {
    copied_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  } else {
    later_.push_back(
        {copied_.size(), {value.tensor, version, "", value.overlay}});
  }
}

grpc::ByteBuffer PackedValues::Message(Revision revision) && {
  std::string fields;
  if (revision != 0) AppendField(kRevisionTag, revision, &fields);
  const size_t version_bytes = versions_.size() * sizeof(Revision);
  fields.reserve(version_bytes + 64);
  AppendField(kVersionsTag, version_bytes, &fields);
  fields.append(reinterpret_cast<const char*>(versions_.data()), version_bytes);
  AppendField(kDataTag, data_bytes_, &fields);
  std::string head;
  AppendField(kAgainTag, fields.size() + data_bytes_, &head);
  std::vector<grpc::Slice> slices;
  slices.emplace_back(head);
  slices.push_back(Own(std::move(fields)));
  if (later_.empty()) {
    slices.push_back(Own(std::move(copied_)));
  } else {
    AddMixed(&slices);
  }
  return {slices.data(), slices.size()};
}

void PackedValues::AddMixed(std::vector<grpc::Slice>* slices) {
  std::string piece;  // small values in a row
  size_t done = 0;    // of copied_
  auto flush = [&] {
    if (!piece.empty()) slices->push_back(Own(std::exchange(piece, {})));
  };
  for (const auto& [at, value] : std::exchange(later_, {})) {
    piece.append(copied_, done, at - done);
    done = at;
    const int64_t size = value.value->size_bytes();
    for (int64_t sent = 0; sent < size;) {
      const std::span<const std::byte> run =
          value.view().Run(sent, size - sent);
      if (run.size() < kCopyBytes) {
        piece.append(reinterpret_cast<const char*>(run.data()), run.size());
      } else {
        flush();
        slices->push_back(Borrow(value, run));
      }
      sent += static_cast<int64_t>(run.size());
    }
  }
  piece.append(copied_, done);
  flush();
}

}  // namespace varkeep
