// SPDX-License-Identifier: Apache-2.0
#include "server/durability/run_marker.h"

#include <gmock/gmock.h>

#include <functional>
#include <memory>
#include <vector>

#include "storage/memory_file_system.h"
#include "tests/testing/fault_injecting_file_system.h"
#include "tests/testing/status_matchers.h"

namespace varkeep {
namespace {

class RunMarkerTest : public ::testing::Test {
 protected:
  RunMarkerTest() { EXPECT_OK(disk_.MakeDirectory("/data")); }

  // What a server finds that starts when the machine has this boot id.
  RunMarker::Begun Start(const std::string& boot_id, bool log_begun = true) {
    RunMarker marker(&disk_, "/data", boot_id);
    absl::StatusOr<RunMarker::Begun> begun = marker.Find();
    EXPECT_OK(begun);
    EXPECT_OK(marker.Begin(log_begun));
    return begun.value_or(RunMarker::Begun());
  }
  void StartAndStop(const std::string& boot_id, bool log_begun = true) {
    RunMarker marker(&disk_, "/data", boot_id);
    EXPECT_OK(marker.Begin(log_begun));
    EXPECT_OK(marker.End());
  }
  void FillUp() {
    ASSERT_OK_AND_ASSIGN(int64_t free, disk_.FreeBytes("/"));
    ASSERT_OK_AND_ASSIGN(std::unique_ptr<storage::File> file,
                         disk_.Create("/ballast"));
    ASSERT_OK(
        file->WriteAt(0, std::vector<std::byte>(static_cast<size_t>(free))));
  }

  storage::MemoryFileSystem disk_{1 << 10};
};

TEST_F(RunMarkerTest, TheFirstStartFollowsNoCrash) {
  EXPECT_FALSE(Start("boot 1").after_crash);
}

TEST_F(RunMarkerTest, ACleanStopIsNoCrash) {
  StartAndStop("boot 1");

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

TEST_F(RunMarkerTest, AFullDiskTakesNothingFromWhatItSays) {
  Start("boot 1");
  ASSERT_NO_FATAL_FAILURE(FillUp());

  EXPECT_FALSE(Start("boot 1").after_power_cut);
  disk_.LosePower();
  EXPECT_TRUE(Start("boot 2").after_power_cut);
  disk_.LosePower();
  EXPECT_TRUE(Start("boot 3").after_power_cut);
}

TEST_F(RunMarkerTest, AStartOnAFullDiskFollowsACleanStop) {
  StartAndStop("boot 1");
  ASSERT_NO_FATAL_FAILURE(FillUp());

  EXPECT_FALSE(Start("boot 2").after_crash);
  disk_.LosePower();

  EXPECT_TRUE(Start("boot 3").after_power_cut);
}

TEST_F(RunMarkerTest, WithoutAnyMarkerAFullDiskIsRefused) {
  ASSERT_NO_FATAL_FAILURE(FillUp());
  RunMarker marker(&disk_, "/data", "boot 1");

  EXPECT_THAT(marker.Begin(false),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       ::testing::HasSubstr("/data/RUNNING")));

  ASSERT_OK_AND_ASSIGN(auto names, disk_.List("/data"));
  EXPECT_THAT(names, ::testing::IsEmpty());
}

// Not even a clean stop forgets it.
TEST_F(RunMarkerTest, APowerCutIsKeptUntilTheLogHasIt) {
  Start("boot 1");
  disk_.LosePower();
  Start("boot 2", false);
  EXPECT_TRUE(Start("boot 2", false).after_power_cut);
  StartAndStop("boot 2", false);

  EXPECT_TRUE(Start("boot 2", true).after_power_cut);

  EXPECT_FALSE(Start("boot 2").after_power_cut);
}

// Each of them fails at whichever call, and does what it should when the disk
// works again.
TEST_F(RunMarkerTest, AnyCallMayFail) {
  Start("boot 1");
  FaultInjectingFileSystem faulty(&disk_);
  RunMarker marker(&faulty, "/data", "boot 2");
  const std::function<absl::Status()> steps[] = {
      [&] { return marker.Find().status(); },
      [&] { return marker.Begin(true); }, [&] { return marker.End(); }};
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
  EXPECT_FALSE(Start("boot 2").after_crash);
}

}  // namespace
}  // namespace varkeep
