// SPDX-License-Identifier: Apache-2.0
#include "server/variables/names.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace varkeep {
namespace {

constexpr size_t kShownBytes = 128;

bool IsScopeChar(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' ||
         c == '.' || c == '-' || c == '/';
}

// A letter, a digit or a dot.
bool IsFirstChar(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.';
}

absl::Status CheckLength(absl::string_view name) {
  if (name.size() <= kMaxNameBytes) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("'", Shorten(name), "' has ", name.size(),
                   " bytes, a name has at most ", kMaxNameBytes));
}

// The bytes of the character that `text` begins with; 0 when it is not UTF-8
// (truncated, overlong, a surrogate, beyond U+10FFFF).
size_t CharacterBytes(absl::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return 1;
  const size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < size) return 0;
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  const uint8_t second = byte(1);
  if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) ||
      (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F)) {
    return 0;
  }
  return size;
}

// Of one character: below U+0020, and U+007F to U+009F.
bool IsControl(absl::string_view character) {
  const auto first = static_cast<uint8_t>(character[0]);
  if (character.size() == 1) return first < 0x20 || first == 0x7F;
  return first == 0xC2 && static_cast<uint8_t>(character[1]) < 0xA0;
}

bool IsPrintableUtf8(absl::string_view text) {
  while (!text.empty()) {
    const size_t size = CharacterBytes(text);
    if (size == 0 || IsControl(text.substr(0, size))) return false;
    text.remove_prefix(size);
  }
  return true;
}

absl::Status CheckText(absl::string_view what, absl::string_view text,
                       size_t max_bytes) {
  if (text.size() > max_bytes) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, " '", Shorten(text), "' has ", text.size(),
                     " bytes, the limit is ", max_bytes));
  }
  if (!IsPrintableUtf8(text)) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, " '", Shorten(text),
                     "' is not UTF-8 without control characters"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckOpName(absl::string_view name) {
  if (name.empty() || !IsFirstChar(name[0]) ||
      !std::all_of(name.begin(), name.end(), IsScopeChar)) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", Shorten(name), "' is not a valid node name"));
  }
  return CheckLength(name);
}

absl::Status CheckScopeName(absl::string_view name, bool at_root) {
  if (name.empty() || (at_root && !IsFirstChar(name[0])) ||
      !std::all_of(name.begin(), name.end(), IsScopeChar)) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", Shorten(name), "' is not a valid scope name"));
  }
  return CheckLength(name);
}

absl::Status CheckContainerName(absl::string_view name) {
  const auto is_container_char = [](char c) {
    return IsScopeChar(c) && c != '_';
  };
  if (!name.empty() &&
      (!IsFirstChar(name[0]) ||
       !std::all_of(name.begin(), name.end(), is_container_char))) {
    return absl::InvalidArgumentError(
        absl::StrCat("container contains invalid characters: ", Shorten(name)));
  }
  return CheckLength(name);
}

absl::Status CheckCollectionKey(absl::string_view key) {
  if (key.empty()) {
    return absl::InvalidArgumentError("a collection key is empty");
  }
  return CheckText("collection key", key, kMaxCollectionKeyBytes);
}

absl::Status CheckNote(absl::string_view what, absl::string_view text) {
  return CheckText(what, text, kMaxNoteBytes);
}

absl::string_view StripOutput(absl::string_view name) {
  return absl::StripSuffix(name, ":0");
}

std::string Shorten(absl::string_view text) {
  std::string shown;
  while (!text.empty()) {
    const size_t size = CharacterBytes(text);
    if (shown.size() + std::max<size_t>(size, 1) > kShownBytes) {
      return shown + "...";
    }
    if (size == 0 || IsControl(text.substr(0, size))) {
      shown += '?';
    } else {
      absl::StrAppend(&shown, text.substr(0, size));
    }
    text.remove_prefix(std::max<size_t>(size, 1));
  }
  return shown;
}

}  // namespace varkeep
