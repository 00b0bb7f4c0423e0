// SPDX-License-Identifier: Apache-2.0
#include "storage/hdf5/checkpoint_reader.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/crc32c.h"
#include "base/status_annotate.h"
#include "base/status_macros.h"

namespace varkeep::storage::hdf5 {
namespace {

constexpr int64_t kVerifyBytes = 1 << 20;

}  // namespace

Hdf5CheckpointReader::Hdf5CheckpointReader(std::unique_ptr<File> file,
                                           std::string name,
                                           CheckpointIndex index)
    : file_(std::move(file)),
      name_(std::move(name)),
      index_(std::move(index)) {}

absl::StatusOr<std::unique_ptr<Hdf5CheckpointReader>>
Hdf5CheckpointReader::Open(std::unique_ptr<File> file, std::string name) {
  absl::StatusOr<CheckpointIndex> index = ReadCheckpointIndex(file.get());
  if (!index.ok()) {
    return Annotate(index.status(), absl::StrCat("checkpoint '", name, "'"));
  }
  return std::unique_ptr<Hdf5CheckpointReader>(new Hdf5CheckpointReader(
      std::move(file), std::move(name), *std::move(index)));
}

absl::StatusOr<TensorRef> Hdf5CheckpointReader::Read(size_t index) {
  const CheckpointEntry& entry = index_.contents.entries[index];
  absl::StatusOr<std::shared_ptr<Tensor>> tensor =
      Tensor::Create(entry.dtype, entry.shape);
  if (!tensor.ok()) return Annotate(tensor.status(), Label(index));
  std::span<std::byte> bytes = (*tensor)->mutable_bytes();
  RETURN_IF_ERROR(ReadAt(index, index_.values[index]->offset, bytes));
  RETURN_IF_ERROR(CheckChecksum(index, Crc32c(bytes)));
  return TensorRef(*std::move(tensor));
}

absl::Status Hdf5CheckpointReader::Verify(size_t index) {
  const StoredValue& value = *index_.values[index];
  std::vector<std::byte> buffer(
      static_cast<size_t>(std::min(value.size_bytes, kVerifyBytes)));
  uint32_t crc = 0;
  for (int64_t done = 0; done < value.size_bytes;) {
    std::span<std::byte> part = std::span(buffer).first(
        static_cast<size_t>(std::min(value.size_bytes - done, kVerifyBytes)));
    RETURN_IF_ERROR(ReadAt(index, value.offset + done, part));
    crc = Crc32c(part, crc);
    done += static_cast<int64_t>(part.size());
  }
  return CheckChecksum(index, crc);
}

absl::Status Hdf5CheckpointReader::VerifyAll() {
  for (size_t i = 0; i < index_.values.size(); ++i) {
    if (HasValue(i)) RETURN_IF_ERROR(Verify(i));
  }
  return absl::OkStatus();
}

std::string Hdf5CheckpointReader::Label(size_t index) const {
  return absl::StrCat("checkpoint '", name_, "': entry '",
                      index_.contents.entries[index].path, "'");
}

absl::Status Hdf5CheckpointReader::CheckChecksum(size_t index,
                                                 uint32_t crc) const {
  const uint32_t expected = index_.values[index]->crc32c;
  if (crc == expected) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(
      Label(index), " has checksum ", absl::Hex(crc, absl::kZeroPad8), ", not ",
      absl::Hex(expected, absl::kZeroPad8)));
}

absl::Status Hdf5CheckpointReader::ReadAt(size_t index, int64_t offset,
                                          std::span<std::byte> out) {
  absl::Status status = file_->ReadAt(offset, out);
  if (absl::IsOutOfRange(status)) {
    status = absl::DataLossError(status.message());
  }
  return Annotate(status, Label(index));
}

}  // namespace varkeep::storage::hdf5
