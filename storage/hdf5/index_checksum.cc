// SPDX-License-Identifier: Apache-2.0
#include "storage/hdf5/index_checksum.h"

#include <type_traits>

#include "base/crc32c.h"

namespace varkeep::storage::hdf5 {
namespace {

// Numbers count as 8 bytes, little-endian; texts as their length and bytes.
class Checksum {
 public:
  void Add(uint64_t number) {
    crc_ = Crc32c(std::as_bytes(std::span(&number, 1)), crc_);
  }
  void Add(int64_t number) { Add(static_cast<uint64_t>(number)); }
  void Add(bool value) { Add(uint64_t{value}); }
  void Add(absl::string_view text) {
    Add(uint64_t{text.size()});
    crc_ = Crc32c(std::as_bytes(std::span(text.data(), text.size())), crc_);
  }
  void Add(const std::vector<std::string>& texts) {
    Add(uint64_t{texts.size()});
    for (const std::string& text : texts) Add(absl::string_view(text));
  }
  void Add(const std::vector<Attribute>& attributes) {
    Add(uint64_t{attributes.size()});
    for (const Attribute& attribute : attributes) {
      Add(absl::string_view(attribute.name));
      Add(uint64_t{attribute.value.index()});
      std::visit(
          [this](const auto& value) {
            using T = std::decay_t<decltype(value)>;
            if constexpr (std::is_same_v<T, std::string>) {
              Add(absl::string_view(value));
            } else {
              Add(value);
            }
          },
          attribute.value);
    }
  }
  uint32_t value() const { return crc_; }

 private:
  uint32_t crc_ = 0;
};

}  // namespace

uint32_t IndexChecksum(const CheckpointContents& contents,
                       absl::string_view created,
                       std::span<const ValueChecksum> values) {
  Checksum checksum;
  checksum.Add(contents.revision);
  checksum.Add(created);
  checksum.Add(contents.attributes);
  checksum.Add(uint64_t{contents.entries.size()});
  for (size_t i = 0; i < contents.entries.size(); ++i) {
    const CheckpointEntry& entry = contents.entries[i];
    checksum.Add(absl::string_view(entry.path));
    checksum.Add(DTypeName(entry.dtype));
    checksum.Add(uint64_t{entry.shape.dims().size()});
    for (int64_t dim : entry.shape.dims()) checksum.Add(dim);
    checksum.Add(values[i].has_value());
    checksum.Add(uint64_t{values[i].value_or(0)});
    checksum.Add(entry.attributes);
  }
  return checksum.value();
}

}  // namespace varkeep::storage::hdf5
