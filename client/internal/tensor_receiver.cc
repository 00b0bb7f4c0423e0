// SPDX-License-Identifier: Apache-2.0
#include "client/internal/tensor_receiver.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <algorithm>
#include <climits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "varkeep/v1/call_service.pb.h"

namespace varkeep::client {
namespace {

using google::protobuf::internal::WireFormatLite;
using Response = v1::ReadValuesResponse;

constexpr uint32_t kRevisionTag = Response::kRevisionFieldNumber << 3;
constexpr uint32_t kHeaderTag = (Response::kHeadersFieldNumber << 3) | 2;
constexpr uint32_t kDataTag = (Response::kDataFieldNumber << 3) | 2;

using Again = v1::ReadAgainResponse;
constexpr uint32_t kAgainRevisionTag = Again::kRevisionFieldNumber << 3;
constexpr uint32_t kAgainVersionsTag = (Again::kVersionsFieldNumber << 3) | 2;
constexpr uint32_t kAgainDataTag = (Again::kDataFieldNumber << 3) | 2;

absl::Status Malformed() {
  return absl::InternalError("a message of the stream cannot be decoded");
}

// The next bytes, where they are if they are in one piece, else in `scratch`.
bool ReadBytes(google::protobuf::io::CodedInputStream* input, uint32_t size,
               std::string* scratch, absl::string_view* out) {
  const void* data = nullptr;
  int available = 0;
  if (size > 0 && input->GetDirectBufferPointer(&data, &available) &&
      static_cast<uint32_t>(available) >= size) {
    *out = {static_cast<const char*>(data), size};
    return input->Skip(static_cast<int>(size));
  }
  if (!input->ReadString(scratch, static_cast<int>(size))) return false;
  *out = *scratch;
  return true;
}

}  // namespace

absl::Status OtherSize(absl::string_view name, int64_t value_bytes,
                       size_t memory_bytes) {
  return absl::InvalidArgumentError(
      absl::StrCat("the value of '", name, "' has ", value_bytes,
                   " bytes, the memory to read into has ", memory_bytes));
}

TensorReceiver::TensorReceiver(std::vector<absl::string_view> names,
                               std::optional<std::span<std::byte>> into,
                               Progress progress)
    : names_(std::move(names)), into_(into), progress_(std::move(progress)) {
  values_.reserve(names_.size());
  memory_.reserve(names_.size());
}

absl::Status TensorReceiver::Accept(
    google::protobuf::io::ZeroCopyInputStream* message) {
  google::protobuf::io::CodedInputStream input(message);
  while (uint32_t tag = input.ReadTag()) {
    RETURN_IF_ERROR(AcceptField(&input, tag));
  }
  if (!input.ConsumedEntireMessage()) return Malformed();
  if (progress_) progress_(arrived_bytes_, expected_bytes_);
  return absl::OkStatus();
}

absl::Status TensorReceiver::AcceptField(Input* input, uint32_t tag) {
  if (tag == kRevisionTag) {
    return input->ReadVarint64(&revision_) ? absl::OkStatus() : Malformed();
  }
  if (tag != kHeaderTag && tag != kDataTag) {  // of a newer server
    return WireFormatLite::SkipField(input, tag) ? absl::OkStatus()
                                                 : Malformed();
  }
  uint32_t size = 0;
  if (!input->ReadVarint32(&size) || size > INT_MAX) return Malformed();
  if (tag == kDataTag) return AcceptData(input, size);
  absl::string_view encoded;
  if (!ReadBytes(input, size, &scratch_, &encoded)) return Malformed();
  TensorHeader header;
  absl::Status parsed = ParseTensorHeader(encoded, &header);
  if (!parsed.ok()) {
    return absl::InternalError(absl::StrCat("the stream describes '",
                                            header.name,
                                            "' wrongly: ", parsed.message()));
  }
  return AcceptHeader(header);
}

absl::Status TensorReceiver::AcceptHeader(const TensorHeader& header) {
  size_t index = values_.size();
  if (index >= names_.size() || header.name != names_[index]) {
    return absl::InternalError(absl::StrCat(
        "the stream has a value of '", header.name, "' where ",
        index < names_.size() ? absl::StrCat("'", names_[index], "'") : "none",
        " was asked for"));
  }
  Value value{.tensor = nullptr,
              .version = header.version,
              .not_modified = header.not_modified};
  absl::StatusOr<int64_t> size = SizeBytes(header.dtype, header.shape);
  if (value.not_modified && size.ok()) size = 0;
  if (!size.ok() || static_cast<uint64_t>(*size) != header.size_bytes) {
    return absl::InternalError(
        absl::StrCat("the stream declares ", header.size_bytes, " bytes for '",
                     header.name, "', which its dtype and shape do not have"));
  }
  std::span<std::byte> memory;
  if (into_ && !value.not_modified) {
    if (into_->size() != static_cast<size_t>(*size)) {
      return OtherSize(header.name, *size, into_->size());
    }
    memory = *into_;
  } else if (!value.not_modified) {
    ASSIGN_OR_RETURN(value.tensor, slab_.Create(header.dtype, header.shape));
    memory = value.tensor->mutable_bytes();
  }
  expected_bytes_ += *size;
  values_.push_back(std::move(value));
  memory_.push_back(memory);
  return absl::OkStatus();
}

absl::Status TensorReceiver::AcceptData(Input* input, uint32_t size) {
  while (size > 0) {
    while (current_ < memory_.size() && filled_ == memory_[current_].size()) {
      ++current_;
      filled_ = 0;
    }
    if (current_ == memory_.size()) {
      return absl::InternalError(
          "the stream has more bytes than its headers declare");
    }
    std::span<std::byte> rest = memory_[current_].subspan(filled_);
    size_t count = std::min<size_t>(size, rest.size());
    if (!input->ReadRaw(rest.data(), static_cast<int>(count))) {
      return Malformed();
    }
    filled_ += count;
    size -= static_cast<uint32_t>(count);
    arrived_bytes_ += static_cast<int64_t>(count);
  }
  return absl::OkStatus();
}

std::vector<TensorReceiver::Type> TensorReceiver::Types() const {
  std::vector<Type> types;
  types.reserve(values_.size());
  for (const Value& value : values_) {
    if (value.tensor == nullptr) continue;
    types.push_back({value.tensor->dtype(), value.tensor->shape()});
  }
  return types;
}

absl::Status TensorReceiver::AcceptAgain(
    google::protobuf::io::ZeroCopyInputStream* message,
    const std::vector<Type>& types) {
  if (types.size() != names_.size()) return Malformed();
  for (const Type& type : types) {
    Value value;
    ASSIGN_OR_RETURN(value.tensor, slab_.Create(type.dtype, type.shape));
    expected_bytes_ += value.tensor->size_bytes();
    memory_.push_back(value.tensor->mutable_bytes());
    values_.push_back(std::move(value));
  }
  Input input(message);
  while (uint32_t tag = input.ReadTag()) {
    RETURN_IF_ERROR(AcceptFieldAgain(&input, tag));
  }
  if (!input.ConsumedEntireMessage()) return Malformed();
  if (!values_.empty() && values_.back().version == 0) {
    return absl::InternalError("the stream has no versions");
  }
  return absl::OkStatus();
}

absl::Status TensorReceiver::AcceptFieldAgain(Input* input, uint32_t tag) {
  if (tag == kAgainRevisionTag) {
    return input->ReadVarint64(&revision_) ? absl::OkStatus() : Malformed();
  }
  if (tag != kAgainVersionsTag && tag != kAgainDataTag) {  // of a newer server
    return WireFormatLite::SkipField(input, tag) ? absl::OkStatus()
                                                 : Malformed();
  }
  uint32_t size = 0;
  if (!input->ReadVarint32(&size) || size > INT_MAX) return Malformed();
  return tag == kAgainDataTag ? AcceptData(input, size)
                              : AcceptVersions(input, size);
}

absl::Status TensorReceiver::AcceptVersions(Input* input, uint32_t size) {
  std::vector<uint64_t> versions(values_.size());
  if (size != versions.size() * sizeof(uint64_t)) {
    return absl::InternalError(absl::StrCat("the stream has versions of ", size,
                                            " bytes for ", values_.size(),
                                            " values"));
  }
  if (!input->ReadRaw(versions.data(), static_cast<int>(size))) {
    return Malformed();
  }
  for (size_t i = 0; i < versions.size(); ++i) values_[i].version = versions[i];
  return absl::OkStatus();
}

absl::StatusOr<std::vector<TensorReceiver::Value>> TensorReceiver::Finish() {
  if (values_.size() != names_.size() || arrived_bytes_ != expected_bytes_) {
    return absl::DataLossError(absl::StrCat(
        "the stream ended after ", values_.size(), " of ", names_.size(),
        " values and ", arrived_bytes_, " of ", expected_bytes_, " bytes"));
  }
  return std::move(values_);
}

}  // namespace varkeep::client
