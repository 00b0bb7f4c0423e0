// SPDX-License-Identifier: Apache-2.0
//
// Replaying the log, from the beginning or from a checkpoint, gives bit by bit
// what the server had: values, versions, declarations, and the requests that it
// remembers.
#include "tests/faults/random_program.h"

namespace varkeep {
namespace {

using storage::MemoryFileSystem;

TEST(ReplayTest, OfThousandsOfProgramsGivesWhatTheServerHad) {
  int64_t done = 0;
  for (uint32_t seed = 1; seed <= 2500; ++seed) {
    SCOPED_TRACE(seed);
    RandomProgram program(seed);
    MemoryFileSystem disk;
    std::unique_ptr<Life> life = BeginLife(&disk);
    done += DoSome(40, &program, life.get());
    const StoreSnapshot before = life->store().Snapshot();

    life.reset();
    life = BeginLife(&disk);

    ExpectSameSnapshot(life->store().Snapshot(), before);
    if (HasFailure()) return;
  }
  EXPECT_GT(done, 12'000);
}

TEST(ReplayTest, FromACheckpointOnGivesTheSame) {
  for (uint32_t seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE(seed);
    RandomProgram program(seed);
    MemoryFileSystem disk;
    for (int lives = 0; lives < 3; ++lives) {
      std::unique_ptr<Life> life = BeginLife(&disk);
      for (int saves = 0; saves < 3; ++saves) {
        DoSome(20, &program, life.get());
        if (program.Below(2) == 0) {
          ASSERT_OK(life->Save());
        }
      }
      const StoreSnapshot before = life->store().Snapshot();
      life.reset();
      life = BeginLife(&disk);
      ExpectSameSnapshot(life->store().Snapshot(), before);
      if (HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace varkeep
