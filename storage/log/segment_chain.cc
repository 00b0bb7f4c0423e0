// SPDX-License-Identifier: Apache-2.0
#include "storage/log/segment_chain.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "storage/log/segment_reader.h"

namespace varkeep::storage {
namespace {

absl::Status ReadSegment(FileSystem* file_system, const std::string& path,
                         uint64_t base, SegmentChain* chain,
                         std::map<uint64_t, SegmentFile>* by_base) {
  absl::StatusOr<std::unique_ptr<SegmentReader>> reader =
      SegmentReader::Open(file_system, path);
  if (reader.ok() && (*reader)->header().base != base) {
    reader = absl::DataLossError(
        absl::StrCat("log file '", path, "' has the name of another: it is ",
                     log_format::SegmentFileName((*reader)->header().base)));
  }
  if (absl::IsDataLoss(reader.status())) {
    chain->unreadable.push_back({path, base, reader.status()});
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(reader.status());
  const log_format::SegmentHeader& header = (*reader)->header();
  chain->highest_number = std::max(chain->highest_number, header.number);
  (*by_base)[base] = {path, (*reader)->file_bytes(), header};
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<SegmentChain> ReadSegmentChain(FileSystem* file_system,
                                              const std::string& directory) {
  SegmentChain chain;
  absl::StatusOr<std::vector<std::string>> names = file_system->List(directory);
  if (absl::IsNotFound(names.status())) return chain;
  RETURN_IF_ERROR(names.status());
  std::map<uint64_t, SegmentFile> by_base;
  for (const std::string& name : *names) {
    const std::string path = absl::StrCat(directory, "/", name);
    if (log_format::IsTemporaryName(name)) chain.temporary.push_back(path);
    std::optional<uint64_t> base = log_format::ParseSegmentFileName(name);
    if (!base.has_value()) continue;
    RETURN_IF_ERROR(ReadSegment(file_system, path, *base, &chain, &by_base));
  }
  auto at = std::max_element(
      by_base.begin(), by_base.end(), [](const auto& a, const auto& b) {
        return a.second.header.number < b.second.header.number;
      });
  while (at != by_base.end()) {
    const log_format::Predecessor before = at->second.header.predecessor;
    chain.segments.push_back(std::move(at->second));
    by_base.erase(at);
    at = before.salt == 0 ? by_base.end() : by_base.find(before.base);
    if (at != by_base.end() && at->second.header.salt != before.salt) break;
  }
  std::reverse(chain.segments.begin(), chain.segments.end());
  for (auto& [base, segment] : by_base) {
    const bool older = segment.header.from < chain.segments.front().header.from;
    (older ? chain.unconnected : chain.cut_off).push_back(std::move(segment));
  }
  return chain;
}

}  // namespace varkeep::storage
