// SPDX-License-Identifier: Apache-2.0
#include "storage/hdf5/shared_entries.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace varkeep::storage::hdf5 {

std::string FormatHolder(const Holder& holder) {
  return absl::StrCat(holder.file, " ", holder.size_bytes, " ",
                      absl::Hex(holder.crc32c, absl::kZeroPad8));
}

absl::StatusOr<Holder> ParseHolder(const std::string& text) {
  const std::vector<std::string> parts = absl::StrSplit(text, ' ');
  Holder holder;
  if (parts.size() != 3 || parts[0].empty() ||
      parts[0].find('/') != std::string::npos ||
      !absl::SimpleAtoi(parts[1], &holder.size_bytes) ||
      !absl::SimpleHexAtoi(parts[2], &holder.crc32c)) {
    return absl::DataLossError(
        "the attribute 'holders' is not what it should "
        "be");
  }
  holder.file = parts[0];
  return holder;
}

}  // namespace varkeep::storage::hdf5
