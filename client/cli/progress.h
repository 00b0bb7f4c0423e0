// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_CLIENT_CLI_PROGRESS_H_
#define VARKEEP_CLIENT_CLI_PROGRESS_H_

#include <cstdint>
#include <string>

#include "absl/time/time.h"

namespace varkeep::cli {

// A bar on stderr for work that takes more than half a second; nothing at all
// when stderr is not a terminal, or TERM is "dumb". Plain text: there is no
// colour to turn off. Gone when it is destroyed. One thread only.
class ProgressBar {
 public:
  explicit ProgressBar(std::string label);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void Update(int64_t done, int64_t total);

  // One line: "get w  [#####.....]  50%  52.4 MB of 104.9 MB".
  static std::string Line(const std::string& label, int64_t done,
                          int64_t total);

 private:
  const std::string label_;
  const bool enabled_;
  const absl::Time started_;
  absl::Time last_;
  size_t width_ = 0;  // of what is on the screen
};

}  // namespace varkeep::cli

#endif  // VARKEEP_CLIENT_CLI_PROGRESS_H_
