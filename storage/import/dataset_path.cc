// SPDX-License-Identifier: Apache-2.0
#include "storage/import/dataset_path.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace varkeep::storage {
namespace {

constexpr size_t kMaxMessageBytes = 1024;

// The bytes of the character that `text` begins with; 0 when it is not UTF-8 or
// a control character. REQUIRES: not empty.
size_t PrintableBytes(absl::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return lead >= 0x20 && lead != 0x7F ? 1 : 0;
  const size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < size) return 0;
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  const uint8_t second = byte(1);
  const bool overlong_or_outside =
      (lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) ||
      (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F);
  const bool control = lead == 0xC2 && second < 0xA0;
  return overlong_or_outside || control ? 0 : size;
}

absl::Status Bad(absl::string_view path, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("'", Printable(path.substr(0, 128)), "': ", why));
}

}  // namespace

absl::Status CheckDatasetPath(absl::string_view path) {
  if (path.size() > kMaxPathBytes) {
    return Bad(path, absl::StrCat("its path has ", path.size(),
                                  " bytes, more than ", kMaxPathBytes));
  }
  for (absl::string_view part : absl::StrSplit(path, '/')) {
    if (part.empty() || part == "." || part == "..") {
      return Bad(path, "its path has an empty part, '.' or '..'");
    }
  }
  for (absl::string_view rest = path; !rest.empty();) {
    const size_t size = PrintableBytes(rest);
    if (size == 0) {
      return Bad(path, "its name is not UTF-8 without control characters");
    }
    rest.remove_prefix(size);
  }
  return absl::OkStatus();
}

std::string Printable(absl::string_view text) {
  std::string result;
  while (!text.empty()) {
    const size_t size = PrintableBytes(text);
    if (result.size() + size > kMaxMessageBytes) {
      return absl::StrCat(result, "...");
    }
    if (size == 0) {
      result += '?';
    } else {
      absl::StrAppend(&result, text.substr(0, size));
    }
    text.remove_prefix(size == 0 ? 1 : size);
  }
  return result;
}

}  // namespace varkeep::storage
