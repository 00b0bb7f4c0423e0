// SPDX-License-Identifier: Apache-2.0
//
// Damaged and torn logs: nothing wrong ever comes back, nothing durable is
// given up silently.
#include <algorithm>
#include <random>

#include "storage/log/log_format.h"
#include "storage/memory_file_system.h"
#include "tests/storage/log/log_testing.h"
#include "tests/testing/fault_injecting_file_system.h"
#include "tests/testing/status_matchers.h"

namespace varkeep::storage {
namespace {

using log_format::kFirstRecord;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;

struct Segment {
  std::string path;
  std::vector<std::byte> bytes;
  std::vector<int64_t> ends;  // of its records
};

// The files of a log of SampleEntry(0), ..., and where the records end.
std::vector<Segment> WriteSamples(uint32_t count, const LogOptions& options,
                                  Durability wanted) {
  MemoryFileSystem disk;
  std::vector<std::vector<int64_t>> ends;
  {
    OpenedLog opened = OpenLog(&disk, options);
    int64_t before = 0;
    for (uint32_t i = 0; i < count; ++i) {
      if (!Append(opened.log.get(), SampleEntry(i), wanted).result.ok()) {
        std::abort();
      }
      const Log::State state = opened.log->state();
      if (static_cast<size_t>(state.segments) > ends.size()) {
        ends.resize(static_cast<size_t>(state.segments));
        before = i == 0 ? 0 : before;
        ends.back().push_back(kFirstRecord);
      }
      ends.back().push_back(ends.back().back() + state.bytes - before);
      before = state.bytes;
    }
  }
  std::vector<Segment> segments;
  for (const std::string& path : SegmentPaths(&disk)) {
    std::vector<int64_t> own = ends[segments.size()];
    own.erase(own.begin());
    segments.push_back({path, ReadWhole(&disk, path), own});
  }
  return segments;
}

void Store(const std::vector<Segment>& segments, MemoryFileSystem* disk) {
  if (!disk->MakeDirectory(kLogDirectory).ok()) std::abort();
  for (const Segment& segment : segments) {
    WriteWhole(disk, segment.path, segment.bytes);
  }
}

void Zero(Segment* segment, int64_t begin, int64_t end) {
  std::fill(segment->bytes.begin() + begin, segment->bytes.begin() + end,
            std::byte{0});
}

TEST(LogDamageTest, TruncatedAtEveryByteGivesTheLongestPrefix) {
  const LogOptions options = SmallSegments(32 << 10);
  std::vector<Segment> log = WriteSamples(25, options, Durability::kFsync);
  ASSERT_THAT(log, SizeIs(1));
  const std::vector<std::byte> whole = log[0].bytes;
  const std::vector<int64_t> ends = log[0].ends;
  for (int64_t size = 0; size <= ends.back() + 100; ++size) {
    log[0].bytes = whole;
    log[0].bytes.resize(static_cast<size_t>(size));
    MemoryFileSystem disk;
    Store(log, &disk);

    OpenedLog opened = OpenLog(&disk, options);

    if (size < 128) {  // the header, which was on the disk before the name
      ASSERT_THAT(opened.status, StatusIs(absl::StatusCode::kDataLoss,
                                          HasSubstr("header is damaged")));
      continue;
    }
    const auto good = std::count_if(ends.begin(), ends.end(),
                                    [&](int64_t end) { return end <= size; });
    ASSERT_OK(opened.status) << size;
    ASSERT_EQ(SamplePrefix(opened.records), good) << size;
    const int64_t end =
        good == 0 ? kFirstRecord : ends[static_cast<size_t>(good) - 1];
    // A checksum may begin with zeros, which alone look like no record.
    const bool torn = std::any_of(
        log[0].bytes.begin() + std::min(end, size), log[0].bytes.end(),
        [](std::byte b) { return b != std::byte{0}; });
    ASSERT_EQ(opened.recovered.torn.has_value(), torn && size < ends.back())
        << size;
    if (!opened.recovered.torn.has_value()) continue;
    EXPECT_EQ(opened.recovered.torn->offset, end);
    EXPECT_LE(opened.recovered.torn->bytes, size - end);
  }
}

TEST(LogDamageTest, CutIsRememberedAndRepeatable) {
  std::vector<Segment> log =
      WriteSamples(10, SmallSegments(), Durability::kNone);
  log[0].bytes.resize(static_cast<size_t>(log[0].ends[8] + 70));
  MemoryFileSystem disk;
  Store(log, &disk);

  for (uint32_t i = 0; i < 3; ++i) {
    OpenedLog opened = OpenLog(&disk);
    ASSERT_OK(opened.status);
    EXPECT_EQ(SamplePrefix(opened.records), 9 + i);
    EXPECT_EQ(opened.recovered.torn.has_value(), i == 0);
    ASSERT_OK(Append(opened.log.get(), SampleEntry(9 + i)).result);
  }
  EXPECT_THAT(ReadWhole(&disk, log[0].path), SizeIs(log[0].bytes.size()));
}

// Every bit that is used is covered by some checksum.
TEST(LogDamageTest, NoFlippedBitGoesUnnoticed) {
  constexpr int kFlips = 4000;
  const std::vector<Segment> log =
      WriteSamples(60, SmallSegments(16 << 10), Durability::kFsync);
  ASSERT_GE(log.size(), 3u);
  std::mt19937 random(7);
  int refused = 0;
  for (int i = 0; i < kFlips; ++i) {
    std::vector<Segment> damaged = log;
    const size_t s = random() % log.size();
    const auto used =
        128 + static_cast<uint32_t>(log[s].ends.back() - kFirstRecord);
    auto at = static_cast<uint32_t>(random() % used);
    if (at >= 128) at += kFirstRecord - 128;
    damaged[s].bytes[at] ^= static_cast<std::byte>(1 << (random() % 8));
    MemoryFileSystem disk;
    Store(damaged, &disk);

    OpenedLog opened = OpenLog(&disk, SmallSegments(16 << 10));

    if (absl::IsDataLoss(opened.status)) {
      ++refused;
      continue;
    }
    ASSERT_OK(opened.status);
    EXPECT_EQ(SamplePrefix(opened.records), 59) << s << " " << at;
    EXPECT_TRUE(opened.recovered.torn.has_value());
  }
  EXPECT_GT(refused, kFlips * 95 / 100);
}

TEST(LogDamageTest, DamageInTheMiddleNamesPlaceAndRemedy) {
  std::vector<Segment> log =
      WriteSamples(10, SmallSegments(), Durability::kFsync);
  log[0].bytes[static_cast<size_t>(log[0].ends[3]) + 70] ^= std::byte{1};
  MemoryFileSystem disk;
  Store(log, &disk);

  OpenedLog opened = OpenLog(&disk);

  EXPECT_THAT(opened.status,
              StatusIs(absl::StatusCode::kDataLoss,
                       AllOf(HasSubstr(log[0].path),
                             HasSubstr(absl::StrCat("offset ", log[0].ends[3])),
                             HasSubstr("after revision 7"),
                             HasSubstr("`varkeep log inspect /data/log`"),
                             HasSubstr(absl::StrCat(
                                 "`varkeep log truncate /data/log --at ",
                                 log[0].path.substr(log[0].path.rfind('/') + 1),
                                 ":", log[0].ends[3], "`")))));
  EXPECT_THAT(SegmentPaths(&disk), SizeIs(1));
}

TEST(LogDamageTest, RecordLostBeforeItWasSyncedEndsTheLog) {
  for (bool whole : {true, false}) {
    std::vector<Segment> log =
        WriteSamples(10, SmallSegments(), Durability::kNone);
    const int64_t begin = log_format::RoundUp(log[0].ends[6], 512);
    Zero(&log[0], whole ? log[0].ends[6] : begin,
         whole ? log[0].ends[7] : begin + 512);
    MemoryFileSystem disk;
    Store(log, &disk);

    OpenedLog opened = OpenLog(&disk);

    ASSERT_OK(opened.status);
    EXPECT_LT(SamplePrefix(opened.records), 10);
    EXPECT_GE(SamplePrefix(opened.records), whole ? 7 : 6);
    ASSERT_TRUE(opened.recovered.torn.has_value());
    EXPECT_EQ(opened.recovered.torn->file, log[0].path);
  }
}

TEST(LogDamageTest, RecordLostAfterItWasSyncedIsRefused) {
  std::vector<Segment> log =
      WriteSamples(10, SmallSegments(), Durability::kFsync);
  Zero(&log[0], log[0].ends[6], log[0].ends[7]);
  MemoryFileSystem disk;
  Store(log, &disk);

  EXPECT_THAT(OpenLog(&disk).status,
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("zeros")));
  // A checkpoint that covers all of it makes it good again.
  EXPECT_OK(OpenLog(&disk, SmallSegments(), 40).status);
}

TEST(LogDamageTest, EndOfAnOlderSegmentLostBeforeItWasSyncedEndsTheLog) {
  const LogOptions options = SmallSegments(16 << 10);
  std::vector<Segment> log = WriteSamples(60, options, Durability::kNone);
  ASSERT_GE(log.size(), 3u);
  const auto kept = static_cast<int64_t>(log[0].ends.size()) - 1;
  const std::string newest = log.back().path.substr(sizeof(kLogDirectory));
  const uint64_t newest_base = log_format::ParseSegmentFileName(newest).value();
  Zero(&log[0], log[0].ends.rbegin()[1], log[0].ends.back());
  MemoryFileSystem disk;
  Store(log, &disk);
  {
    OpenedLog opened = OpenLog(&disk, options);
    ASSERT_OK(opened.status);
    EXPECT_EQ(SamplePrefix(opened.records), kept);
    EXPECT_THAT(SegmentPaths(&disk), SizeIs(2));
    Appended appended = Append(opened.log.get(), Body("next"));
    ASSERT_OK(appended.result);
    // Revisions of the segments that are given up are not given out again.
    EXPECT_GT(appended.revision, newest_base);
  }
  OpenedLog again = OpenLog(&disk, options);
  ASSERT_THAT(again.records, SizeIs(kept + 1));
  EXPECT_EQ(again.records.back().entry.body, "next");
  again.records.pop_back();
  EXPECT_EQ(SamplePrefix(again.records), kept);
}

TEST(LogDamageTest, MissingOrSwappedSegmentsAreRefused) {
  const LogOptions options = SmallSegments(16 << 10);
  const std::vector<Segment> log = WriteSamples(60, options, Durability::kNone);
  ASSERT_GE(log.size(), 3u);
  for (size_t missing = 0; missing + 1 < log.size(); ++missing) {
    std::vector<Segment> rest = log;
    rest.erase(rest.begin() + static_cast<int64_t>(missing));
    MemoryFileSystem disk;
    Store(rest, &disk);
    EXPECT_THAT(OpenLog(&disk, options).status,
                StatusIs(absl::StatusCode::kDataLoss,
                         HasSubstr("lacks what follows revision 0")));
  }
  std::vector<Segment> swapped = log;
  std::swap(swapped[0].bytes, swapped[1].bytes);
  MemoryFileSystem disk;
  Store(swapped, &disk);
  EXPECT_THAT(OpenLog(&disk, options).status,
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("name")));
}

TEST(LogDamageTest, SegmentOfAnotherLogIsNotTakenForOurs) {
  const LogOptions options = SmallSegments(16 << 10);
  std::vector<Segment> log = WriteSamples(60, options, Durability::kNone);
  // The same records, written at another time.
  log[0] = WriteSamples(60, options, Durability::kNone)[0];
  MemoryFileSystem disk;
  Store(log, &disk);

  EXPECT_THAT(OpenLog(&disk, options).status,
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("revision 0")));
}

TEST(LogDamageTest, TensorBytesThatLookLikeARecordAreNotOne) {
  // A whole segment as the value of a variable, torn off in the middle.
  const std::vector<Segment> inner =
      WriteSamples(10, SmallSegments(), Durability::kFsync);
  MemoryFileSystem disk;
  {
    OpenedLog opened = OpenLog(&disk, SmallSegments(256 << 10));
    LogEntry entry = Body("outer");
    entry.tensors = {
        MakeTensor<uint8_t>(
            Shape({static_cast<int64_t>(inner[0].bytes.size())}),
            std::span(reinterpret_cast<const uint8_t*>(inner[0].bytes.data()),
                      inner[0].bytes.size()))
            .value()};
    ASSERT_OK(Append(opened.log.get(), entry).result);
  }
  const std::string path = SegmentPaths(&disk)[0];
  std::vector<std::byte> bytes = ReadWhole(&disk, path);
  std::fill_n(bytes.begin() + kFirstRecord, 512, std::byte{0});
  WriteWhole(&disk, path, bytes);

  OpenedLog opened = OpenLog(&disk, SmallSegments(256 << 10));

  ASSERT_OK(opened.status);
  EXPECT_THAT(opened.records, SizeIs(0));
  EXPECT_TRUE(opened.recovered.torn.has_value());
}

TEST(LogDamageTest, ReadErrorsArePassedOn) {
  const std::vector<Segment> log =
      WriteSamples(10, SmallSegments(), Durability::kFsync);
  MemoryFileSystem base;
  Store(log, &base);
  for (int64_t k = 1;; ++k) {
    FaultInjectingFileSystem disk(&base);
    disk.Inject(FailAt(k));
    const absl::Status status = OpenLog(&disk).status;
    const std::vector<std::string> calls = disk.calls();
    if (!disk.happened() ||
        calls[static_cast<size_t>(k - 1)].starts_with("create")) {
      break;
    }
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInternal,
                                 HasSubstr("Input/output error")));
    EXPECT_THAT(SegmentPaths(&base), SizeIs(1));
  }
}

}  // namespace
}  // namespace varkeep::storage
