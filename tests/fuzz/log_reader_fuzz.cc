// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "base/crc32c.h"
#include "storage/log/log.h"
#include "storage/log/log_format.h"
#include "storage/log/log_inspect.h"
#include "storage/memory_file_system.h"
#include "tests/fuzz/fuzz_targets.h"

namespace varkeep::storage {
namespace {

using log_format::kFirstRecord;

constexpr char kDirectory[] = "/log";

void Require(bool ok) {
  if (!ok) std::abort();
}

void PutMasked(std::span<std::byte> of, std::byte* to) {
  uint32_t crc = Crc32c(of);
  crc = ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
  std::memcpy(to, &crc, 4);
}

// The input without what would only be zeros or checksums: the header's 128
// bytes, then records, which are put where records begin.
std::vector<std::byte> SegmentOf(std::span<const uint8_t> input) {
  const size_t head = std::min<size_t>(input.size(), 128);
  const auto records = input.subspan(head);
  std::vector<std::byte> file(kFirstRecord + records.size());
  if (head > 0) std::memcpy(file.data(), input.data(), head);
  std::copy_n(std::as_bytes(records).data(), records.size(),
              file.begin() + kFirstRecord);
  PutMasked(std::span(file).first(124), &file[124]);
  size_t at = kFirstRecord;
  while (file.size() - at >= 64) {
    uint64_t bytes = 0;
    std::memcpy(&bytes, &file[at + 8], 8);
    const bool fits = bytes > 64 && bytes <= file.size() - at;
    if (fits) {
      PutMasked(std::span(file).subspan(at + 64, bytes - 64), &file[at + 4]);
    }
    PutMasked(std::span(file).subspan(at + 4, 60), &file[at]);
    if (!fits || bytes % 64 != 0) break;
    at += bytes;
  }
  return file;
}

int64_t OpenAll(FileSystem* disk) {
  LogOptions options;
  options.directory = kDirectory;
  options.segment_bytes = 16 << 10;
  options.prepare_in_background = false;
  LogRecovered recovered;
  uint64_t revision = 0;
  int64_t records = 0;
  auto log = Log::Open(
      disk, options, 0, 0,
      [&](LogRecord record) {
        Require(record.before >= revision && record.revision > record.before);
        revision = record.revision;
        ++records;
        return absl::OkStatus();
      },
      nullptr, &recovered);
  return log.ok() ? records : -1;
}

}  // namespace

void ReadAnyLog(std::span<const uint8_t> bytes) {
  const std::vector<std::byte> file = SegmentOf(bytes);
  uint64_t base = 0;
  std::memcpy(&base, &file[40], 8);
  const std::string name = log_format::SegmentFileName(base);
  MemoryFileSystem disk;
  Require(disk.MakeDirectory(kDirectory).ok());
  {
    auto segment = disk.Create(std::string(kDirectory) + "/" + name);
    Require(segment.ok() && (*segment)->WriteAt(0, file).ok());
  }
  int64_t end = kFirstRecord;
  auto reports = InspectLog(&disk, kDirectory, [&](const RecordReport& record) {
    Require(record.offset == end && record.revision > record.before);
    end = record.offset + record.bytes;
    Require(end <= static_cast<int64_t>(file.size()));
  });
  const int64_t opened = OpenAll(&disk);
  if (!reports.ok()) return;
  if (opened >= 0) Require((*reports)[0].records == opened);
  // Cut where inspection says, the log can be opened, if it begins at all.
  if (TruncateLog(&disk, kDirectory, name, end).ok() && opened >= 0) {
    Require(OpenAll(&disk) == opened);
  }
}

}  // namespace varkeep::storage
