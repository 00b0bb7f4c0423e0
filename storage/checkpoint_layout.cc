// SPDX-License-Identifier: Apache-2.0
#include "storage/checkpoint_layout.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"

namespace varkeep::storage {
namespace {

constexpr char kTemporarySuffix[] = ".tmp";

}  // namespace

std::string CheckpointFileName(CheckpointId id) {
  return absl::StrFormat("ckpt-%06d.h5", id);
}

std::optional<CheckpointId> ParseCheckpointFileName(absl::string_view name) {
  absl::string_view digits = name;
  CheckpointId id = 0;
  if (!absl::ConsumePrefix(&digits, "ckpt-") ||
      !absl::ConsumeSuffix(&digits, ".h5") || !absl::SimpleAtoi(digits, &id)) {
    return std::nullopt;
  }
  // Only the one way of writing it: not "ckpt-42.h5", not "ckpt-+00042.h5".
  if (id < 1 || CheckpointFileName(id) != name) return std::nullopt;
  return id;
}

std::string TemporaryName(absl::string_view name) {
  return absl::StrCat(name, kTemporarySuffix);
}

bool IsTemporaryName(absl::string_view name) {
  return absl::ConsumeSuffix(&name, kTemporarySuffix) &&
         (name == kManifestFile || ParseCheckpointFileName(name).has_value());
}

std::string QuarantineName(absl::string_view name, int n) {
  return absl::StrCat(name, ".", n);
}

std::optional<CheckpointId> ParseQuarantineName(absl::string_view name) {
  size_t dot = name.rfind('.');
  if (dot == absl::string_view::npos) return std::nullopt;
  return ParseCheckpointFileName(name.substr(0, dot));
}

std::string JoinPath(absl::string_view directory, absl::string_view name) {
  return absl::StrCat(directory, "/", name);
}

}  // namespace varkeep::storage
