// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TESTS_CRASH_DIRECTORY_WITNESS_H_
#define VARKEEP_TESTS_CRASH_DIRECTORY_WITNESS_H_

#include <filesystem>
#include <map>
#include <string>

#include "tests/crash/verdict.h"

namespace varkeep {

// Looks at the data directory of a server that is killed: from the first save
// on it always has a checkpoint, every checkpoint that it lists is good, and
// what a kill left half written is gone after the next start.
class DirectoryWitness {
 public:
  // `verdict` must live longer.
  DirectoryWitness(std::string directory, Verdict* verdict)
      : directory_(std::move(directory)), verdict_(verdict) {}

  // After a kill, before the next start; reads every checkpoint. True when the
  // kill came during a save: its file is there and is not listed.
  bool ExamineDead();
  // Once the server serves again.
  void ExamineAlive();

 private:
  // When each was last written; another file under the same name differs.
  using Files = std::map<std::string, std::filesystem::file_time_type>;
  Files HalfWritten() const;

  const std::string directory_;
  Verdict* const verdict_;
  Files litter_;
};

}  // namespace varkeep

#endif  // VARKEEP_TESTS_CRASH_DIRECTORY_WITNESS_H_
