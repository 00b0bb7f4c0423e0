// SPDX-License-Identifier: Apache-2.0
#include "storage/log/log_inspect.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "storage/log/segment_chain.h"
#include "storage/log/segment_end.h"
#include "storage/log/segment_reader.h"

namespace varkeep::storage {
namespace {

using Step = SegmentReader::Step;
using State = SegmentReport::State;

constexpr int64_t kCopyBytes = int64_t{1} << 20;

RecordReport ReportOf(const SegmentReader& reader, const LogRecord& record,
                      int64_t offset) {
  RecordReport report;
  report.path = reader.path();
  report.offset = offset;
  report.bytes = reader.position().end - offset;
  report.before = record.before;
  report.revision = record.revision;
  report.body_bytes = static_cast<int64_t>(record.entry.body.size());
  for (const TensorRef& tensor : record.entry.tensors) {
    report.tensors.push_back(
        {tensor->dtype(), tensor->shape(), tensor->size_bytes()});
  }
  return report;
}

// Reads the good records; gives why they end.
absl::StatusOr<Step> ReadRecords(
    SegmentReader* reader, int64_t limit,
    const std::function<void(const RecordReport&)>& visit,
    SegmentReport* report) {
  Step step = Step::kRecord;
  while (step == Step::kRecord) {
    LogRecord record;
    const int64_t offset = reader->position().end;
    ASSIGN_OR_RETURN(step, reader->Next(limit, 0, &record));
    if (step != Step::kRecord) break;
    ++report->records;
    if (visit) visit(ReportOf(*reader, record, offset));
  }
  report->path = reader->path();
  report->first = reader->header().base + 1;
  report->last = reader->position().last;
  report->end = reader->position().end;
  report->bytes = report->end - log_format::kFirstRecord;
  return step;
}

absl::StatusOr<SegmentReport> InspectSegment(
    FileSystem* file_system, const std::vector<SegmentFile>& chain, size_t i,
    const std::function<void(const RecordReport&)>& visit) {
  SegmentReport report;
  ASSIGN_OR_RETURN(std::unique_ptr<SegmentReader> reader,
                   SegmentReader::Open(file_system, chain[i].path));
  ASSIGN_OR_RETURN(
      Step step,
      ReadRecords(reader.get(), LimitOf(chain, i, *reader), visit, &report));
  ASSIGN_OR_RETURN(SegmentEnd end,
                   ExamineEnd(file_system, chain, i, step, 0, reader.get()));
  if (end.kind == SegmentEnd::Kind::kTorn) report.state = State::kTorn;
  if (end.kind == SegmentEnd::Kind::kDamaged) report.state = State::kDamaged;
  report.reason = end.reason;
  return report;
}

SegmentReport ReportVoid(const SegmentFile& segment) {
  SegmentReport report;
  report.path = segment.path;
  report.first = segment.header.base + 1;
  report.last = segment.header.base;
  report.state = State::kVoid;
  report.reason = "the log went on without it";
  return report;
}

// "a/b/" is {"a", "b"}; without a slash the folder is ".".
std::string ParentOf(absl::string_view directory) {
  while (directory.size() > 1 && directory.back() == '/') {
    directory.remove_suffix(1);
  }
  const size_t slash = directory.rfind('/');
  if (slash == absl::string_view::npos) return ".";
  return std::string(directory.substr(0, std::max<size_t>(slash, 1)));
}

absl::StatusOr<std::string> MakeBackupFolder(FileSystem* file_system,
                                             const std::string& directory) {
  const std::string parent = ParentOf(directory);
  ASSIGN_OR_RETURN(std::vector<std::string> names, file_system->List(parent));
  const std::set<std::string> taken(names.begin(), names.end());
  int number = 1;
  while (taken.contains(absl::StrCat("log-backup-", number))) ++number;
  const std::string path = absl::StrCat(parent, "/log-backup-", number);
  RETURN_IF_ERROR(file_system->MakeDirectory(path));
  return path;
}

// A new file with the first `bytes` of `from`, on the disk.
absl::Status Copy(FileSystem* file_system, const std::string& from,
                  const std::string& to, int64_t bytes) {
  ASSIGN_OR_RETURN(std::unique_ptr<File> source,
                   file_system->OpenForRead(from));
  absl::Status removed = file_system->Remove(to);
  if (!removed.ok() && !absl::IsNotFound(removed)) return removed;
  ASSIGN_OR_RETURN(std::unique_ptr<File> target, file_system->Create(to));
  std::vector<std::byte> buffer(
      static_cast<size_t>(std::min(bytes, kCopyBytes)));
  for (int64_t at = 0; at < bytes; at += kCopyBytes) {
    auto piece = std::span(buffer).first(
        static_cast<size_t>(std::min(bytes - at, kCopyBytes)));
    RETURN_IF_ERROR(source->ReadAt(at, piece));
    RETURN_IF_ERROR(target->WriteAt(at, piece));
  }
  RETURN_IF_ERROR(target->Sync());
  return target->Close();
}

absl::Status BadCut(const SegmentReader& reader, int64_t offset,
                    absl::string_view why) {
  return absl::OutOfRangeError(absl::StrCat("cannot cut '", reader.path(),
                                            "' at offset ", offset, ": ", why,
                                            " ", reader.position().end));
}

// The end of the last good record up to `offset`.
absl::StatusOr<SegmentPosition> FindCut(SegmentReader* reader, int64_t offset) {
  SegmentPosition cut = reader->position();
  while (cut.end < offset) {
    LogRecord record;
    ASSIGN_OR_RETURN(Step step, reader->Next(reader->file_bytes(), 0, &record));
    if (step == Step::kEnd) {
      return BadCut(*reader, offset, "its records end at");
    }
    if (step == Step::kFlaw) {
      if (offset < cut.end + reader->flaw().bytes) break;
      return BadCut(*reader, offset, "there is damage before it, at");
    }
    if (reader->position().end > offset) break;
    cut = reader->position();
  }
  return cut;
}

std::string BaseName(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

// Of all segments that come after `base` or were begun after `number`, the
// newest first.
std::vector<std::string> LaterSegments(const SegmentChain& chain, uint64_t base,
                                       uint64_t number) {
  std::vector<std::pair<uint64_t, std::string>> later;
  auto add = [&](const SegmentFile& segment) {
    const log_format::SegmentHeader& header = segment.header;
    if (header.base > base || header.number > number) {
      later.emplace_back(header.number, segment.path);
    }
  };
  std::for_each(chain.segments.begin(), chain.segments.end(), add);
  std::for_each(chain.cut_off.begin(), chain.cut_off.end(), add);
  std::for_each(chain.unconnected.begin(), chain.unconnected.end(), add);
  for (const SegmentChain::Unreadable& file : chain.unreadable) {
    if (file.base > base) {
      later.emplace_back(std::numeric_limits<uint64_t>::max(), file.path);
    }
  }
  std::sort(later.rbegin(), later.rend());
  std::vector<std::string> paths;
  for (auto& [unused, path] : later) paths.push_back(std::move(path));
  return paths;
}

}  // namespace

absl::StatusOr<std::vector<SegmentReport>> InspectLog(
    FileSystem* file_system, const std::string& directory,
    const std::function<void(const RecordReport&)>& visit) {
  ASSIGN_OR_RETURN(SegmentChain chain,
                   ReadSegmentChain(file_system, directory));
  std::vector<SegmentReport> reports;
  for (const SegmentChain::Unreadable& file : chain.unreadable) {
    SegmentReport report;
    report.path = file.path;
    report.first = file.base + 1;
    report.last = file.base;
    report.state = State::kDamaged;
    report.reason = std::string(file.error.message());
    reports.push_back(std::move(report));
  }
  for (const SegmentFile& segment : chain.cut_off) {
    reports.push_back(ReportVoid(segment));
  }
  for (const SegmentFile& segment : chain.unconnected) {
    ASSIGN_OR_RETURN(SegmentReport report,
                     InspectSegment(file_system, {segment}, 0, visit));
    reports.push_back(std::move(report));
  }
  bool ended = false;
  for (size_t i = 0; i < chain.segments.size(); ++i) {
    if (ended) {
      reports.push_back(ReportVoid(chain.segments[i]));
      continue;
    }
    ASSIGN_OR_RETURN(SegmentReport report,
                     InspectSegment(file_system, chain.segments, i, visit));
    ended = report.state == State::kTorn;
    reports.push_back(std::move(report));
  }
  if (reports.empty()) {
    return absl::NotFoundError(
        absl::StrCat("there is no log in '", directory, "'"));
  }
  std::sort(reports.begin(), reports.end(),
            [](const SegmentReport& a, const SegmentReport& b) {
              return a.first < b.first;
            });
  return reports;
}

absl::StatusOr<Truncated> TruncateLog(FileSystem* file_system,
                                      const std::string& directory,
                                      const std::string& file, int64_t offset) {
  const std::string path = absl::StrCat(directory, "/", file);
  const auto base = log_format::ParseSegmentFileName(file);
  if (!base.has_value()) {
    return absl::NotFoundError(absl::StrCat("'", path, "' is no log file"));
  }
  ASSIGN_OR_RETURN(SegmentChain chain,
                   ReadSegmentChain(file_system, directory));
  Truncated result;
  result.last = *base;
  uint64_t number = std::numeric_limits<uint64_t>::max();
  int64_t file_bytes = 0;
  absl::StatusOr<std::unique_ptr<SegmentReader>> reader =
      SegmentReader::Open(file_system, path);
  const bool readable = reader.ok() && (*reader)->header().base == *base;
  if (readable) {
    ASSIGN_OR_RETURN(SegmentPosition cut, FindCut(reader->get(), offset));
    result.offset = cut.end;
    result.last = cut.last;
    number = (*reader)->header().number;
    file_bytes = (*reader)->file_bytes();
  } else if (!reader.ok() && !absl::IsDataLoss(reader.status())) {
    return reader.status();
  }

  // At no moment is a record that stays missing from the directory.
  ASSIGN_OR_RETURN(result.backup, MakeBackupFolder(file_system, directory));
  const std::string kept = log_format::TemporaryName(path);
  if (readable) {
    RETURN_IF_ERROR(Copy(file_system, path, kept, result.offset));
    RETURN_IF_ERROR(Copy(file_system, path,
                         absl::StrCat(result.backup, "/", file), file_bytes));
    RETURN_IF_ERROR(file_system->SyncDirectory(result.backup));
  }
  std::vector<std::string> moved = LaterSegments(chain, *base, number);
  if (!readable) moved.push_back(path);
  for (const std::string& later : moved) {
    RETURN_IF_ERROR(file_system->Rename(
        later, absl::StrCat(result.backup, "/", BaseName(later))));
    RETURN_IF_ERROR(file_system->SyncDirectory(result.backup));
  }
  if (readable) RETURN_IF_ERROR(file_system->Rename(kept, path));
  RETURN_IF_ERROR(file_system->SyncDirectory(directory));
  return result;
}

}  // namespace varkeep::storage
