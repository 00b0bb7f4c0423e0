// SPDX-License-Identifier: Apache-2.0
#include <thread>

#include "tests/faults/random_program.h"

namespace varkeep {
namespace {

using storage::MemoryFileSystem;

// The order in the log is the order in which changes took effect.
TEST(ConcurrentReplayTest, OfChangesOfManyThreadsGivesWhatTheServerHad) {
  for (uint32_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    MemoryFileSystem disk;
    std::unique_ptr<Life> life = BeginLife(&disk);
    std::vector<std::thread> threads;
    for (uint32_t i = 0; i < 4; ++i) {
      threads.emplace_back(
          [&life, program = RandomProgram(seed * 4 + i)]() mutable {
            DoSome(80, &program, life.get());
          });
    }
    ASSERT_OK(life->Save());
    for (std::thread& thread : threads) thread.join();
    const StoreSnapshot before = life->store().Snapshot();

    life.reset();
    life = BeginLife(&disk);

    ExpectSameSnapshot(life->store().Snapshot(), before);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace varkeep
