// SPDX-License-Identifier: Apache-2.0
#include "storage/log/log.h"

#include <atomic>
#include <thread>

#include "base/crc32c.h"
#include "storage/memory_file_system.h"
#include "storage/posix_file_system.h"
#include "tests/storage/log/log_testing.h"
#include "tests/testing/fake_clock.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"
#include "tests/testing/tensors.h"

namespace varkeep::storage {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<std::string> Bodies(const std::vector<LogRecord>& records) {
  std::vector<std::string> bodies;
  for (const LogRecord& record : records) bodies.push_back(record.entry.body);
  return bodies;
}

std::vector<uint64_t> Revisions(const std::vector<LogRecord>& records) {
  std::vector<uint64_t> revisions;
  for (const LogRecord& record : records) revisions.push_back(record.revision);
  return revisions;
}

// Appends SampleEntry(from) to SampleEntry(to - 1).
void AppendSamples(Log* log, uint32_t from, uint32_t to,
                   Durability wanted = Durability::kNone) {
  for (uint32_t i = from; i < to; ++i) {
    ASSERT_OK(Append(log, SampleEntry(i), wanted).result);
  }
}

TEST(LogTest, NewLogIsEmpty) {
  MemoryFileSystem disk;

  OpenedLog opened = OpenLog(&disk);

  ASSERT_OK(opened.status);
  EXPECT_THAT(opened.records, IsEmpty());
  EXPECT_FALSE(opened.recovered.torn.has_value());
  EXPECT_EQ(opened.log->state().published, 0u);
  EXPECT_EQ(opened.log->state().bytes, 0);
}

TEST(LogTest, RecordsComeBackInOrder) {
  MemoryFileSystem disk;
  {
    OpenedLog opened = OpenLog(&disk);
    EXPECT_EQ(Append(opened.log.get(), Body("one")).revision, 1u);
    EXPECT_EQ(Append(opened.log.get(), Body("")).revision, 2u);
    EXPECT_EQ(Append(opened.log.get(), Body("three", 5)).revision, 7u);
  }

  OpenedLog again = OpenLog(&disk);

  ASSERT_OK(again.status);
  EXPECT_THAT(Bodies(again.records), ElementsAre("one", "", "three"));
  EXPECT_THAT(Revisions(again.records), ElementsAre(1, 2, 7));
  EXPECT_EQ(again.records[2].before, 2u);
  EXPECT_EQ(again.records[2].entry.revisions, 5u);
  EXPECT_EQ(again.recovered.records, 3);
  EXPECT_EQ(again.log->state().published, 7u);
  EXPECT_EQ(Append(again.log.get(), Body("four")).revision, 8u);
}

TEST(LogTest, TensorsOfAllTypesAndShapesComeBackBitByBit) {
  MemoryFileSystem disk;
  std::vector<LogEntry> entries;
  for (DType dtype : kAllDTypes) {
    for (const Shape& shape :
         {Shape({}), Shape({0, 3}), Shape({1}), Shape({7, 5}),
          Shape({2, 1, 1, 1, 1, 1, 1, 3}), Shape({70000})}) {
      LogEntry entry = Body(std::string(DTypeName(dtype)));
      entry.tensors = {RandomTensor(dtype, shape, 1),
                       RandomTensor(dtype, shape, 2)};
      entries.push_back(std::move(entry));
    }
  }
  {
    OpenedLog opened = OpenLog(&disk);
    for (const LogEntry& entry : entries) {
      ASSERT_OK(Append(opened.log.get(), entry, Durability::kNone).result);
    }
  }

  OpenedLog again = OpenLog(&disk);

  ASSERT_OK(again.status);
  ASSERT_THAT(again.records, SizeIs(entries.size()));
  for (size_t i = 0; i < entries.size(); ++i) {
    EXPECT_TRUE(SameEntry(again.records[i].entry, entries[i])) << i;
  }
}

TEST(LogTest, RecordsOfEveryLengthComeBack) {
  PosixFileSystem disk;
  TempDir directory;
  LogOptions options = SmallSegments(256 << 10);
  options.directory = directory.path() + "/log";
  std::vector<LogEntry> entries;
  for (int64_t bytes : {1, 8, 63, 64, 65, 511, 512, 4095, 4096, 65535, 65536,
                        65537, 250000, 262144, 1000000, 5000000}) {
    entries.push_back(Body(std::string(static_cast<size_t>(bytes), 'x')));
    LogEntry entry = Body("t");
    entry.tensors = {RandomTensor(DType::kUint8, {bytes}, 3),
                     RandomTensor(DType::kUint8, {bytes / 2}, 4)};
    entries.push_back(entry);
  }
  {
    OpenedLog opened = OpenLog(&disk, options);
    for (const LogEntry& entry : entries) {
      ASSERT_OK(Append(opened.log.get(), entry, Durability::kNone).result);
    }
    EXPECT_GT(opened.log->state().segments, 5);
  }

  OpenedLog again = OpenLog(&disk, options);

  ASSERT_OK(again.status);
  ASSERT_THAT(again.records, SizeIs(entries.size()));
  for (size_t i = 0; i < entries.size(); ++i) {
    EXPECT_TRUE(SameEntry(again.records[i].entry, entries[i])) << i;
  }
}

TEST(LogTest, RecordsUpToTheCheckpointAreLeftOut) {
  MemoryFileSystem disk;
  {
    OpenedLog opened = OpenLog(&disk, SmallSegments(8 << 10));
    AppendSamples(opened.log.get(), 0, 60);
  }
  OpenedLog all = OpenLog(&disk, SmallSegments(8 << 10));
  ASSERT_EQ(SamplePrefix(all.records), 60);

  for (size_t skipped : {0u, 1u, 20u, 59u}) {
    const uint64_t after = all.records[skipped].revision;
    OpenedLog again = OpenLog(&disk, SmallSegments(8 << 10), after);
    ASSERT_OK(again.status);
    ASSERT_THAT(again.records, SizeIs(59 - skipped));
    EXPECT_EQ(again.log->state().published, all.records.back().revision);
    for (const LogRecord& record : again.records) {
      EXPECT_GE(record.before, after);
    }
  }
}

TEST(LogTest, RevisionsGoOnBehindTheCheckpointAndTheSkip) {
  MemoryFileSystem disk;
  {
    OpenedLog opened = OpenLog(&disk, SmallSegments(), 10, 100);
    EXPECT_EQ(Append(opened.log.get(), Body("a")).revision, 111u);
  }
  {
    OpenedLog opened = OpenLog(&disk, SmallSegments(), 10, 100);
    EXPECT_THAT(Revisions(opened.records), ElementsAre(111));
    EXPECT_EQ(opened.records[0].before, 110u);
    EXPECT_EQ(Append(opened.log.get(), Body("b")).revision, 212u);
  }

  OpenedLog again = OpenLog(&disk, SmallSegments(), 10);

  EXPECT_THAT(Revisions(again.records), ElementsAre(111, 212));
}

TEST(LogTest, CheckpointAheadOfTheLogIsGoneOnFrom) {
  MemoryFileSystem disk;
  {
    OpenedLog opened = OpenLog(&disk);
    ASSERT_OK(Append(opened.log.get(), Body("a")).result);
  }
  {
    OpenedLog opened = OpenLog(&disk, SmallSegments(), 50);
    ASSERT_OK(opened.status);
    EXPECT_THAT(opened.records, IsEmpty());
    EXPECT_EQ(Append(opened.log.get(), Body("b")).revision, 51u);
  }
  EXPECT_THAT(Revisions(OpenLog(&disk, SmallSegments(), 50).records),
              ElementsAre(51));

  // Revisions 2 to 50 are in no file.
  EXPECT_THAT(OpenLog(&disk, SmallSegments(), 0).status,
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("revision 50")));
}

TEST(LogTest, OpeningOftenAddsNoFiles) {
  MemoryFileSystem disk;
  {
    OpenedLog opened = OpenLog(&disk);
    ASSERT_OK(Append(opened.log.get(), Body("a")).result);
  }
  for (uint64_t skip : {0u, 0u, 5u, 5u, 3u, 0u}) {
    OpenedLog opened = OpenLog(&disk, SmallSegments(), 0, skip);
    ASSERT_OK(opened.status);
    EXPECT_THAT(Bodies(opened.records), ElementsAre("a"));
    EXPECT_THAT(SegmentPaths(&disk), SizeIs(2));
  }
}

TEST(LogTest, ErrorOfReplayIsPassedOn) {
  MemoryFileSystem disk;
  {
    OpenedLog opened = OpenLog(&disk);
    ASSERT_OK(Append(opened.log.get(), Body("a")).result);
  }
  LogRecovered recovered;

  auto log = Log::Open(
      &disk, SmallSegments(), 0, 0,
      [](LogRecord) { return absl::InternalError("no"); }, nullptr, &recovered);

  EXPECT_THAT(log, StatusIs(absl::StatusCode::kInternal, HasSubstr("no")));
}

TEST(LogTest, EntriesThatCannotBeKeptAreRefused) {
  MemoryFileSystem disk;
  OpenedLog opened = OpenLog(&disk);

  Appended none = Append(opened.log.get(), Body("a", 0));
  Appended large =
      Append(opened.log.get(), Body(std::string(size_t{1} << 30, 'x')));

  EXPECT_THAT(none.result, StatusIs(absl::StatusCode::kInvalidArgument,
                                    HasSubstr("revision")));
  EXPECT_THAT(large.result, StatusIs(absl::StatusCode::kInvalidArgument,
                                     HasSubstr("1073741824")));
  EXPECT_EQ(none.revision + large.revision, 0u);
  EXPECT_EQ(Append(opened.log.get(), Body("b")).revision, 1u);
}

TEST(LogTest, DurabilityReachedIsTold) {
  MemoryFileSystem disk;
  OpenedLog opened = OpenLog(&disk);
  Log* log = opened.log.get();

  EXPECT_THAT(Append(log, Body("a"), Durability::kNone).result,
              IsOkAndHolds(Durability::kNone));
  EXPECT_EQ(log->state().synced, 0u);
  EXPECT_THAT(Append(log, Body("b"), Durability::kFsync).result,
              IsOkAndHolds(Durability::kFsync));
  EXPECT_EQ(log->state().synced, 2u);
  EXPECT_THAT(Append(log, Body("c"), Durability::kNone).result,
              IsOkAndHolds(Durability::kNone));
  ASSERT_OK(log->Sync());
  EXPECT_EQ(log->state().synced, 3u);
  EXPECT_THAT(Append(log, Body("d"), Durability::kInterval).result,
              IsOkAndHolds(Durability::kInterval));
  while (log->state().synced < 4) std::this_thread::yield();
}

TEST(LogTest, AnIntervalAfterItsAcknowledgementAChangeIsOnTheDisk) {
  MemoryFileSystem disk;
  FakeClock clock;
  LogOptions options = SmallSegments();
  options.clock = &clock;
  options.sync_interval = absl::Milliseconds(1000);
  OpenedLog opened = OpenLog(&disk, options);
  Log* log = opened.log.get();
  constexpr absl::Duration kStep = absl::Milliseconds(100);
  constexpr uint64_t kSteps = 10;  // of an interval

  for (uint64_t change = 1; change <= 5 * kSteps; ++change) {
    ASSERT_OK(Append(log, Body("a"), Durability::kInterval).result);
    // The first of every interval begins it.
    EXPECT_EQ(log->state().synced, (change - 1) / kSteps * kSteps);
    clock.Advance(kStep);
    if (change < kSteps) continue;
    while (log->state().synced < change - kSteps + 1) {
      std::this_thread::yield();
    }
    EXPECT_EQ(log->state().synced, change / kSteps * kSteps);
  }
}

TEST(LogTest, IntervalIsKeptByAClose) {
  MemoryFileSystem disk;
  LogOptions options = SmallSegments();
  options.sync_interval = absl::Hours(1);
  {
    OpenedLog opened = OpenLog(&disk, options);
    ASSERT_OK(
        Append(opened.log.get(), Body("a"), Durability::kInterval).result);
  }
  disk.LosePower();

  EXPECT_THAT(Bodies(OpenLog(&disk, options).records), ElementsAre("a"));
}

TEST(LogTest, ManyThreadsGetDenseRevisionsInOrder) {
  constexpr int kThreads = 8;
  constexpr int kEach = 100;
  MemoryFileSystem disk;
  std::vector<uint64_t> published;  // by whoever leads, one at a time
  {
    OpenedLog opened = OpenLog(&disk, SmallSegments(16 << 10));
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kEach; ++i) {
          const auto wanted = static_cast<Durability>((t + i) % 3);
          LogEntry entry = Body(absl::StrCat(t, " ", i));
          entry.tensors = {RandomTensor(DType::kUint8, {t * 50}, 1)};
          auto result = opened.log->Append(
              entry, wanted,
              [&](uint64_t revision) { published.push_back(revision); });
          EXPECT_OK(result);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(opened.log->state().published, kThreads * kEach);
  }
  ASSERT_THAT(published, SizeIs(kThreads * kEach));
  for (size_t i = 0; i < published.size(); ++i) EXPECT_EQ(published[i], i + 1);

  OpenedLog again = OpenLog(&disk, SmallSegments(16 << 10));

  ASSERT_OK(again.status);
  ASSERT_THAT(again.records, SizeIs(kThreads * kEach));
  std::vector<int> next(kThreads);
  for (const LogRecord& record : again.records) {
    const auto t = static_cast<size_t>(record.entry.body[0] - '0');
    EXPECT_EQ(record.entry.body, absl::StrCat(t, " ", next[t]++));
  }
}

TEST(LogTest, DropThroughRemovesWholeSegments) {
  MemoryFileSystem disk;
  const LogOptions options = SmallSegments(8 << 10);
  OpenedLog opened = OpenLog(&disk, options);
  Log* log = opened.log.get();
  AppendSamples(log, 0, 60);
  const Log::State before = log->state();
  ASSERT_GT(before.segments, 3);
  EXPECT_EQ(before.appended_bytes, before.bytes);
  const uint64_t middle = before.published / 2;

  ASSERT_OK(log->DropThrough(middle));

  EXPECT_LT(log->state().bytes, before.bytes);
  EXPECT_EQ(log->state().appended_bytes, before.appended_bytes);
  EXPECT_LT(log->state().segments, before.segments);
  EXPECT_EQ(SegmentPaths(&disk).size(), log->state().segments);
  opened.log.reset();
  disk.LosePower();
  EXPECT_THAT(OpenLog(&disk, options, 0).status,
              StatusIs(absl::StatusCode::kDataLoss,
                       HasSubstr("lacks what follows revision 0")));
  OpenedLog again = OpenLog(&disk, options, middle);
  ASSERT_OK(again.status);
}

TEST(LogTest, DropThroughKeepsTheSegmentInUse) {
  MemoryFileSystem disk;
  OpenedLog opened = OpenLog(&disk);
  ASSERT_OK(Append(opened.log.get(), Body("a")).result);

  ASSERT_OK(opened.log->DropThrough(1));

  EXPECT_EQ(opened.log->state().segments, 1);
  EXPECT_EQ(Append(opened.log.get(), Body("b")).revision, 2u);
}

TEST(LogTest, SegmentOfANewerProgramIsRefused) {
  MemoryFileSystem disk;
  { OpenLog(&disk); }
  const std::string path = SegmentPaths(&disk)[0];
  std::vector<std::byte> bytes = ReadWhole(&disk, path);
  bytes[8] = std::byte{2};
  // Version 2 with its checksum.
  uint32_t crc = Crc32c(std::span(bytes).first(124));
  crc = ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
  std::memcpy(&bytes[124], &crc, 4);
  WriteWhole(&disk, path, bytes);

  EXPECT_THAT(OpenLog(&disk).status,
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("format version 2")));
}

TEST(LogTest, LitterOfABeginningSegmentIsRemoved) {
  MemoryFileSystem disk;
  { OpenLog(&disk); }
  const std::string litter =
      absl::StrCat(kLogDirectory, "/log-00000000000000000077.tmp");
  WriteWhole(&disk, litter, {});
  WriteWhole(&disk, absl::StrCat(kLogDirectory, "/notes"), {});

  ASSERT_OK(OpenLog(&disk).status);

  EXPECT_THAT(disk.List(kLogDirectory),
              IsOkAndHolds(ElementsAre("log-00000000000000000001", "notes")));
}

TEST(LogTest, ProgressEndsAtAll) {
  MemoryFileSystem disk;
  {
    OpenedLog opened = OpenLog(&disk);
    AppendSamples(opened.log.get(), 0, 20);
  }
  int64_t done = 0;
  int64_t all = 0;
  LogRecovered recovered;

  ASSERT_OK(Log::Open(
      &disk, SmallSegments(), 0, 0, [](LogRecord) { return absl::OkStatus(); },
      [&](int64_t done_bytes, int64_t all_bytes) {
        EXPECT_GE(done_bytes, done);
        done = done_bytes;
        all = all_bytes;
      },
      &recovered));

  EXPECT_GT(all, 0);
  EXPECT_EQ(done, all);
}

}  // namespace
}  // namespace varkeep::storage
