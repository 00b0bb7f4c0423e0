// SPDX-License-Identifier: Apache-2.0
//
// The next segment's file is made before the current one is full.
#include <algorithm>
#include <thread>

#include "storage/memory_file_system.h"
#include "storage/posix_file_system.h"
#include "tests/storage/log/log_testing.h"
#include "tests/testing/fault_injecting_file_system.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"

namespace varkeep::storage {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr int64_t kSegment = 64 << 10;

// Four of them fill a segment.
LogEntry Quarter() {
  LogEntry entry = Body("quarter");
  entry.tensors = {RandomTensor(DType::kUint8, {14 << 10}, 1)};
  return entry;
}

std::vector<std::string> Temporaries(FileSystem* disk,
                                     const std::string& directory) {
  std::vector<std::string> names = disk->List(directory).value();
  std::erase_if(names, [](const std::string& name) {
    return !log_format::IsTemporaryName(name);
  });
  return names;
}

class SegmentPreparerTest : public ::testing::Test {
 protected:
  // A log whose first segment is full, with the next one's file or without.
  void FillSegment() {
    opened_ = OpenLog(&disk_, SmallSegments(kSegment));
    ASSERT_OK(opened_.status);
    for (int i = 0; i < 4; ++i) {
      ASSERT_OK(Append(log(), Quarter(), Durability::kNone).result);
    }
    ASSERT_EQ(log()->state().segments, 1);
  }
  Log* log() { return opened_.log.get(); }

  void ExpectRecords(size_t count) {
    opened_.log.reset();
    EXPECT_THAT(Temporaries(&base_, kLogDirectory), IsEmpty());
    OpenedLog again = OpenLog(&base_, SmallSegments(kSegment));
    ASSERT_OK(again.status);
    EXPECT_THAT(again.records, SizeIs(count));
  }

  MemoryFileSystem base_;
  FaultInjectingFileSystem disk_{&base_};
  OpenedLog opened_;
};

TEST_F(SegmentPreparerTest, TheAppendThatBeginsASegmentMakesNoFile) {
  FillSegment();
  EXPECT_THAT(Temporaries(&base_, kLogDirectory), SizeIs(1));
  disk_.Inject({});

  ASSERT_OK(Append(log(), Quarter(), Durability::kNone).result);

  EXPECT_EQ(log()->state().segments, 2);
  EXPECT_THAT(disk_.calls(), Not(Contains(StartsWith("create "))));
  EXPECT_THAT(disk_.calls(), Not(Contains(StartsWith("reserve "))));
  EXPECT_THAT(Temporaries(&base_, kLogDirectory), IsEmpty());
  ExpectRecords(5);
}

TEST_F(SegmentPreparerTest, AFileThatIsNotNeededGoesWithTheLog) {
  FillSegment();
  ExpectRecords(4);
}

TEST_F(SegmentPreparerTest, AFileThatACrashLeftGoesAtTheNextOpening) {
  FillSegment();
  Fault crash = FailAt(1);
  crash.sticky = true;
  disk_.Inject(crash);
  opened_.log.reset();
  ASSERT_THAT(Temporaries(&base_, kLogDirectory), SizeIs(1));

  OpenedLog again = OpenLog(&base_, SmallSegments(kSegment));

  ASSERT_OK(again.status);
  EXPECT_THAT(again.records, SizeIs(4));
  EXPECT_THAT(Temporaries(&base_, kLogDirectory), IsEmpty());
}

TEST_F(SegmentPreparerTest, ARecordThatNeedsMoreRoomGetsIt) {
  FillSegment();
  LogEntry large = Body("large");
  large.tensors = {RandomTensor(DType::kUint8, {3 * kSegment}, 1)};

  ASSERT_OK(Append(log(), large).result);

  EXPECT_THAT(Temporaries(&base_, kLogDirectory), SizeIs(1));
  ExpectRecords(5);
}

// Whatever part of it fails: no append notices.
TEST_F(SegmentPreparerTest, APreparationThatFailsFailsNoAppend) {
  FillSegment();
  ASSERT_OK(Append(log(), Quarter(), Durability::kNone).result);
  disk_.Inject({});
  ASSERT_OK(Append(log(), Quarter(), Durability::kNone).result);
  // The record, then the preparation.
  const std::vector<std::string> calls = disk_.calls();
  ASSERT_THAT(calls, Contains(StartsWith("create ")));
  ASSERT_THAT(calls.back(), StartsWith("sync "));
  opened_ = OpenedLog();
  for (const char* reason : {"Input/output error", "No space left on device"}) {
    for (int64_t k = 2; k <= std::ssize(calls); ++k) {
      SCOPED_TRACE(absl::StrCat(reason, " at call ", k));
      for (const std::string& path : SegmentPaths(&base_)) {
        ASSERT_OK(base_.Remove(path));
      }
      disk_.Heal();
      FillSegment();
      ASSERT_OK(Append(log(), Quarter(), Durability::kNone).result);
      Fault fault = FailAt(k);
      fault.reason = reason;
      if (fault.reason != "Input/output error") {
        fault.code = absl::StatusCode::kResourceExhausted;
      }
      disk_.Inject(fault);
      for (int i = 0; i < 6; ++i) {
        ASSERT_OK(Append(log(), Quarter(), Durability::kNone).result);
      }
      EXPECT_TRUE(disk_.happened());
      EXPECT_OK(log()->state().broken);
      disk_.Heal();
      ExpectRecords(11);
    }
  }
}

// On a full disk the file that is ready is what the log goes on with; without
// room for one it refuses, and goes on when there is room.
TEST_F(SegmentPreparerTest, AFullDiskRefusesWhenThePreparedFileIsFull) {
  MemoryFileSystem small(4 * kSegment);
  OpenedLog opened = OpenLog(&small, SmallSegments(kSegment));
  int published = 0;
  Appended last{Durability::kNone};
  while (last.result.ok()) {
    last = Append(opened.log.get(), Quarter());
    if (last.result.ok()) ++published;
  }
  EXPECT_THAT(last.result, StatusIs(absl::StatusCode::kResourceExhausted,
                                    HasSubstr("No space left on device")));
  EXPECT_EQ(published, 16);
  EXPECT_OK(opened.log->state().broken);

  ASSERT_OK(opened.log->DropThrough(opened.log->state().published));

  EXPECT_OK(Append(opened.log.get(), Quarter()).result);
}

// As a server does it, with a thread of its own and a disk.
TEST(SegmentPreparerThreadTest, ManySegmentsOneAfterTheOther) {
  TempDir dir;
  PosixFileSystem disk;
  LogOptions options = SmallSegments(kSegment);
  options.directory = dir.path() + "/log";
  options.prepare_in_background = true;
  constexpr int kThreads = 4;
  constexpr int kEach = 40;
  {
    OpenedLog opened = OpenLog(&disk, options);
    ASSERT_OK(opened.status);
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kEach; ++i) {
          EXPECT_OK(
              Append(opened.log.get(), Quarter(),
                     (t + i) % 8 == 0 ? Durability::kFsync : Durability::kNone)
                  .result);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_GE(opened.log->state().segments, kThreads * kEach / 4);
    ASSERT_OK(opened.log->DropThrough(opened.log->state().published / 2));
  }
  EXPECT_THAT(Temporaries(&disk, options.directory), IsEmpty());

  OpenedLog again = OpenLog(&disk, options, kThreads * kEach / 2);

  ASSERT_OK(again.status);
  EXPECT_THAT(again.records, SizeIs(kThreads * kEach / 2));
}

TEST(SegmentPreparerThreadTest, AClosedLogLeavesNoFile) {
  for (int records = 0; records < 8; ++records) {
    MemoryFileSystem disk;
    LogOptions options = SmallSegments(kSegment);
    options.prepare_in_background = true;
    {
      OpenedLog opened = OpenLog(&disk, options);
      for (int i = 0; i < records; ++i) {
        ASSERT_OK(Append(opened.log.get(), Quarter()).result);
      }
    }
    EXPECT_THAT(Temporaries(&disk, kLogDirectory), IsEmpty());
  }
}

TEST(SegmentRoomTest, GrowsWithTheLogAndShrinksWithIt) {
  MemoryFileSystem disk;
  LogOptions options = SmallSegments(kSegment);
  options.max_segment_bytes = 4 * kSegment;
  OpenedLog opened = OpenLog(&disk, options);
  auto records_of_a_segment = [&] {
    const int64_t segments = opened.log->state().segments;
    int records = 0;
    do {
      EXPECT_OK(Append(opened.log.get(), Quarter()).result);
      ++records;
    } while (opened.log->state().segments == segments);
    return records;
  };
  // The last of each is the first of the next one.
  std::vector<int> records;
  for (int i = 0; i < 8; ++i) records.push_back(records_of_a_segment());
  EXPECT_EQ(records.front(), 5);
  EXPECT_TRUE(std::ranges::is_sorted(records.begin() + 1, records.end()));
  EXPECT_EQ(records.back(), 17);  // four times the room, with one header

  ASSERT_OK(opened.log->DropThrough(opened.log->state().published));
  records_of_a_segment();
  ASSERT_OK(opened.log->DropThrough(opened.log->state().published));
  EXPECT_LT(records_of_a_segment(), records.back());
}

}  // namespace
}  // namespace varkeep::storage
