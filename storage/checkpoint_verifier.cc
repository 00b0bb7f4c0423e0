// SPDX-License-Identifier: Apache-2.0
#include "storage/checkpoint_verifier.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "storage/checkpoint_file.h"
#include "storage/checkpoint_layout.h"
#include "storage/checkpoint_trailer.h"

namespace varkeep::storage {
namespace {

std::string Differs(uint32_t found, uint32_t expected) {
  return absl::StrCat("has checksum ", absl::Hex(found, absl::kZeroPad8),
                      ", not ", absl::Hex(expected, absl::kZeroPad8));
}

}  // namespace

struct CheckpointVerifier::VerifiedFile {
  int64_t bytes = 0;
  int64_t values = 0;
  std::vector<Damage> damage;
  std::unique_ptr<CheckpointFile> file;  // null: not fit to be parsed
};

int64_t BytesToVerify(const CheckpointInfo& info, const Manifest& manifest) {
  int64_t bytes = info.size_bytes;
  for (const auto* infos : {&manifest.checkpoints, &manifest.holders}) {
    for (const CheckpointInfo& other : *infos) {
      if (std::find(info.holders.begin(), info.holders.end(), other.id) !=
          info.holders.end()) {
        bytes += other.size_bytes;
      }
    }
  }
  return bytes;
}

CheckpointVerifier::CheckpointVerifier(const CheckpointDirectory* directory,
                                       int64_t all_bytes,
                                       VerifyProgress progress)
    : directory_(directory),
      all_bytes_(all_bytes),
      progress_(std::move(progress)) {}

CheckpointVerifier::~CheckpointVerifier() = default;

absl::StatusOr<VerifyReport> CheckpointVerifier::Verify(
    const CheckpointInfo& info) {
  VerifyReport report;
  auto add = [&report](const VerifiedFile& verified) {
    report.bytes += verified.bytes;
    report.values += verified.values;
    report.damage.insert(report.damage.end(), verified.damage.begin(),
                         verified.damage.end());
  };
  ASSIGN_OR_RETURN(const VerifiedFile* own,
                   VerifyFile({info.file, info.size_bytes, info.crc32c}));
  add(*own);
  if (own->file == nullptr) return report;
  const SharedEntries& shared = own->file->index().shared;
  std::map<std::string, const VerifiedFile*> holders;
  for (const Holder& holder : shared.holders) {
    // Its name is from the file: nothing outside the directory is opened.
    if (!ParseCheckpointFileName(holder.file).has_value()) {
      report.damage.push_back({info.file, "", 0, 0,
                               absl::StrCat("it refers to '", holder.file,
                                            "', which is no checkpoint")});
      continue;
    }
    ASSIGN_OR_RETURN(holders[holder.file], VerifyFile(holder));
    add(*holders[holder.file]);
  }
  for (const auto& [path, name] : shared.files) {
    auto it = holders.find(name);
    if (it == holders.end() || it->second->file == nullptr) continue;
    const CheckpointFile& file = *it->second->file;
    std::optional<size_t> entry = file.Find(path);
    if (entry.has_value() && file.index().values[*entry].has_value()) continue;
    report.damage.push_back({name, path, 0, 0,
                             absl::StrCat("it does not hold the value that '",
                                          info.file, "' refers to")});
  }
  return report;
}

absl::StatusOr<const CheckpointVerifier::VerifiedFile*>
CheckpointVerifier::VerifyFile(const Holder& expected) {
  std::unique_ptr<VerifiedFile>& verified = files_[absl::StrCat(
      expected.file, " ", expected.size_bytes, " ", expected.crc32c)];
  if (verified != nullptr) return verified.get();
  auto fresh = std::make_unique<VerifiedFile>();
  RETURN_IF_ERROR(ReadFile(expected, fresh.get()));
  verified = std::move(fresh);
  return verified.get();
}

absl::Status CheckpointVerifier::ReadFile(const Holder& expected,
                                          VerifiedFile* verified) {
  const std::string path = directory_->PathOf(expected.file);
  auto damaged = [&](absl::string_view message) {
    verified->damage.push_back(
        {expected.file, "", 0, expected.size_bytes, std::string(message)});
    return absl::OkStatus();
  };
  absl::StatusOr<std::unique_ptr<File>> file =
      directory_->file_system().OpenForRead(path);
  if (absl::IsNotFound(file.status())) return damaged("it is missing");
  RETURN_IF_ERROR(file.status());
  ASSIGN_OR_RETURN(int64_t size, (*file)->Size());
  if (size != expected.size_bytes) {
    return damaged(
        absl::StrCat("it has ", size, " bytes, not ", expected.size_bytes));
  }
  absl::StatusOr<std::unique_ptr<CheckpointFile>> opened =
      CheckpointFile::Open(*std::move(file), path);
  if (absl::IsDataLoss(opened.status())) {
    return damaged(opened.status().message());
  }
  RETURN_IF_ERROR(opened.status());
  const Seal& seal = (*opened)->seal();
  if (seal.crc32c != expected.crc32c) {
    damaged(absl::StrCat("it ", Differs(seal.crc32c, expected.crc32c)))
        .IgnoreError();
  }
  int64_t rest = size;
  for (const StoredValue& region : seal.regions) rest -= region.size_bytes;
  verified->bytes += rest;
  RETURN_IF_ERROR(Advance(rest));
  RETURN_IF_ERROR(ReadValues(**opened, expected.file, verified));
  verified->file = *std::move(opened);
  return absl::OkStatus();
}

absl::Status CheckpointVerifier::ReadValues(CheckpointFile& file,
                                            const std::string& name,
                                            VerifiedFile* verified) {
  const std::vector<std::optional<StoredValue>>& values = file.index().values;
  for (size_t i = 0; i < values.size(); ++i) {
    if (!values[i].has_value()) continue;
    const StoredValue& value = *values[i];
    const bool is_region = value.size_bytes >= kRegionBytes;
    absl::Status advanced;
    absl::StatusOr<uint32_t> crc = file.Checksum(i, [&](int64_t bytes) {
      if (is_region) advanced = Advance(bytes);  // the others are counted
      return advanced.ok();
    });
    RETURN_IF_ERROR(advanced);
    RETURN_IF_ERROR(crc.status());
    ++verified->values;
    if (is_region) verified->bytes += value.size_bytes;
    if (*crc == value.crc32c) continue;
    verified->damage.push_back(
        {name, file.index().contents.entries[i].path, value.offset,
         value.size_bytes, absl::StrCat("it ", Differs(*crc, value.crc32c))});
  }
  return absl::OkStatus();
}

absl::Status CheckpointVerifier::Advance(int64_t bytes) {
  bytes_ += bytes;
  if (!progress_ || progress_(bytes_, std::max(bytes_, all_bytes_))) {
    return absl::OkStatus();
  }
  return absl::CancelledError("verifying was given up");
}

}  // namespace varkeep::storage
