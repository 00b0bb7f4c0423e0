// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TESTS_CRASH_SLOW_SAVE_H_
#define VARKEEP_TESTS_CRASH_SLOW_SAVE_H_

#include <functional>
#include <string>
#include <vector>

#include "tests/crash/raw_client.h"

namespace varkeep {

// Saves that take a while, because 64 MiB in 32 variables were drawn anew
// before each, so that none is in an earlier checkpoint. One thread.
class SlowSave {
 public:
  // `id` as of a RawClient.
  SlowSave(const std::string& address, uint64_t id);

  // Declares the variables.
  absl::Status SetUp();
  // `progress` as of RawClient::Save.
  absl::Status Run(const std::function<void(double)>& progress = nullptr);

 private:
  RawClient client_;
  std::vector<std::string> names_;
};

}  // namespace varkeep

#endif  // VARKEEP_TESTS_CRASH_SLOW_SAVE_H_
