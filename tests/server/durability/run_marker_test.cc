// SPDX-License-Identifier: Apache-2.0
#include "server/durability/run_marker.h"

#include <gtest/gtest.h>

#include <memory>

#include "storage/memory_file_system.h"
#include "tests/testing/fault_injecting_file_system.h"
#include "tests/testing/status_matchers.h"

namespace varkeep {
namespace {

using absl::StatusCode;
using ::testing::HasSubstr;

constexpr Revision kStep = RunMarker::kStep;

class RunMarkerTest : public ::testing::Test {
 protected:
  RunMarkerTest() { EXPECT_OK(disk_.MakeDirectory("/data")); }

  RunMarker::Begun Begin(Revision saved) {
    absl::StatusOr<RunMarker::Begun> begun = marker_.Begin(saved);
    EXPECT_OK(begun);
    return begun.value_or(RunMarker::Begun());
  }
  void WriteMarker(const std::string& text) {
    ASSERT_OK_AND_ASSIGN(auto file, disk_.Create("/data/RUNNING"));
    ASSERT_OK(file->WriteAt(0, std::as_bytes(std::span(text))));
    ASSERT_OK(file->Close());
  }

  storage::MemoryFileSystem disk_;
  RunMarker marker_{&disk_, "/data"};
};

TEST_F(RunMarkerTest, ACleanStopContinues) {
  EXPECT_EQ(Begin(0).revision, 0u);
  ASSERT_OK(marker_.End());

  const RunMarker::Begun begun = Begin(42);

  EXPECT_EQ(begun.revision, 42u);
  EXPECT_FALSE(begun.after_crash);
}

TEST_F(RunMarkerTest, ACrashJumpsToTheNextMultiple) {
  Begin(42);

  const RunMarker::Begun begun = Begin(42);

  EXPECT_EQ(begun.revision, kStep);
  EXPECT_TRUE(begun.after_crash);
}

TEST_F(RunMarkerTest, EveryCrashJumpsFurther) {
  Begin(42);
  EXPECT_EQ(Begin(42).revision, kStep);
  EXPECT_EQ(Begin(42).revision, 2 * kStep);
  EXPECT_EQ(Begin(2 * kStep + 7).revision, 3 * kStep);
  EXPECT_EQ(Begin(4 * kStep).revision, 5 * kStep);
  ASSERT_OK(marker_.End());
  EXPECT_EQ(Begin(5 * kStep + 1).revision, 5 * kStep + 1);
}

TEST_F(RunMarkerTest, EndingTwiceIsFine) {
  Begin(1);
  EXPECT_OK(marker_.End());
  EXPECT_OK(marker_.End());
}

TEST_F(RunMarkerTest, ThePowerMayGoAtAnyTime) {
  for (uint32_t seed = 0; seed < 20; ++seed) {
    Begin(1);
    disk_.LosePower(seed);
    EXPECT_TRUE(Begin(1).after_crash) << seed;
    ASSERT_OK(marker_.End());
    disk_.LosePower(seed);
    EXPECT_FALSE(Begin(1).after_crash) << seed;
    ASSERT_OK(marker_.End());
  }
}

// Whatever call of Begin or End is the last one before the power goes, a
// revision that was given out is never given out again.
TEST(RunMarkerFaultTest, ABeginThatIsCutOffIsFollowedByAHigherOne) {
  for (bool crashed_before : {false, true}) {
    bool happened = true;
    for (int n = 1; happened; ++n) {
      SCOPED_TRACE(n);
      storage::MemoryFileSystem disk;
      ASSERT_OK(disk.MakeDirectory("/data"));
      FaultInjectingFileSystem faulty(&disk);
      RunMarker marker(&faulty, "/data");
      Revision used = 10;
      if (crashed_before) {
        ASSERT_OK(marker.Begin(10));
        ASSERT_OK_AND_ASSIGN(RunMarker::Begun begun, marker.Begin(10));
        used = begun.revision;
      }
      Fault fault;
      fault.at = n;
      fault.sticky = true;
      fault.action = [&disk, n] { disk.LosePower(static_cast<uint32_t>(n)); };
      faulty.Inject(fault);

      absl::StatusOr<RunMarker::Begun> cut_off = marker.Begin(10);

      happened = faulty.happened();
      EXPECT_EQ(cut_off.ok(), !happened);
      faulty.Heal();
      if (cut_off.ok()) used = cut_off->revision;
      ASSERT_OK_AND_ASSIGN(RunMarker::Begun next, marker.Begin(10));
      if (crashed_before || cut_off.ok()) {
        EXPECT_TRUE(next.after_crash);
        EXPECT_GT(next.revision, used);
      }
    }
  }
}

TEST(RunMarkerFaultTest, AnEndThatIsCutOffLeavesTheMarkerOrNone) {
  bool happened = true;
  for (int n = 1; happened; ++n) {
    SCOPED_TRACE(n);
    storage::MemoryFileSystem disk;
    ASSERT_OK(disk.MakeDirectory("/data"));
    FaultInjectingFileSystem faulty(&disk);
    RunMarker marker(&faulty, "/data");
    ASSERT_OK(marker.Begin(10));
    Fault fault;
    fault.at = n;
    faulty.Inject(fault);

    const bool ended = marker.End().ok();

    happened = faulty.happened();
    EXPECT_EQ(ended, !happened);
    faulty.Heal();
    ASSERT_OK_AND_ASSIGN(RunMarker::Begun next, marker.Begin(20));
    EXPECT_EQ(next.revision, next.after_crash ? kStep : 20u);
  }
}

TEST_F(RunMarkerTest, ADamagedMarkerIsNotGuessedAt) {
  for (const char* text :
       {"", "x", "12x\n", "-1\n", "\n", "99999999999999999999999999999999\n"}) {
    WriteMarker(text);
    EXPECT_THAT(marker_.Begin(5),
                StatusIs(StatusCode::kDataLoss, HasSubstr("/data/RUNNING")))
        << text;
    ASSERT_OK(disk_.Remove("/data/RUNNING"));
  }
}

}  // namespace
}  // namespace varkeep
