// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "base/crc32c.h"
#include "storage/checkpoint_index.h"
#include "storage/checkpoint_trailer.h"
#include "storage/memory_file_system.h"
#include "tests/fuzz/fuzz_targets.h"

namespace varkeep::storage {
namespace {

// storage/checkpoint_trailer.h
constexpr size_t kTrailerBytes = 44;

template <typename T>
void Put(std::vector<std::byte>* bytes, size_t at, T value) {
  std::memcpy(&bytes->at(at), &value, sizeof(value));
}

// Of the first `size` bytes but large values, as far as the index names them.
uint32_t ChecksumOfRest(std::span<const std::byte> bytes,
                        const CheckpointIndex& index) {
  std::vector<bool> skip(bytes.size());
  for (const std::optional<StoredValue>& value : index.values) {
    if (!value.has_value() || value->size_bytes < kRegionBytes) continue;
    for (int64_t i = 0; i < value->size_bytes; ++i) {
      skip.at(static_cast<size_t>(value->offset + i)) = true;
    }
  }
  std::vector<std::byte> rest;
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (!skip[i]) rest.push_back(bytes[i]);
  }
  return Crc32c(rest);
}

// What the trailer at the end names is as it says.
void MakeTrailerRight(std::vector<std::byte>* file) {
  const size_t size = file->size() - kTrailerBytes;
  std::memcpy(&file->at(size), "VARKEEP\n", 8);
  Put(file, size + 8, static_cast<int64_t>(size));
  int64_t index_bytes = 0;
  std::memcpy(&index_bytes, &file->at(size + 16), 8);
  const auto before = std::span(*file).first(size);
  if (index_bytes >= 0 && static_cast<size_t>(index_bytes) <= size) {
    const auto encoded = before.last(static_cast<size_t>(index_bytes));
    Put(file, size + 24, Crc32c(encoded));
    const auto index =
        DecodeIndex(encoded, static_cast<int64_t>(size) - index_bytes);
    if (index.ok()) Put(file, size + 28, ChecksumOfRest(before, *index));
  }
  Put(file, size + 32, Crc32c(before));
  Put(file, size + 40, Crc32c(std::span(*file).subspan(size, 40)));
}

std::unique_ptr<File> MakeFile(MemoryFileSystem* disk, const char* path,
                               std::span<const std::byte> bytes) {
  std::unique_ptr<File> file = disk->Create(path).value();
  if (!file->WriteAt(0, bytes).ok()) std::abort();
  return file;
}

// An index can be written again, and is the same then.
void CheckWritten(const CheckpointIndex& index, size_t values_end) {
  const std::vector<std::byte> written = EncodeIndex(index);
  const auto again = DecodeIndex(written, static_cast<int64_t>(values_end));
  if (!again.ok() || EncodeIndex(*again) != written) std::abort();
}

}  // namespace

void ReadAnyCheckpoint(std::span<const uint8_t> bytes) {
  uint16_t values_end = 0;
  if (bytes.size() < sizeof(values_end) + kTrailerBytes) return;
  std::memcpy(&values_end, bytes.data(), sizeof(values_end));
  const auto tail = std::as_bytes(bytes.subspan(sizeof(values_end)));
  std::vector<std::byte> whole(values_end);
  whole.insert(whole.end(), tail.begin(), tail.end());
  MakeTrailerRight(&whole);
  MemoryFileSystem disk;
  const auto file = MakeFile(&disk, "/read", whole);

  const absl::StatusOr<Seal> seal = VerifyTrailer(file.get());
  if (!seal.ok()) {
    if (seal.status().message().empty()) std::abort();
    return;
  }
  if (seal->size_bytes != static_cast<int64_t>(whole.size()) ||
      seal->crc32c != Crc32c(whole)) {
    std::abort();
  }
  CheckWritten(seal->index, whole.size());
}

}  // namespace varkeep::storage
