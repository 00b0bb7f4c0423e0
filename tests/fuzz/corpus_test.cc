// SPDX-License-Identifier: Apache-2.0
//
// Replays what fuzzing kept, in every build.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "tests/fuzz/log_reader_fuzz.h"

namespace varkeep {
namespace {

TEST(CorpusTest, LogReader) {
  int inputs = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(CORPUS "/log_reader")) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
    storage::ReadAnyLog(
        {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
    ++inputs;
  }
  EXPECT_GT(inputs, 0);
}

}  // namespace
}  // namespace varkeep
