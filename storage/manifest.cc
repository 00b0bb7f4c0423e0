// SPDX-License-Identifier: Apache-2.0
#include "storage/manifest.h"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/crc32c.h"
#include "base/status_annotate.h"
#include "base/status_macros.h"
#include "storage/checkpoint_index.h"
#include "storage/checkpoint_layout.h"

namespace varkeep::storage {
namespace {

using Json = nlohmann::json;  // keys are sorted

constexpr char kFormat[] = "varkeep manifest";

std::string Hex(uint32_t crc) {
  return absl::StrCat(absl::Hex(crc, absl::kZeroPad8));
}

// Of the manifest without the member "crc32c", keys sorted, no white space.
uint32_t Checksum(Json manifest) {
  manifest.erase("crc32c");
  const std::string text =
      manifest.dump(-1, ' ', false, Json::error_handler_t::replace);
  return Crc32c(std::as_bytes(std::span(text.data(), text.size())));
}

absl::Status Bad(absl::string_view key) {
  return absl::DataLossError(absl::StrCat("the member '", key,
                                          "' is missing or not what it should "
                                          "be"));
}

const Json* Find(const Json& object, const char* key) {
  auto it = object.find(key);
  return it == object.end() ? nullptr : &*it;
}

absl::Status Get(const Json& object, const char* key, std::string* out) {
  const Json* value = Find(object, key);
  if (value == nullptr || !value->is_string()) return Bad(key);
  *out = value->get<std::string>();
  return absl::OkStatus();
}

absl::Status Get(const Json& object, const char* key, uint64_t* out) {
  const Json* value = Find(object, key);
  if (value == nullptr || !value->is_number_unsigned()) return Bad(key);
  *out = value->get<uint64_t>();
  return absl::OkStatus();
}

// A number that is not negative.
absl::Status Get(const Json& object, const char* key, int64_t* out) {
  uint64_t value = 0;
  RETURN_IF_ERROR(Get(object, key, &value));
  if (value > INT64_MAX) return Bad(key);
  *out = static_cast<int64_t>(value);
  return absl::OkStatus();
}

absl::Status GetCrc(const Json& object, uint32_t* out) {
  std::string text;
  RETURN_IF_ERROR(Get(object, "crc32c", &text));
  if (text.size() != 8 || !absl::SimpleHexAtoi(text, out)) return Bad("crc32c");
  return absl::OkStatus();
}

Json Format(const CheckpointInfo& info) {
  return {{"id", info.id},
          {"revision", info.revision},
          {"file", info.file},
          {"size_bytes", info.size_bytes},
          {"crc32c", Hex(info.crc32c)},
          {"created", absl::FormatTime(absl::RFC3339_full, info.created,
                                       absl::UTCTimeZone())},
          {"entries", info.entries},
          {"written_bytes", info.written_bytes},
          {"shared_bytes", info.shared_bytes},
          {"holders", info.holders}};
}

Json Format(const std::vector<CheckpointInfo>& infos) {
  Json array = Json::array();
  for (const CheckpointInfo& info : infos) array.push_back(Format(info));
  return array;
}

absl::Status GetIds(const Json& object, const char* key,
                    std::vector<CheckpointId>* out) {
  const Json* ids = Find(object, key);
  if (ids == nullptr || !ids->is_array()) return Bad(key);
  for (const Json& id : *ids) {
    if (!id.is_number_integer()) return Bad(key);
    out->push_back(id.get<CheckpointId>());
  }
  return absl::OkStatus();
}

absl::StatusOr<CheckpointInfo> ParseCheckpoint(const Json& object) {
  if (!object.is_object()) return Bad("checkpoints");
  CheckpointInfo info;
  std::string created;
  RETURN_IF_ERROR(Get(object, "id", &info.id));
  RETURN_IF_ERROR(Get(object, "revision", &info.revision));
  RETURN_IF_ERROR(Get(object, "file", &info.file));
  RETURN_IF_ERROR(Get(object, "size_bytes", &info.size_bytes));
  RETURN_IF_ERROR(GetCrc(object, &info.crc32c));
  RETURN_IF_ERROR(Get(object, "created", &created));
  RETURN_IF_ERROR(Get(object, "entries", &info.entries));
  RETURN_IF_ERROR(Get(object, "written_bytes", &info.written_bytes));
  RETURN_IF_ERROR(Get(object, "shared_bytes", &info.shared_bytes));
  RETURN_IF_ERROR(GetIds(object, "holders", &info.holders));
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, created, &info.created, &error)) {
    return Bad("created");
  }
  if (info.file != CheckpointFileName(info.id)) return Bad("file");
  return info;
}

absl::Status GetCheckpoints(const Json& object, const char* key,
                            CheckpointId last_id,
                            std::vector<CheckpointInfo>* out) {
  const Json* checkpoints = Find(object, key);
  if (checkpoints == nullptr || !checkpoints->is_array()) return Bad(key);
  CheckpointId previous = 0;
  for (const Json& item : *checkpoints) {
    ASSIGN_OR_RETURN(CheckpointInfo info, ParseCheckpoint(item));
    if (info.id <= previous || info.id > last_id) return Bad("id");
    previous = info.id;
    out->push_back(std::move(info));
  }
  return absl::OkStatus();
}

absl::StatusOr<Manifest> Parse(const std::string& text) {
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded() || !json.is_object()) {
    return absl::DataLossError("it is not a JSON object");
  }
  uint32_t crc = 0;
  RETURN_IF_ERROR(GetCrc(json, &crc));
  if (crc != Checksum(json)) {
    return absl::DataLossError(absl::StrCat(
        "it has checksum ", Hex(Checksum(json)), ", not ", Hex(crc)));
  }
  std::string format;
  RETURN_IF_ERROR(Get(json, "format", &format));
  if (format != kFormat) return Bad("format");
  int64_t version = 0;
  RETURN_IF_ERROR(Get(json, "format_version", &version));
  RETURN_IF_ERROR(CheckFormatVersion(version));
  Manifest manifest;
  RETURN_IF_ERROR(Get(json, "last_id", &manifest.last_id));
  RETURN_IF_ERROR(GetCheckpoints(json, "checkpoints", manifest.last_id,
                                 &manifest.checkpoints));
  RETURN_IF_ERROR(
      GetCheckpoints(json, "holders", manifest.last_id, &manifest.holders));
  RETURN_IF_ERROR(GetIds(json, "removing", &manifest.removing));
  return manifest;
}

}  // namespace

void Unlist(CheckpointId id, Manifest* manifest) {
  std::vector<CheckpointInfo> candidates = std::move(manifest->holders);
  std::set<CheckpointId> needed;
  std::vector<CheckpointInfo> listed;
  for (CheckpointInfo& info : manifest->checkpoints) {
    if (info.id == id) {
      candidates.push_back(std::move(info));
      continue;
    }
    needed.insert(info.holders.begin(), info.holders.end());
    listed.push_back(std::move(info));
  }
  manifest->checkpoints = std::move(listed);
  manifest->holders.clear();
  for (CheckpointInfo& info : candidates) {
    if (needed.contains(info.id)) {
      manifest->holders.push_back(std::move(info));
    } else {
      manifest->removing.push_back(info.id);
    }
  }
  std::sort(manifest->holders.begin(), manifest->holders.end(),
            [](const CheckpointInfo& a, const CheckpointInfo& b) {
              return a.id < b.id;
            });
}

std::string FormatManifest(const Manifest& manifest) {
  Json json = {{"format", kFormat},
               {"format_version", kCheckpointFormatVersion},
               {"last_id", manifest.last_id},
               {"checkpoints", Format(manifest.checkpoints)},
               {"holders", Format(manifest.holders)},
               {"removing", manifest.removing}};
  json["crc32c"] = Hex(Checksum(json));
  return json.dump(2) + "\n";
}

absl::StatusOr<Manifest> ParseManifest(const std::string& text,
                                       absl::string_view file) {
  absl::StatusOr<Manifest> manifest = Parse(text);
  if (manifest.ok()) return manifest;
  return Annotate(manifest.status(), absl::StrCat("manifest '", file, "'"));
}

}  // namespace varkeep::storage
