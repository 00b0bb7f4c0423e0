// SPDX-License-Identifier: Apache-2.0
#include "proto/tensor_header.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <array>
#include <climits>

#include "base/status_macros.h"
#include "proto/tensor_codec.h"
#include "varkeep/v1/tensor.pb.h"

namespace varkeep {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;
using google::protobuf::io::CodedOutputStream;
using Header = v1::TensorHeader;

constexpr uint32_t Varint(int field) {
  return static_cast<uint32_t>(field) << 3;
}
constexpr uint32_t Delimited(int field) { return Varint(field) | 2; }

constexpr uint32_t kNameTag = Delimited(Header::kNameFieldNumber);
constexpr uint32_t kDTypeTag = Varint(Header::kDtypeFieldNumber);
constexpr uint32_t kShapeTag = Delimited(Header::kShapeFieldNumber);
constexpr uint32_t kVersionTag = Varint(Header::kVersionFieldNumber);
constexpr uint32_t kSizeTag = Varint(Header::kSizeBytesFieldNumber);
constexpr uint32_t kNotModifiedTag = Varint(Header::kNotModifiedFieldNumber);
constexpr uint32_t kDimsTag = Delimited(v1::Shape::kDimsFieldNumber);
constexpr uint32_t kDimTag = Varint(v1::Shape::kDimsFieldNumber);

absl::Status Malformed() {
  return absl::InvalidArgumentError("a tensor's header cannot be decoded");
}

// --- writing -----------------------------------------------------------------

// Each returns the end of what it wrote.
uint8_t* Put(uint64_t number, uint8_t* at) {
  return CodedOutputStream::WriteVarint64ToArray(number, at);
}

// Fields that have their default are not written.
uint8_t* PutField(uint32_t tag, uint64_t number, uint8_t* at) {
  return number == 0 ? at : Put(number, Put(tag, at));
}

uint64_t VarintSize(uint64_t number) {
  return CodedOutputStream::VarintSize64(number);
}

uint8_t* PutShape(const Shape& shape, uint8_t* at) {
  uint64_t packed = 0;
  for (int64_t dim : shape.dims()) {
    packed += VarintSize(static_cast<uint64_t>(dim));
  }
  at = Put(kShapeTag, at);
  if (packed == 0) return Put(0, at);
  at = Put(1 + VarintSize(packed) + packed, at);
  at = Put(packed, Put(kDimsTag, at));
  for (int64_t dim : shape.dims()) at = Put(static_cast<uint64_t>(dim), at);
  return at;
}

// --- reading -----------------------------------------------------------------

// The bytes of a delimited field, which refer to the input.
bool ReadDelimited(CodedInputStream* input, absl::string_view* out) {
  uint32_t size = 0;
  const void* data = nullptr;
  int available = 0;
  if (!input->ReadVarint32(&size) || size > INT_MAX) return false;
  if (size == 0) {
    *out = {};
    return true;
  }
  if (!input->GetDirectBufferPointer(&data, &available) ||
      static_cast<uint32_t>(available) < size) {
    return false;
  }
  *out = {static_cast<const char*>(data), size};
  return input->Skip(static_cast<int>(size));
}

CodedInputStream Over(absl::string_view bytes) {
  return CodedInputStream(reinterpret_cast<const uint8_t*>(bytes.data()),
                          static_cast<int>(bytes.size()));
}

// Dimensions as they come: of too many, one more than a shape may have is kept.
struct Dims {
  std::array<int64_t, Shape::kMaxRank + 1> values;
  size_t count = 0;
};

bool ReadDim(CodedInputStream* input, Dims* dims) {
  uint64_t dim = 0;
  if (!input->ReadVarint64(&dim)) return false;
  if (dims->count == dims->values.size()) return true;
  dims->values[dims->count++] = static_cast<int64_t>(dim);
  return true;
}

bool ReadDims(absl::string_view packed, Dims* dims) {
  CodedInputStream input = Over(packed);
  while (input.CurrentPosition() < static_cast<int>(packed.size())) {
    if (!ReadDim(&input, dims)) return false;
  }
  return true;
}

// Adds to `dims`: a message that comes twice is one.
bool ReadShape(absl::string_view encoded, Dims* dims) {
  CodedInputStream input = Over(encoded);
  while (uint32_t tag = input.ReadTag()) {
    absl::string_view packed;
    bool ok = false;
    if (tag == kDimsTag) {
      ok = ReadDelimited(&input, &packed) && ReadDims(packed, dims);
    } else if (tag == kDimTag) {
      ok = ReadDim(&input, dims);
    } else {
      ok = WireFormatLite::SkipField(&input, tag);
    }
    if (!ok) return false;
  }
  return input.ConsumedEntireMessage();
}

// What was decoded but not yet checked.
struct Raw {
  uint64_t dtype = 0;
  Dims dims;
};

bool ReadField(CodedInputStream* input, uint32_t tag, TensorHeader* header,
               Raw* raw) {
  uint64_t number = 0;
  absl::string_view bytes;
  switch (tag) {
    case kNameTag:
      return ReadDelimited(input, &header->name);
    case kDTypeTag:
      return input->ReadVarint64(&raw->dtype);
    case kShapeTag:
      return ReadDelimited(input, &bytes) && ReadShape(bytes, &raw->dims);
    case kVersionTag:
      return input->ReadVarint64(&header->version);
    case kSizeTag:
      return input->ReadVarint64(&header->size_bytes);
    case kNotModifiedTag:
      if (!input->ReadVarint64(&number)) return false;
      header->not_modified = number != 0;
      return true;
    default:  // of a newer server
      return WireFormatLite::SkipField(input, tag);
  }
}

}  // namespace

void AppendTensorHeader(const TensorHeader& header, std::string* out) {
  uint8_t name[16];
  uint8_t* name_end = name;
  if (!header.name.empty()) {
    name_end = Put(header.name.size(), Put(kNameTag, name));
  }
  uint8_t rest[64 + 10 * Shape::kMaxRank];
  uint8_t* end = PutField(
      kDTypeTag, static_cast<uint64_t>(DTypeToProto(header.dtype)), rest);
  end = PutShape(header.shape, end);
  end = PutField(kVersionTag, header.version, end);
  end = PutField(kSizeTag, header.size_bytes, end);
  end = PutField(kNotModifiedTag, header.not_modified ? 1 : 0, end);
  out->append(reinterpret_cast<char*>(name),
              static_cast<size_t>(name_end - name));
  out->append(header.name.data(), header.name.size());
  out->append(reinterpret_cast<char*>(rest), static_cast<size_t>(end - rest));
}

absl::Status ParseTensorHeader(absl::string_view encoded,
                               TensorHeader* header) {
  Raw raw;
  if (encoded.size() > INT_MAX) return Malformed();
  CodedInputStream input = Over(encoded);
  while (uint32_t tag = input.ReadTag()) {
    if (!ReadField(&input, tag, header, &raw)) return Malformed();
  }
  if (!input.ConsumedEntireMessage()) return Malformed();
  // As protobuf does, the number is cut to that of an enum.
  ASSIGN_OR_RETURN(
      header->dtype,
      DTypeFromProto(static_cast<v1::DType>(static_cast<int>(raw.dtype))));
  ASSIGN_OR_RETURN(header->shape,
                   Shape::Create({raw.dims.values.data(), raw.dims.count}));
  return absl::OkStatus();
}

}  // namespace varkeep
