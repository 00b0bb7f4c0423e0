// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_LOG_LOG_RECORD_H_
#define VARKEEP_STORAGE_LOG_LOG_RECORD_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "storage/log/log.h"
#include "storage/log/log_format.h"

namespace varkeep::storage {

// An entry ready to be written: all but what is known only when it is its turn.
// Borrows the tensors' bytes of the entry. One thread.
class EncodedRecord {
 public:
  // Computes the checksum, so does work for every byte. INVALID_ARGUMENT when
  // the entry is too large or takes no revision.
  static absl::StatusOr<EncodedRecord> Create(const LogEntry& entry);
  // The same without the checksum, which Seal is to give: tensors need not have
  // their values yet.
  static absl::StatusOr<EncodedRecord> CreateUnsealed(const LogEntry& entry);
  // Where in its record the first tensor of an entry will be.
  static int64_t TensorOffset(const LogEntry& entry);

  // `payload_crc`: CRC-32C of all pieces but the header.
  void Seal(uint32_t payload_crc) { header_.payload_crc = payload_crc; }
  int64_t bytes() const { return header_.bytes; }
  uint64_t revisions() const { return revisions_; }

  // Fills in the rest of the header and gives it as it will be written.
  log_format::RecordHeaderBytes Finish(uint64_t before, uint64_t synced,
                                       uint64_t salt);
  // What is to be written, in order, the header first. REQUIRES: Finish was
  // called, or the header does not matter.
  void ForEachPiece(
      absl::FunctionRef<void(std::span<const std::byte>)> visit) const;

 private:
  EncodedRecord() = default;
  void AddTensors(const LogEntry& entry);
  uint32_t PayloadCrc() const;

  log_format::RecordHeader header_;
  uint64_t revisions_ = 0;
  // Header, table, body and what fills the space between tensors.
  std::vector<std::byte> small_;
  // The pieces between which a tensor's bytes come: ends within small_.
  std::vector<size_t> ends_;
  std::vector<std::span<const std::byte>> tensors_;
};

// What the table of a record says about one tensor.
struct TensorPlace {
  DType dtype = DType::kFloat32;
  Shape shape;
  int64_t offset = 0;  // from the beginning of the record
  int64_t bytes = 0;
};

struct RecordLayout {
  int64_t body_offset = 0;
  std::vector<TensorPlace> tensors;
};

// Reads the table, which is not trusted: every size is checked against the
// record's. `payload` is what follows the header, or the first
// `LargestTable(header)` bytes of it. DATA_LOSS.
absl::StatusOr<RecordLayout> ParseRecordTable(
    const log_format::RecordHeader& header, std::span<const std::byte> payload);
// No table is larger than this; never more than the record.
int64_t LargestTable(const log_format::RecordHeader& header);

}  // namespace varkeep::storage

#endif  // VARKEEP_STORAGE_LOG_LOG_RECORD_H_
