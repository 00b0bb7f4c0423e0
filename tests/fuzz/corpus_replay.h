// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TESTS_FUZZ_CORPUS_REPLAY_H_
#define VARKEEP_TESTS_FUZZ_CORPUS_REPLAY_H_

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <vector>

namespace varkeep {

// Hands every input that was kept for `name` to its target.
inline void ReplayCorpus(const std::string& name,
                         void (*target)(std::span<const uint8_t>)) {
  int inputs = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(CORPUS "/" + name)) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
    target({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
    ++inputs;
  }
  EXPECT_GT(inputs, 0);
}

}  // namespace varkeep

#endif  // VARKEEP_TESTS_FUZZ_CORPUS_REPLAY_H_
