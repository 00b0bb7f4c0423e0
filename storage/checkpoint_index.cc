// SPDX-License-Identifier: Apache-2.0
#include "storage/checkpoint_index.h"

#include <array>
#include <bit>
#include <cstring>
#include <type_traits>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"

namespace varkeep::storage {
namespace {

static_assert(std::endian::native == std::endian::little);

// What an attribute is; the order of the variant's alternatives.
enum class Kind : uint8_t { kBool, kInt64, kUint64, kString, kStrings };

absl::StatusOr<Holder> ParseHolder(const std::string& text) {
  const std::vector<std::string> parts = absl::StrSplit(text, ' ');
  Holder holder;
  if (parts.size() != 3 || parts[0].empty() ||
      parts[0].find('/') != std::string::npos ||
      !absl::SimpleAtoi(parts[1], &holder.size_bytes) ||
      !absl::SimpleHexAtoi(parts[2], &holder.crc32c)) {
    return absl::DataLossError("its index has a holder that is none");
  }
  holder.file = parts[0];
  return holder;
}

class Encoder {
 public:
  template <typename T>
  void Number(T value) {
    static_assert(std::is_arithmetic_v<T>);
    const auto* begin = reinterpret_cast<const std::byte*>(&value);
    bytes_.insert(bytes_.end(), begin, begin + sizeof(T));
  }

  void Text(absl::string_view text) {
    Number(static_cast<uint32_t>(text.size()));
    const auto* begin = reinterpret_cast<const std::byte*>(text.data());
    bytes_.insert(bytes_.end(), begin, begin + text.size());
  }

  void Value(bool value) { Number(static_cast<uint8_t>(value)); }
  void Value(int64_t value) { Number(value); }
  void Value(uint64_t value) { Number(value); }
  void Value(const std::string& value) { Text(value); }
  void Value(const std::vector<std::string>& value) {
    Number(static_cast<uint32_t>(value.size()));
    for (const std::string& text : value) Text(text);
  }

  void Attributes(const std::vector<Attribute>& attributes) {
    Number(static_cast<uint32_t>(attributes.size()));
    for (const Attribute& attribute : attributes) {
      Text(attribute.name);
      Number(static_cast<uint8_t>(attribute.value.index()));
      std::visit([this](const auto& value) { Value(value); }, attribute.value);
    }
  }

  void Entry(const CheckpointEntry& entry,
             const std::optional<StoredValue>& value) {
    Text(entry.path);
    Text(DTypeName(entry.dtype));
    Number(static_cast<uint8_t>(entry.shape.rank()));
    for (int64_t dim : entry.shape.dims()) Number(dim);
    Number(entry.value_version);
    Number(static_cast<uint8_t>(value.has_value()));
    if (value.has_value()) {
      Number(value->offset);
      Number(value->crc32c);
    }
    Attributes(entry.attributes);
  }

  std::vector<std::byte> Take() { return std::move(bytes_); }

 private:
  std::vector<std::byte> bytes_;
};

// After the first piece that is not there everything is zero and ok() false.
class Decoder {
 public:
  explicit Decoder(std::span<const std::byte> bytes)
      : size_(bytes.size()), rest_(bytes) {}

  bool ok() const { return ok_; }
  bool AtEnd() const { return ok_ && rest_.empty(); }

  template <typename T>
  T Number() {
    static_assert(std::is_arithmetic_v<T>);
    T value{};
    std::span<const std::byte> bytes = Take(sizeof(T));
    if (!bytes.empty()) std::memcpy(&value, bytes.data(), sizeof(T));
    return value;
  }

  std::string Text() {
    std::span<const std::byte> bytes = Take(Number<uint32_t>());
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  std::vector<std::string> Texts() {
    std::vector<std::string> texts;
    for (auto n = Number<uint32_t>(); n > 0 && ok_; --n) {
      texts.push_back(Text());
    }
    return texts;
  }

  std::vector<Attribute> Attributes() {
    std::vector<Attribute> attributes;
    auto count = Number<uint32_t>();
    if (ok_ && count <= rest_.size()) attributes.reserve(count);
    for (; count > 0 && ok_; --count) {
      attributes.emplace_back();
      attributes.back().name = Text();
      attributes.back().value = Value();
    }
    return attributes;
  }

  // The error of what was found wrong after it was taken, or that it was not
  // there.
  absl::Status Explain(absl::string_view found) const {
    if (ok_) {
      return absl::DataLossError(absl::StrCat(
          found, " (before byte ", size_ - rest_.size(), " of its index)"));
    }
    return absl::DataLossError(
        absl::StrCat("its index of ", size_,
                     " bytes is cut or damaged: what begins at byte ",
                     failed_at_, " of it ", failure_));
  }

 private:
  void Fail(const char* what) {
    if (ok_) {
      failed_at_ = size_ - rest_.size();
      failure_ = what;
    }
    ok_ = false;
    rest_ = {};
  }

  std::span<const std::byte> Take(size_t size) {
    if (size > rest_.size()) {
      Fail("goes beyond its end");
      return {};
    }
    std::span<const std::byte> taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }

  decltype(Attribute::value) Value() {
    switch (static_cast<Kind>(Number<uint8_t>())) {
      case Kind::kBool:
        return Number<uint8_t>() != 0;
      case Kind::kInt64:
        return Number<int64_t>();
      case Kind::kUint64:
        return Number<uint64_t>();
      case Kind::kString:
        return Text();
      case Kind::kStrings:
        return Texts();
    }
    Fail("is an attribute of an unknown kind");
    return false;
  }

  const size_t size_;
  std::span<const std::byte> rest_;
  bool ok_ = true;
  size_t failed_at_ = 0;
  const char* failure_ = "";
};

absl::Status Damaged() { return absl::DataLossError("its index is damaged"); }

absl::StatusOr<Shape> DecodeShape(Decoder* in) {
  std::array<int64_t, Shape::kMaxRank> dims{};
  const auto rank = in->Number<uint8_t>();
  if (rank > Shape::kMaxRank) return Damaged();
  for (size_t i = 0; i < rank; ++i) dims[i] = in->Number<int64_t>();
  return Shape::Create(std::span(dims).first(rank));
}

absl::Status DecodeEntry(Decoder* in, int64_t values_end,
                         CheckpointIndex* index) {
  CheckpointEntry entry;
  entry.path = in->Text();
  ASSIGN_OR_RETURN(entry.dtype, ParseDType(in->Text()));
  ASSIGN_OR_RETURN(entry.shape, DecodeShape(in));
  entry.value_version = in->Number<uint64_t>();
  std::optional<StoredValue> value;
  if (in->Number<uint8_t>() != 0) {
    value.emplace();
    value->offset = in->Number<int64_t>();
    value->crc32c = in->Number<uint32_t>();
    ASSIGN_OR_RETURN(value->size_bytes, SizeBytes(entry.dtype, entry.shape));
    if (value->offset < 0 || value->offset > values_end ||
        value->size_bytes > values_end - value->offset) {
      return absl::DataLossError(
          absl::StrCat("entry '", entry.path, "' is not inside the file"));
    }
  }
  entry.attributes = in->Attributes();
  if (!index->contents.entries.empty() &&
      entry.path <= index->contents.entries.back().path) {
    return Damaged();
  }
  index->contents.entries.push_back(std::move(entry));
  index->values.push_back(value);
  return absl::OkStatus();
}

absl::Status DecodeShared(Decoder* in, SharedEntries* shared) {
  for (const std::string& text : in->Texts()) {
    ASSIGN_OR_RETURN(Holder holder, ParseHolder(text));
    shared->holders.push_back(std::move(holder));
  }
  for (auto n = in->Number<uint64_t>(); n > 0 && in->ok(); --n) {
    std::string path = in->Text();
    const auto holder = in->Number<uint32_t>();
    if (!in->ok() || holder >= shared->holders.size()) return Damaged();
    shared->files[std::move(path)] = shared->holders[holder].file;
  }
  return absl::OkStatus();
}

absl::StatusOr<CheckpointIndex> Decode(Decoder* in, int64_t values_end) {
  CheckpointIndex index;
  index.contents.revision = in->Number<uint64_t>();
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, in->Text(), &index.created,
                       &error)) {
    return Damaged();
  }
  index.contents.attributes = in->Attributes();
  for (auto n = in->Number<uint64_t>(); n > 0 && in->ok(); --n) {
    RETURN_IF_ERROR(DecodeEntry(in, values_end, &index));
  }
  RETURN_IF_ERROR(DecodeShared(in, &index.shared));
  if (!in->AtEnd()) return Damaged();
  return index;
}

}  // namespace

absl::Status CheckFormatVersion(int64_t version) {
  if (version == kCheckpointFormatVersion) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "it has format version ", version,
      ", this program reads and writes version ", kCheckpointFormatVersion));
}

std::string FormatHolder(const Holder& holder) {
  return absl::StrCat(holder.file, " ", holder.size_bytes, " ",
                      absl::Hex(holder.crc32c, absl::kZeroPad8));
}

std::vector<std::byte> EncodeIndex(const CheckpointIndex& index) {
  Encoder out;
  out.Number(index.contents.revision);
  out.Text(
      absl::FormatTime(absl::RFC3339_full, index.created, absl::UTCTimeZone()));
  out.Attributes(index.contents.attributes);
  out.Number(static_cast<uint64_t>(index.values.size()));
  for (size_t i = 0; i < index.values.size(); ++i) {
    out.Entry(index.contents.entries[i], index.values[i]);
  }
  std::map<std::string, uint32_t> numbers;
  std::vector<std::string> holders;
  for (const Holder& holder : index.shared.holders) {
    numbers[holder.file] = static_cast<uint32_t>(holders.size());
    holders.push_back(FormatHolder(holder));
  }
  out.Value(holders);
  out.Number(static_cast<uint64_t>(index.shared.files.size()));
  for (const auto& [path, file] : index.shared.files) {
    out.Text(path);
    out.Number(numbers.at(file));
  }
  return out.Take();
}

absl::StatusOr<CheckpointIndex> DecodeIndex(std::span<const std::byte> bytes,
                                            int64_t values_end) {
  Decoder in(bytes);
  absl::StatusOr<CheckpointIndex> index = Decode(&in, values_end);
  if (index.ok()) return index;
  return in.Explain(index.status().message());
}

}  // namespace varkeep::storage
