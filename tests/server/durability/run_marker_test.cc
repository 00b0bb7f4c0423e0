// SPDX-License-Identifier: Apache-2.0
#include "server/durability/run_marker.h"

#include <gtest/gtest.h>

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

TEST_F(RunMarkerTest, AMarkerThatCannotBeReadIsAnError) {
  Start("boot 1");
  FaultInjectingFileSystem faulty(&disk_);
  Fault fault;
  fault.at = 1;
  fault.sticky = true;
  faulty.Inject(fault);

  EXPECT_FALSE(RunMarker(&faulty, "/data", "boot 1").Find().ok());
  EXPECT_FALSE(RunMarker(&faulty, "/data", "boot 1").Begin().ok());
}

}  // namespace
}  // namespace varkeep
