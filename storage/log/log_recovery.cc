// SPDX-License-Identifier: Apache-2.0
//
// Reading a log after whatever happened to it.
//
// The segment that was begun last names its predecessor and where that really
// ended, and so on back: this chain is the log. Files outside of it were cut
// off by an earlier recovery and are void, as is what a file holds behind the
// end that its successor names.
//
// Where a record of the chain is not good segment_end.cc decides: either the
// log ends there, or it is damaged and is not opened.
//
// Nothing is written here. Cutting is done by the next segment, whose header
// says where this log ends; until it is on the disk all this can be repeated.
#include "storage/log/log_recovery.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/status_annotate.h"
#include "base/status_macros.h"
#include "storage/log/segment_chain.h"
#include "storage/log/segment_end.h"
#include "storage/log/segment_reader.h"

namespace varkeep::storage {
namespace {

using Step = SegmentReader::Step;
using log_format::kFirstRecord;

constexpr int64_t kProgressBytes = int64_t{16} << 20;

absl::Status Missing(const std::string& directory, uint64_t after,
                     const SegmentFile& next) {
  return absl::DataLossError(
      absl::StrCat("log '", directory, "' lacks what follows revision ", after,
                   ": the next file that is there, '", next.path,
                   "', goes on after revision ", next.header.from));
}

// `path` as a word of a shell's command.
std::string ShellWord(const std::string& path) {
  constexpr char kPlain[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./-+";
  if (path.find_first_not_of(kPlain) == std::string::npos) return path;
  return absl::StrCat("'", absl::StrReplaceAll(path, {{"'", "'\\''"}}), "'");
}

absl::Status Damaged(const std::string& directory, const SegmentReader& reader,
                     absl::string_view reason) {
  const SegmentPosition& at = reader.position();
  const std::string log = ShellWord(directory);
  const std::string file = reader.path().substr(reader.path().rfind('/') + 1);
  return absl::DataLossError(
      absl::StrCat("log file '", reader.path(), "' is damaged at offset ",
                   at.end, ", after revision ", at.last, ": ", reason,
                   "; `varkeep log inspect ", log,
                   "` shows what is there, `varkeep log "
                   "truncate ",
                   log, " --at ", file, ":", at.end,
                   "` gives up what follows and keeps a backup"));
}

class Recoverer {
 public:
  Recoverer(FileSystem* file_system, const std::string& directory,
            uint64_t after, LogReplay replay, const LogProgress& progress,
            LogRecovered* recovered)
      : file_system_(file_system),
        directory_(directory),
        after_(after),
        replay_(replay),
        progress_(progress),
        recovered_(recovered) {}

  absl::StatusOr<Recovery> Run(uint64_t skip);

 private:
  absl::StatusOr<size_t> FirstNeeded() const;
  absl::StatusOr<bool> ReplaySegment(size_t i);
  absl::Status Hand(LogRecord record, int64_t bytes);
  void AddProgress(int64_t bytes);
  absl::Status SyncAll();
  Recovery Result(uint64_t skip);

  FileSystem* const file_system_;
  const std::string& directory_;
  const uint64_t after_;
  const LogReplay replay_;
  const LogProgress& progress_;
  LogRecovered* const recovered_;

  SegmentChain chain_;
  uint64_t replayed_ = 0;
  SegmentPosition end_;  // of the last segment of the chain
  int64_t done_bytes_ = 0;
  int64_t told_bytes_ = 0;
  int64_t all_bytes_ = 0;
};

absl::StatusOr<Recovery> Recoverer::Run(uint64_t skip) {
  *recovered_ = LogRecovered();
  ASSIGN_OR_RETURN(chain_, ReadSegmentChain(file_system_, directory_));
  ASSIGN_OR_RETURN(size_t first, FirstNeeded());
  for (size_t i = first; i < chain_.segments.size(); ++i) {
    all_bytes_ += chain_.segments[i].file_bytes;
  }
  for (size_t i = first; i < chain_.segments.size(); ++i) {
    ASSIGN_OR_RETURN(bool complete, ReplaySegment(i));
    if (complete) continue;
    for (size_t later = i + 1; later < chain_.segments.size(); ++later) {
      chain_.cut_off.push_back(chain_.segments[later]);
    }
    chain_.segments.resize(i + 1);
  }
  if (progress_ && all_bytes_ > 0) progress_(all_bytes_, all_bytes_);
  RETURN_IF_ERROR(SyncAll());
  return Result(skip);
}

// The segment with the first record after `after_`. That nothing is missing
// from it on is known before anything is replayed.
absl::StatusOr<size_t> Recoverer::FirstNeeded() const {
  const std::vector<SegmentFile>& segments = chain_.segments;
  size_t first = segments.size();
  while (first > 0 && segments[first - 1].header.from > after_) --first;
  const bool missing = first == 0;
  if (!missing) --first;
  for (const SegmentChain::Unreadable& file : chain_.unreadable) {
    if (missing || segments.empty() ||
        file.base >= segments[first].header.base) {
      return Annotate(file.error, absl::StrCat("log '", directory_, "'"));
    }
  }
  if (segments.empty()) return 0;
  if (missing) return Missing(directory_, after_, segments[0]);
  for (size_t i = first + 1; i < segments.size(); ++i) {
    const log_format::SegmentHeader& header = segments[i].header;
    if (header.predecessor.last != header.from) {
      return Missing(directory_, header.predecessor.last, segments[i]);
    }
  }
  return first;
}

// False when the log ends in this segment before its time.
absl::StatusOr<bool> Recoverer::ReplaySegment(size_t i) {
  ASSIGN_OR_RETURN(std::unique_ptr<SegmentReader> reader,
                   SegmentReader::Open(file_system_, chain_.segments[i].path));
  const int64_t limit = LimitOf(chain_.segments, i, *reader);
  Step step = Step::kRecord;
  while (step == Step::kRecord || step == Step::kSkipped) {
    LogRecord record;
    const int64_t begin = reader->position().end;
    ASSIGN_OR_RETURN(step, reader->Next(limit, after_, &record));
    if (step == Step::kRecord) {
      RETURN_IF_ERROR(Hand(std::move(record), reader->position().end - begin));
    }
    AddProgress(reader->position().end - begin);
  }
  end_ = reader->position();
  ASSIGN_OR_RETURN(SegmentEnd end, ExamineEnd(file_system_, chain_.segments, i,
                                              step, after_, reader.get()));
  if (end.kind == SegmentEnd::Kind::kComplete) return true;
  if (end.kind == SegmentEnd::Kind::kDamaged) {
    return Damaged(directory_, *reader, end.reason);
  }
  recovered_->torn = {reader->path(), end_.end, end.lost_bytes, end.reason};
  return false;
}

absl::Status Recoverer::Hand(LogRecord record, int64_t bytes) {
  if (record.before < after_) {
    return absl::DataLossError(absl::StrCat(
        "log '", directory_, "' has a record from revision ", record.before,
        " to ", record.revision, "; revision ", after_, " is in the middle"));
  }
  replayed_ = record.revision;
  ++recovered_->records;
  recovered_->bytes += bytes;
  return replay_(std::move(record));
}

void Recoverer::AddProgress(int64_t bytes) {
  done_bytes_ += bytes;
  if (!progress_ || done_bytes_ - told_bytes_ < kProgressBytes) return;
  told_bytes_ = done_bytes_;
  progress_(done_bytes_, all_bytes_);
}

// After the end of a process the system may still have to write some of it,
// and the next segment says that all of it is on the disk.
absl::Status Recoverer::SyncAll() {
  for (const SegmentFile& segment : chain_.segments) {
    ASSIGN_OR_RETURN(std::unique_ptr<File> file,
                     file_system_->OpenForRead(segment.path));
    RETURN_IF_ERROR(file->Sync());
  }
  return absl::OkStatus();
}

Recovery Recoverer::Result(uint64_t skip) {
  Recovery result;
  result.next.number = chain_.highest_number + 1;
  result.next.from = std::max(replayed_, after_);
  // Above what any segment began with, too: the records of one whose base left
  // revisions out may all be lost.
  result.next.base = result.next.from;
  for (const auto* segments : {&chain_.segments, &chain_.cut_off}) {
    for (const SegmentFile& segment : *segments) {
      result.next.base = std::max(result.next.base, segment.header.base);
    }
  }
  result.next.base += skip;
  for (size_t i = 0; i < chain_.segments.size(); ++i) {
    const SegmentFile& segment = chain_.segments[i];
    const log_format::SegmentHeader& header = segment.header;
    if (i + 1 < chain_.segments.size()) {
      const auto& told = chain_.segments[i + 1].header.predecessor;
      result.next.predecessor = told;
    } else if (end_.end > kFirstRecord) {
      result.next.predecessor = {header.salt, header.base, end_.last, end_.end,
                                 end_.chain};
    } else {
      result.next.predecessor = header.predecessor;
      chain_.cut_off.push_back(segment);
      break;
    }
    result.segments.push_back({segment.path, result.next.predecessor.last,
                               result.next.predecessor.end - kFirstRecord});
  }
  for (const SegmentFile& segment : chain_.cut_off) {
    result.void_files.push_back(segment.path);
  }
  for (const std::string& path : chain_.temporary) {
    result.void_files.push_back(path);
  }
  return result;
}

}  // namespace

absl::StatusOr<Recovery> RecoverLog(FileSystem* file_system,
                                    const std::string& directory,
                                    uint64_t after, uint64_t skip,
                                    LogReplay replay,
                                    const LogProgress& progress,
                                    LogRecovered* recovered) {
  return Recoverer(file_system, directory, after, replay, progress, recovered)
      .Run(skip);
}

}  // namespace varkeep::storage
