// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/crc32c.h"
#include "storage/manifest.h"
#include "tests/fuzz/fuzz_targets.h"

namespace varkeep::storage {
namespace {

// The text with the checksum it should have, when it is JSON at all.
std::string WithChecksum(const std::string& text) {
  nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  if (json.is_discarded() || !json.is_object()) return text;
  json.erase("crc32c");
  const auto replace = nlohmann::json::error_handler_t::replace;
  const std::string plain = json.dump(-1, ' ', false, replace);
  const uint32_t crc =
      Crc32c(std::as_bytes(std::span(plain.data(), plain.size())));
  json["crc32c"] = absl::StrCat(absl::Hex(crc, absl::kZeroPad8));
  return json.dump(-1, ' ', false, replace);
}

}  // namespace

void ReadAnyManifest(std::span<const uint8_t> bytes) {
  const std::string text =
      WithChecksum({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  const absl::StatusOr<Manifest> manifest = ParseManifest(text, "m");
  if (!manifest.ok()) return;
  const std::string written = FormatManifest(*manifest);
  const absl::StatusOr<Manifest> again = ParseManifest(written, "m");
  if (!again.ok() || FormatManifest(*again) != written) std::abort();
}

}  // namespace varkeep::storage
