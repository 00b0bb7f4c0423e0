// SPDX-License-Identifier: Apache-2.0
#include "client/cli/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <utility>

#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "client/cli/format.h"

namespace varkeep::cli {
namespace {

bool IsTerminal() {
  const char* term = std::getenv("TERM");
  return isatty(STDERR_FILENO) == 1 &&
         (term == nullptr || absl::string_view(term) != "dumb");
}

}  // namespace

ProgressBar::ProgressBar(std::string label)
    : label_(std::move(label)),
      enabled_(IsTerminal()),
      started_(absl::Now()),
      last_(started_) {}

ProgressBar::~ProgressBar() {
  if (width_ > 0) std::cerr << '\r' << std::string(width_, ' ') << '\r';
}

std::string ProgressBar::Line(const std::string& label, int64_t done,
                              int64_t total) {
  constexpr size_t kCells = 30;
  double part =
      total > 0
          ? std::clamp(static_cast<double>(done) / static_cast<double>(total),
                       0.0, 1.0)
          : 0.0;
  auto full = static_cast<size_t>(part * kCells);
  return absl::StrFormat(
      "%s  [%s%s] %3d%%  %s of %s", label, std::string(full, '#'),
      std::string(kCells - full, '.'), static_cast<int>(part * 100),
      FormatBytes(static_cast<uint64_t>(std::max<int64_t>(done, 0))),
      FormatBytes(static_cast<uint64_t>(std::max<int64_t>(total, 0))));
}

void ProgressBar::Update(int64_t done, int64_t total) {
  absl::Time now = absl::Now();
  if (!enabled_ || now - started_ < absl::Milliseconds(500) ||
      now - last_ < absl::Milliseconds(100)) {
    return;
  }
  last_ = now;
  std::string line = Line(label_, done, total);
  size_t width = line.size();
  if (width < width_) line.append(width_ - width, ' ');
  width_ = std::max(width_, width);
  std::cerr << '\r' << line << std::flush;
}

}  // namespace varkeep::cli
