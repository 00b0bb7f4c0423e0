// SPDX-License-Identifier: Apache-2.0
//
// Replays what fuzzing kept of requests, in every build that has the protocol.
#include "tests/fuzz/corpus_replay.h"
#include "tests/fuzz/fuzz_targets.h"

namespace varkeep {
namespace {

TEST(RequestCorpusTest, Requests) { ReplayCorpus("request", DecodeAnyRequest); }
TEST(RequestCorpusTest, Mutations) {
  ReplayCorpus("mutation", DecodeAnyMutation);
}

}  // namespace
}  // namespace varkeep
