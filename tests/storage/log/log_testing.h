// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TESTS_STORAGE_LOG_LOG_TESTING_H_
#define VARKEEP_TESTS_STORAGE_LOG_LOG_TESTING_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "storage/log/log.h"
#include "storage/log/log_format.h"
#include "storage/memory_file_system.h"
#include "tensor/tensor_ops.h"
#include "tests/testing/checkpoints.h"
#include "tests/testing/fault_injecting_file_system.h"

namespace varkeep::storage {

// What opening a log gave.
struct OpenedLog {
  absl::Status status;
  std::unique_ptr<Log> log;  // null after an error
  std::vector<LogRecord> records;
  LogRecovered recovered;
};

inline constexpr char kLogDirectory[] = "/data/log";

inline LogOptions SmallSegments(int64_t segment_bytes = 64 << 10) {
  LogOptions options;
  options.directory = kLogDirectory;
  options.segment_bytes = options.max_segment_bytes = segment_bytes;
  options.prepare_in_background = false;
  options.sync_interval = absl::Milliseconds(1);
  return options;
}
inline LogOptions WithDrafts(LogOptions options, int64_t draft_bytes = 1) {
  options.draft_bytes = draft_bytes;
  return options;
}

inline OpenedLog OpenLog(FileSystem* disk,
                         const LogOptions& options = SmallSegments(),
                         uint64_t after = 0, uint64_t skip = 0) {
  OpenedLog opened;
  auto replay = [&](LogRecord record) {
    opened.records.push_back(std::move(record));
    return absl::OkStatus();
  };
  absl::StatusOr<std::unique_ptr<Log>> log =
      Log::Open(disk, options, after, skip, replay, nullptr, &opened.recovered);
  opened.status = log.status();
  if (log.ok()) opened.log = *std::move(log);
  return opened;
}

// Appends, from a draft if the log makes one of such an entry; gives the
// revision that was published, 0 when none was.
struct Appended {
  absl::StatusOr<Durability> result;
  uint64_t revision = 0;
};
inline Appended Append(Log* log, LogEntry entry,
                       Durability wanted = Durability::kFsync) {
  std::unique_ptr<LogDraft> draft = log->Draft(entry);
  if (draft != nullptr) draft->Extend(entry.tensors[0]->size_bytes());
  entry.draft = draft.get();
  Appended appended{absl::UnknownError("not appended")};
  appended.result = log->Append(
      entry, wanted, [&](uint64_t revision) { appended.revision = revision; });
  return appended;
}

inline LogEntry Body(std::string body, uint64_t revisions = 1) {
  return {std::move(body), {}, revisions};
}

inline LogEntry MakeSampleEntry(uint32_t i) {
  LogEntry entry =
      Body(absl::StrCat("entry ", i, std::string(i % 7 * 40, 'b')), 1 + i % 3);
  for (uint32_t t = 0; t < i % 4; ++t) {
    const DType dtype = kAllDTypes[(i + t) % std::size(kAllDTypes)];
    const Shape shape =
        t == 1 ? Shape({}) : Shape({static_cast<int64_t>(i * 5 % 61), 3});
    entry.tensors.push_back(RandomTensor(dtype, shape, i + t));
  }
  return entry;
}

// The entry of number `i`, below 64: always the same, of many kinds and sizes.
inline const LogEntry& SampleEntry(uint32_t i) {
  static const std::vector<LogEntry>* const entries = [] {
    auto* made = new std::vector<LogEntry>;
    for (uint32_t n = 0; n < 64; ++n) made->push_back(MakeSampleEntry(n));
    return made;
  }();
  return entries->at(i);
}

// Bodies may differ by spaces at their ends.
inline bool SameEntry(const LogEntry& a, const LogEntry& b) {
  if (absl::StripTrailingAsciiWhitespace(a.body) !=
          absl::StripTrailingAsciiWhitespace(b.body) ||
      a.revisions != b.revisions || a.tensors.size() != b.tensors.size()) {
    return false;
  }
  for (size_t i = 0; i < a.tensors.size(); ++i) {
    if (!BitwiseEqual(*a.tensors[i], *b.tensors[i])) return false;
  }
  return true;
}

// How many of SampleEntry(0), (1), ... `records` are, in order and without a
// gap from revision `after` on; -1 when they are anything else.
inline int64_t SamplePrefix(const std::vector<LogRecord>& records,
                            uint64_t after = 0) {
  for (size_t i = 0; i < records.size(); ++i) {
    const LogEntry expected = SampleEntry(static_cast<uint32_t>(i));
    if (records[i].before != after ||
        records[i].revision != after + expected.revisions ||
        !SameEntry(records[i].entry, expected)) {
      return -1;
    }
    after = records[i].revision;
  }
  return static_cast<int64_t>(records.size());
}

// The k-th call to the disk fails.
inline Fault FailAt(int64_t k) {
  Fault fault;
  fault.at = k;
  return fault;
}
// The k-th call to the disk is the last before the power is cut.
inline Fault CutPowerAt(int64_t k, MemoryFileSystem* disk, uint32_t seed) {
  Fault fault = FailAt(k);
  fault.sticky = true;
  fault.action = [disk, seed] { disk->LosePower(seed); };
  return fault;
}

// A segment file as it is on the disk.
inline std::vector<std::byte> ReadWhole(FileSystem* disk,
                                        const std::string& path) {
  std::unique_ptr<File> file = disk->OpenForRead(path).value();
  std::vector<std::byte> bytes(static_cast<size_t>(file->Size().value()));
  if (!file->ReadAt(0, bytes).ok()) std::abort();
  return bytes;
}
inline void WriteWhole(FileSystem* disk, const std::string& path,
                       std::span<const std::byte> bytes) {
  disk->Remove(path).IgnoreError();
  std::unique_ptr<File> file = disk->Create(path).value();
  if (!file->WriteAt(0, bytes).ok() || !file->Sync().ok()) std::abort();
}

// Paths of the segments, oldest first.
inline std::vector<std::string> SegmentPaths(FileSystem* disk) {
  std::vector<std::string> paths;
  const std::vector<std::string> names = disk->List(kLogDirectory).value();
  for (const std::string& name : names) {
    if (log_format::IsTemporaryName(name)) continue;
    paths.push_back(absl::StrCat(kLogDirectory, "/", name));
  }
  return paths;
}

}  // namespace varkeep::storage

#endif  // VARKEEP_TESTS_STORAGE_LOG_LOG_TESTING_H_
