// SPDX-License-Identifier: Apache-2.0
#include "client/cli/offline_log.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "client/cli/format.h"
#include "storage/log/log_format.h"
#include "storage/posix_file_system.h"

namespace varkeep::cli {
namespace {

using storage::SegmentReport;

constexpr char kLockFile[] = "LOCK";

std::string NameOf(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

bool HasSegments(const std::vector<std::string>& names) {
  return std::any_of(names.begin(), names.end(), [](const std::string& name) {
    return storage::log_format::ParseSegmentFileName(name).has_value();
  });
}

bool Has(const std::vector<std::string>& names, const std::string& wanted) {
  return std::find(names.begin(), names.end(), wanted) != names.end();
}

Json ToJson(const storage::RecordReport& record) {
  Json tensors = Json::array();
  for (const auto& tensor : record.tensors) {
    Json shape = Json::array();
    for (int64_t dim : tensor.shape.dims()) shape.push_back(dim);
    tensors.push_back({{"dtype", std::string(DTypeName(tensor.dtype))},
                       {"shape", shape},
                       {"size_bytes", tensor.bytes}});
  }
  return {{"file", NameOf(record.path)}, {"offset", record.offset},
          {"size_bytes", record.bytes},  {"before", record.before},
          {"revision", record.revision}, {"body_bytes", record.body_bytes},
          {"tensors", tensors}};
}

std::string TensorsText(const storage::RecordReport& record) {
  return absl::StrJoin(record.tensors, " ",
                       [](std::string* out, const auto& tensor) {
                         absl::StrAppend(out, DTypeName(tensor.dtype),
                                         tensor.shape.ToTupleString());
                       });
}

void PrintRecords(const std::vector<storage::RecordReport>& records) {
  Table table({"FILE", "OFFSET", "SIZE", "REVISION", "BODY", "TENSORS"});
  for (const storage::RecordReport& record : records) {
    table.Add({NameOf(record.path), absl::StrCat(record.offset),
               absl::StrCat(record.bytes), absl::StrCat(record.revision),
               absl::StrCat(record.body_bytes), TensorsText(record)});
  }
  Print(table.ToString());
}

}  // namespace

absl::StatusOr<std::string> LogDirectory(storage::FileSystem* files,
                                         std::string directory) {
  while (directory.size() > 1 && directory.back() == '/') directory.pop_back();
  ASSIGN_OR_RETURN(std::vector<std::string> names, files->List(directory));
  if (!HasSegments(names) && Has(names, "log")) {
    return absl::StrCat(directory, "/log");
  }
  return directory;
}

const char* StateName(SegmentReport::State state) {
  switch (state) {
    case SegmentReport::State::kClean:
      return "clean";
    case SegmentReport::State::kTorn:
      return "torn";
    case SegmentReport::State::kDamaged:
      return "damaged";
    case SegmentReport::State::kVoid:
      break;
  }
  return "void";
}

Json ToJson(const SegmentReport& segment) {
  return {
      {"file", NameOf(segment.path)},      {"first_revision", segment.first},
      {"last_revision", segment.last},     {"records", segment.records},
      {"size_bytes", segment.bytes},       {"end_offset", segment.end},
      {"state", StateName(segment.state)}, {"reason", segment.reason}};
}

void PrintSegments(const std::vector<SegmentReport>& segments) {
  Table table({"FILE", "RECORDS", "FIRST", "LAST", "SIZE", "END", "STATE"});
  for (const SegmentReport& segment : segments) {
    std::string state = StateName(segment.state);
    if (!segment.reason.empty()) absl::StrAppend(&state, ": ", segment.reason);
    table.Add({NameOf(segment.path), absl::StrCat(segment.records),
               absl::StrCat(segment.first), absl::StrCat(segment.last),
               FormatBytes(static_cast<uint64_t>(segment.bytes)),
               absl::StrCat(segment.end), state});
  }
  Print(table.ToString());
}

absl::Status DamageOf(const std::string& log,
                      const std::vector<SegmentReport>& segments) {
  for (const SegmentReport& segment : segments) {
    if (segment.state != SegmentReport::State::kDamaged) continue;
    return absl::DataLossError(absl::StrCat(
        "log '", log, "': '", NameOf(segment.path), "' is damaged at offset ",
        segment.end, ", after revision ", segment.last, ": ", segment.reason));
  }
  return absl::OkStatus();
}

absl::Status InspectLog(const Context& context,
                        const InspectArguments& arguments) {
  storage::PosixFileSystem files;
  ASSIGN_OR_RETURN(std::string log, LogDirectory(&files, arguments.directory));
  std::vector<storage::RecordReport> records;
  std::function<void(const storage::RecordReport&)> visit;
  if (arguments.records) {
    visit = [&](const storage::RecordReport& record) {
      records.push_back(record);
    };
  }
  ASSIGN_OR_RETURN(std::vector<SegmentReport> segments,
                   storage::InspectLog(&files, log, visit));
  if (context.json()) {
    Json list = Json::array();
    for (const SegmentReport& segment : segments) {
      list.push_back(ToJson(segment));
    }
    Json result = {{"directory", log}, {"segments", list}};
    if (arguments.records) {
      result["records"] = Json::array();
      for (const auto& record : records) {
        result["records"].push_back(ToJson(record));
      }
    }
    PrintJson(result);
  } else {
    if (arguments.records) PrintRecords(records);
    PrintSegments(segments);
  }
  return DamageOf(log, segments);
}

absl::Status TruncateLog(const Context& context,
                         const TruncateArguments& arguments) {
  const size_t colon = arguments.at.rfind(':');
  int64_t offset = 0;
  if (colon == std::string::npos ||
      !absl::SimpleAtoi(arguments.at.substr(colon + 1), &offset) ||
      offset < 0) {
    return UsageError(absl::StrCat("--at '", arguments.at,
                                   "' is not FILE:OFFSET, as log inspect "
                                   "names them"));
  }
  const std::string file = NameOf(arguments.at.substr(0, colon));
  storage::PosixFileSystem files;
  ASSIGN_OR_RETURN(std::string log, LogDirectory(&files, arguments.directory));
  // Nobody may use the data directory that it is in.
  const size_t slash = log.rfind('/');
  const std::string parent = slash == std::string::npos
                                 ? "."
                                 : log.substr(0, std::max<size_t>(slash, 1));
  ASSIGN_OR_RETURN(std::vector<std::string> names, files.List(parent));
  std::unique_ptr<storage::FileLock> lock;
  if (Has(names, kLockFile)) {
    ASSIGN_OR_RETURN(lock, files.Lock(absl::StrCat(parent, "/", kLockFile)));
  }
  ASSIGN_OR_RETURN(storage::Truncated cut,
                   storage::TruncateLog(&files, log, file, offset));
  if (context.json()) {
    PrintJson(Json{{"file", file},
                   {"offset", cut.offset},
                   {"last_revision", cut.last},
                   {"backup", cut.backup}});
  } else {
    Print(absl::StrCat("cut ", file, " at offset ", cut.offset,
                       ", after revision ", cut.last,
                       "; what was taken away is in ", cut.backup));
  }
  return absl::OkStatus();
}

}  // namespace varkeep::cli
