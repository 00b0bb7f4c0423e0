// SPDX-License-Identifier: Apache-2.0
//
// The power is cut at every call to the disk of a run, and then again at every
// call of the start that follows: under fsync nothing acknowledged is lost,
// otherwise only the end of what was.
#include "storage/memory_file_system.h"
#include "tests/faults/script.h"
#include "tests/server/variables/store_testing.h"
#include "tests/testing/fault_injecting_file_system.h"

namespace varkeep {
namespace {

using storage::MemoryFileSystem;

// The k-th call is the last; what was not synced is kept or lost as the seed
// says.
Fault CutAt(int64_t k, MemoryFileSystem* disk, uint32_t seed) {
  Fault fault;
  fault.at = k;
  fault.sticky = true;
  fault.action = [disk, seed] { disk->LosePower(seed); };
  return fault;
}

LifeOptions AfterPowerCut(int nth = 1) {
  LifeOptions options;
  options.boot_id = absl::StrCat("boot ", nth + 1);
  return options;
}

// A run that the power ended at call `k`; nullopt when it ended before.
struct CutRun {
  // False when the run ended before call `k`.
  bool Start(int64_t k, uint32_t seed,
             Durability durability = Durability::kFsync) {
    LifeOptions options;
    options.durability = durability;
    absl::StatusOr<std::unique_ptr<Life>> life = Life::Begin(&disk, options);
    EXPECT_OK(life);
    disk.Inject(CutAt(k, &base, seed));
    result = RunScript(ScriptedRun(), *std::move(life));
    if (!disk.happened()) return false;
    last_call = disk.calls()[static_cast<size_t>(k - 1)];
    disk.Inject({});
    return true;
  }

  MemoryFileSystem base;
  FaultInjectingFileSystem disk{&base};
  RunResult result;
  std::string last_call;
};

class PowerCutTest : public ::testing::TestWithParam<uint32_t> {};

TEST_P(PowerCutTest, AtEveryCallLosesNothingAcknowledged) {
  int64_t k = 1;
  for (;; ++k) {
    CutRun run;
    if (!run.Start(k,
                   GetParam() == 0 ? 0 : GetParam() + static_cast<uint32_t>(k)))
      break;
    SCOPED_TRACE(run.last_call);
    absl::StatusOr<std::unique_ptr<Life>> life =
        Life::Begin(&run.disk, AfterPowerCut());
    ASSERT_OK(life);
    ExpectRecovered(run.result, life->get());
    if (HasFailure()) return;
  }
  EXPECT_GT(k, 100);
}

INSTANTIATE_TEST_SUITE_P(Seeds, PowerCutTest,
                         ::testing::Values(0u, 1000u, 2000u, 3000u));

// What was synced by the way, with a save or a full segment, is there; nothing
// is there without all that came before it.
TEST_P(PowerCutTest, AtEveryCallOfARunThatDoesNotSyncLosesOnlyItsEnd) {
  int64_t lost = 0;
  for (int64_t k = 1;; ++k) {
    CutRun run;
    if (!run.Start(k, GetParam() + static_cast<uint32_t>(k),
                   Durability::kNone)) {
      break;
    }
    SCOPED_TRACE(run.last_call);
    absl::StatusOr<std::unique_ptr<Life>> life =
        Life::Begin(&run.disk, AfterPowerCut());
    ASSERT_OK(life);
    ExpectPrefix(run.result, life->get());
    if (HasFailure()) return;
    if ((*life)->store().Snapshot().requests.entries.size() <
        run.result.acknowledged.requests.entries.size()) {
      ++lost;
    }
  }
  EXPECT_GT(lost, 10) << "the disk lost nothing, so nothing was shown";
}

TEST(SecondPowerCutTest, AtEveryCallOfTheNextStartLosesNothingEither) {
  int64_t cuts = 0;
  for (int64_t k = 1;; k += 17) {
    for (int64_t j = 1;; ++j) {
      CutRun run;
      const auto seed = static_cast<uint32_t>(k * 1000 + j);
      if (!run.Start(k, seed)) {
        EXPECT_GT(cuts, 200);
        return;
      }
      SCOPED_TRACE(run.last_call);
      run.disk.Inject(CutAt(j, &run.base, seed + 1));
      absl::StatusOr<std::unique_ptr<Life>> first =
          Life::Begin(&run.disk, AfterPowerCut());
      if (!run.disk.happened()) break;
      SCOPED_TRACE(run.disk.calls()[static_cast<size_t>(j - 1)]);
      run.disk.Inject({});
      absl::StatusOr<std::unique_ptr<Life>> second =
          Life::Begin(&run.disk, AfterPowerCut(2));
      ASSERT_OK(second);
      // What was shown once stays.
      if (first.ok()) {
        ExpectSameSnapshot((*second)->store().Snapshot(),
                           (*first)->store().Snapshot());
      }
      ExpectRecovered(run.result, second->get());
      if (HasFailure()) return;
      ++cuts;
    }
  }
}

}  // namespace
}  // namespace varkeep
