// SPDX-License-Identifier: Apache-2.0
#include "storage/log/log_format.h"

#include <bit>
#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "base/crc32c.h"

namespace varkeep::storage::log_format {
namespace {

static_assert(std::endian::native == std::endian::little,
              "numbers are written as they are in memory");

constexpr char kSegmentMagic[] = "VKPLOG\r\n";
constexpr uint32_t kRecordMagic = 0x7263566b;
constexpr absl::string_view kPrefix = "log-";
constexpr absl::string_view kDraft = "draft-";
constexpr absl::string_view kTemporary = ".tmp";
constexpr size_t kDigits = 20;

// The checksum of bytes that hold checksums themselves is masked, as in
// TensorFlow's records.
uint32_t Masked(uint32_t crc) {
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

template <size_t kBytes>
class Writer {
 public:
  explicit Writer(std::array<std::byte, kBytes>* out) : out_(out) {}
  template <typename T>
  void Put(T value) {
    std::memcpy(out_->data() + at_, &value, sizeof(value));
    at_ += sizeof(value);
  }

 private:
  std::array<std::byte, kBytes>* const out_;
  size_t at_ = 0;
};

class Reader {
 public:
  explicit Reader(const std::byte* at) : at_(at) {}
  template <typename T>
  T Get() {
    T value;
    std::memcpy(&value, at_, sizeof(value));
    at_ += sizeof(value);
    return value;
  }
  template <typename T>
  void Get(T* value) {
    *value = Get<T>();
  }

 private:
  const std::byte* at_;
};

}  // namespace

// The checksum is the last of the 128 bytes in every format version: whether a
// header is damaged is known before its version is believed.
SegmentHeaderBytes Encode(const SegmentHeader& header) {
  SegmentHeaderBytes bytes{};
  std::memcpy(bytes.data(), kSegmentMagic, 8);
  std::memcpy(bytes.data() + 8, &kFormatVersion, 4);
  SegmentHeaderBytes fields{};
  Writer writer(&fields);
  writer.Put(header.salt);
  writer.Put(header.number);
  writer.Put(header.from);
  writer.Put(header.base);
  writer.Put(header.synced);
  writer.Put(header.predecessor.salt);
  writer.Put(header.predecessor.base);
  writer.Put(header.predecessor.last);
  writer.Put(header.predecessor.end);
  writer.Put(header.predecessor.chain);
  std::memcpy(bytes.data() + 16, fields.data(), 108);
  const uint32_t crc = Masked(Crc32c(std::span(bytes).first(124)));
  std::memcpy(bytes.data() + 124, &crc, 4);
  return bytes;
}

absl::StatusOr<SegmentHeader> DecodeSegmentHeader(
    const SegmentHeaderBytes& bytes) {
  const auto crc = Reader(bytes.data() + 124).Get<uint32_t>();
  if (std::memcmp(bytes.data(), kSegmentMagic, 8) != 0 ||
      crc != Masked(Crc32c(std::span(bytes).first(124)))) {
    return absl::DataLossError("its header is damaged");
  }
  const auto version = Reader(bytes.data() + 8).Get<uint32_t>();
  if (version != kFormatVersion) {
    return absl::FailedPreconditionError(absl::StrCat(
        "it has format version ", version, "; this program reads version ",
        kFormatVersion, ": start a newer one"));
  }
  SegmentHeader header;
  Reader reader(bytes.data() + 16);
  reader.Get(&header.salt);
  reader.Get(&header.number);
  reader.Get(&header.from);
  reader.Get(&header.base);
  reader.Get(&header.synced);
  reader.Get(&header.predecessor.salt);
  reader.Get(&header.predecessor.base);
  reader.Get(&header.predecessor.last);
  reader.Get(&header.predecessor.end);
  reader.Get(&header.predecessor.chain);
  return header;
}

RecordHeaderBytes Encode(const RecordHeader& header, uint64_t salt) {
  RecordHeaderBytes bytes{};
  Writer writer(&bytes);
  writer.Put(uint32_t{0});  // the checksum
  writer.Put(Masked(header.payload_crc));
  writer.Put(header.bytes);
  writer.Put(header.before);
  writer.Put(header.revision);
  writer.Put(header.synced);
  writer.Put(salt);
  writer.Put(header.body_bytes);
  writer.Put(header.tensors);
  writer.Put(uint32_t{0});
  writer.Put(kRecordMagic);
  const uint32_t crc = Masked(Crc32c(std::span(bytes).subspan(4)));
  std::memcpy(bytes.data(), &crc, 4);
  return bytes;
}

std::optional<RecordHeader> DecodeRecordHeader(
    std::span<const std::byte, 64> bytes, uint64_t salt) {
  if (Reader(bytes.data() + 40).Get<uint64_t>() != salt) return std::nullopt;
  Reader reader(bytes.data());
  if (reader.Get<uint32_t>() != Masked(Crc32c(bytes.subspan(4)))) {
    return std::nullopt;
  }
  RecordHeader header;
  const uint32_t rotated = reader.Get<uint32_t>() - 0xa282ead8u;
  header.payload_crc = (rotated >> 17) | (rotated << 15);
  reader.Get(&header.bytes);
  reader.Get(&header.before);
  reader.Get(&header.revision);
  reader.Get(&header.synced);
  reader.Get<uint64_t>();
  reader.Get(&header.body_bytes);
  reader.Get(&header.tensors);
  if (header.bytes <= kAlignment || header.bytes % kAlignment != 0 ||
      header.revision <= header.before) {
    return std::nullopt;
  }
  return header;
}

uint32_t ChainOf(std::span<const std::byte, 64> header, uint32_t before) {
  return Crc32c(header, before);
}

std::string SegmentFileName(uint64_t base) {
  return absl::StrFormat("%s%020d", kPrefix, base + 1);
}

std::optional<uint64_t> ParseSegmentFileName(absl::string_view name) {
  uint64_t first = 0;
  if (!absl::ConsumePrefix(&name, kPrefix) || name.size() != kDigits ||
      !absl::SimpleAtoi(name, &first) || first == 0 ||
      SegmentFileName(first - 1) != absl::StrCat(kPrefix, name)) {
    return std::nullopt;
  }
  return first - 1;
}

std::string DraftName(uint64_t number) {
  return TemporaryName(absl::StrCat(kPrefix, kDraft, number));
}

std::string TemporaryName(absl::string_view name) {
  return absl::StrCat(name, kTemporary);
}

bool IsTemporaryName(absl::string_view name) {
  if (!absl::ConsumeSuffix(&name, kTemporary)) return false;
  uint64_t number = 0;
  return ParseSegmentFileName(name).has_value() ||
         (absl::ConsumePrefix(&name, kPrefix) &&
          absl::ConsumePrefix(&name, kDraft) &&
          absl::SimpleAtoi(name, &number));
}

}  // namespace varkeep::storage::log_format
