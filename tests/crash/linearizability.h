// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TESTS_CRASH_LINEARIZABILITY_H_
#define VARKEEP_TESTS_CRASH_LINEARIZABILITY_H_

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace varkeep {

// One call for one variable, as its caller saw it.
struct RecordedCall {
  enum Kind { kRead, kAssign, kAdd, kCompareAndSet };
  enum Outcome {
    kDone,
    kRefused,     // compare-and-set: ABORTED, another version
    kUnanswered,  // it may have happened, or happen later, or never
  };
  Kind kind = kRead;
  Outcome outcome = kDone;
  int64_t argument = 0;           // the value, or what is added
  uint64_t expected_version = 0;  // compare-and-set
  int64_t value = 0;              // that was read
  uint64_t version = 0;           // that was read or made
  // When it began and was answered, on one clock that never stands still.
  int64_t began = 0;
  int64_t ended = std::numeric_limits<int64_t>::max();

  std::string ToString() const;
};

// A value and its version.
struct RegisterState {
  int64_t value = 0;
  uint64_t version = 0;
  // False after a change whose version nobody was told: it is above `version`.
  bool exact = true;
};

// An order of calls in which each happens between its beginning and its end,
// and sees what those before it did: nullopt when there is one. Otherwise the
// call that was the furthest that any order got to. (Wing and Gong's search,
// with Lowe's memory of what was tried.)
std::optional<RecordedCall> FindViolation(const RegisterState& before,
                                          std::vector<RecordedCall> calls);

}  // namespace varkeep

#endif  // VARKEEP_TESTS_CRASH_LINEARIZABILITY_H_
