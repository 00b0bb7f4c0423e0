// SPDX-License-Identifier: Apache-2.0
//
// Replays what fuzzing kept, in every build.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/fuzz/fuzz_targets.h"

namespace varkeep::storage {
namespace {

void Replay(const std::string& name, void (*target)(std::span<const uint8_t>)) {
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

TEST(CorpusTest, LogReader) { Replay("log_reader", ReadAnyLog); }
TEST(CorpusTest, Manifest) { Replay("manifest", ReadAnyManifest); }
TEST(CorpusTest, Preflight) { Replay("preflight", CheckAnyHeader); }
TEST(CorpusTest, ImportFrames) { Replay("import_frames", ReadAnyFrames); }

}  // namespace
}  // namespace varkeep::storage
