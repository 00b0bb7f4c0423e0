// SPDX-License-Identifier: Apache-2.0
#include "server/durability/run_marker.h"

#include <gmock/gmock.h>

#include <functional>
#include <memory>

#include "storage/memory_file_system.h"
#include "tests/testing/fault_injecting_file_system.h"
#include "tests/testing/status_matchers.h"

namespace varkeep {
namespace {

class RunMarkerTest : public ::testing::Test {
 protected:
  RunMarkerTest() { EXPECT_OK(disk_.MakeDirectory("/data")); }

  // What a server finds that starts when the machine has this boot id.
  RunMarker::Begun Start(const std::string& boot_id) {
    RunMarker marker(&disk_, "/data", boot_id);
    absl::StatusOr<RunMarker::Begun> begun = marker.Find();
    EXPECT_OK(begun);
    EXPECT_OK(marker.Begin());
    return begun.value_or(RunMarker::Begun());
  }

  storage::MemoryFileSystem disk_;
};

TEST_F(RunMarkerTest, TheFirstStartFollowsNoCrash) {
  EXPECT_FALSE(Start("boot 1").after_crash);
}

TEST_F(RunMarkerTest, ACleanStopLeavesNothing) {
  Start("boot 1");
  ASSERT_OK(RunMarker(&disk_, "/data", "boot 1").End());

  const RunMarker::Begun begun = Start("boot 2");

  EXPECT_FALSE(begun.after_crash);
  EXPECT_FALSE(begun.after_power_cut);
}

TEST_F(RunMarkerTest, AKilledServerIsACrash) {
  Start("boot 1");

  const RunMarker::Begun begun = Start("boot 1");

  EXPECT_TRUE(begun.after_crash);
  EXPECT_FALSE(begun.after_power_cut);
}

TEST_F(RunMarkerTest, AMachineStartedAnewIsAPowerCut) {
  Start("boot 1");
  disk_.LosePower();

  const RunMarker::Begun begun = Start("boot 2");

  EXPECT_TRUE(begun.after_crash);
  EXPECT_TRUE(begun.after_power_cut);
}

TEST_F(RunMarkerTest, WithoutABootIdEveryCrashCountsAsAPowerCut) {
  Start("");

  EXPECT_TRUE(Start("").after_power_cut);
}

TEST_F(RunMarkerTest, FindingChangesNothing) {
  Start("boot 1");
  RunMarker marker(&disk_, "/data", "boot 2");

  for (int i = 0; i < 2; ++i) {
    ASSERT_OK_AND_ASSIGN(RunMarker::Begun begun, marker.Find());
    EXPECT_TRUE(begun.after_power_cut);
  }
}

// Each of them fails at whichever call, and does what it should when the disk
// works again.
TEST_F(RunMarkerTest, AnyCallMayFail) {
  Start("boot 1");
  FaultInjectingFileSystem faulty(&disk_);
  RunMarker marker(&faulty, "/data", "boot 1");
  const std::function<absl::Status()> steps[] = {
      [&] { return marker.Find().status(); }, [&] { return marker.Begin(); },
      [&] { return marker.End(); }};
  for (const auto& step : steps) {
    Fault fault;
    for (fault.at = 1;; ++fault.at) {
      faulty.Inject(fault);
      absl::Status status = step();
      if (!faulty.happened()) break;
      EXPECT_THAT(status, StatusIs(absl::StatusCode::kInternal,
                                   ::testing::HasSubstr("/data")));
    }
    EXPECT_GT(fault.at, 2);
    faulty.Heal();
    EXPECT_OK(step());
  }
  EXPECT_FALSE(Start("boot 1").after_crash);
}

}  // namespace
}  // namespace varkeep
