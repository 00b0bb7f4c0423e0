// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TESTS_CRASH_PASS_TIME_H_
#define VARKEEP_TESTS_CRASH_PASS_TIME_H_

#include <chrono>
#include <cstdint>
#include <future>

namespace varkeep {

// Not a wait for something to happen: the moment is what is tested.
inline void PassTime(uint64_t milliseconds) {
  std::promise<void> never;
  never.get_future().wait_for(std::chrono::milliseconds(milliseconds));
}

}  // namespace varkeep

#endif  // VARKEEP_TESTS_CRASH_PASS_TIME_H_
