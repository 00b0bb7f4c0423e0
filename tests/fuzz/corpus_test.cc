// SPDX-License-Identifier: Apache-2.0
//
// Replays what fuzzing kept, in every build.
#include "tests/fuzz/corpus_replay.h"
#include "tests/fuzz/fuzz_targets.h"

namespace varkeep::storage {
namespace {

TEST(CorpusTest, Checkpoint) { ReplayCorpus("checkpoint", ReadAnyCheckpoint); }
TEST(CorpusTest, LogReader) { ReplayCorpus("log_reader", ReadAnyLog); }
TEST(CorpusTest, Manifest) { ReplayCorpus("manifest", ReadAnyManifest); }
TEST(CorpusTest, Preflight) { ReplayCorpus("preflight", CheckAnyHeader); }
TEST(CorpusTest, ImportFrames) { ReplayCorpus("import_frames", ReadAnyFrames); }

}  // namespace
}  // namespace varkeep::storage
