// SPDX-License-Identifier: Apache-2.0
#include "storage/log/log_inspect.h"

#include "storage/log/log_format.h"
#include "tests/storage/log/log_testing.h"
#include "tests/testing/status_matchers.h"

namespace varkeep::storage {
namespace {

using ::testing::Each;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::SizeIs;

const LogOptions kOptions = SmallSegments(16 << 10);

class LogInspectTest : public ::testing::Test {
 protected:
  LogInspectTest() {
    OpenedLog opened = OpenLog(&disk_, kOptions);
    for (uint32_t i = 0; i < 60; ++i) {
      EXPECT_OK(Append(opened.log.get(), SampleEntry(i)).result);
    }
    paths_ = SegmentPaths(&disk_);
  }

  std::vector<SegmentReport> Inspect() {
    records_.clear();
    auto reports = InspectLog(
        &disk_, kLogDirectory,
        [&](const RecordReport& record) { records_.push_back(record); });
    EXPECT_OK(reports);
    return reports.ok() ? *reports : std::vector<SegmentReport>();
  }
  void Flip(const std::string& path, int64_t offset) {
    std::vector<std::byte> bytes = ReadWhole(&disk_, path);
    bytes[static_cast<size_t>(offset)] ^= std::byte{1};
    WriteWhole(&disk_, path, bytes);
  }
  // The number of samples a log opens with, or -1.
  int64_t Samples() {
    OpenedLog opened = OpenLog(&disk_, kOptions);
    EXPECT_OK(opened.status);
    return opened.status.ok() ? SamplePrefix(opened.records) : -1;
  }
  static std::string NameOf(const std::string& path) {
    return path.substr(path.rfind('/') + 1);
  }

  MemoryFileSystem disk_;
  std::vector<std::string> paths_;
  std::vector<RecordReport> records_;
};

TEST_F(LogInspectTest, CleanLogIsDescribed) {
  const std::vector<SegmentReport> reports = Inspect();

  ASSERT_THAT(reports, SizeIs(paths_.size()));
  ASSERT_GE(reports.size(), 3u);
  EXPECT_THAT(reports,
              Each(Field(&SegmentReport::state, SegmentReport::State::kClean)));
  EXPECT_EQ(reports[0].first, 1u);
  EXPECT_EQ(reports[1].first, reports[0].last + 1);
  ASSERT_THAT(records_, SizeIs(60));
  const LogEntry sample = SampleEntry(7);
  EXPECT_EQ(records_[7].body_bytes, static_cast<int64_t>(sample.body.size()));
  ASSERT_THAT(records_[7].tensors, SizeIs(sample.tensors.size()));
  EXPECT_EQ(records_[7].tensors[0].dtype, sample.tensors[0]->dtype());
  EXPECT_EQ(records_[7].tensors[0].shape, sample.tensors[0]->shape());
}

TEST_F(LogInspectTest, NoLogIsNotFound) {
  EXPECT_THAT(InspectLog(&disk_, "/nowhere"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("/nowhere")));
}

TEST_F(LogInspectTest, DamageIsShownWhereItIs) {
  Inspect();
  const RecordReport bad = records_[5];
  Flip(paths_[0], bad.offset + 100);
  Flip(paths_[2], 20);  // its header

  const std::vector<SegmentReport> reports = Inspect();

  EXPECT_EQ(reports[0].state, SegmentReport::State::kDamaged);
  EXPECT_EQ(reports[0].end, bad.offset);
  EXPECT_EQ(reports[0].records, 5);
  EXPECT_THAT(reports[0].reason, HasSubstr("checksum"));
  EXPECT_EQ(reports[2].state, SegmentReport::State::kDamaged);
  EXPECT_THAT(reports[2].reason, HasSubstr("header"));
}

TEST_F(LogInspectTest, TruncatedAtDamageTheLogOpensAgain) {
  Inspect();
  const RecordReport bad = records_[5];
  Flip(paths_[0], bad.offset + 100);
  const std::vector<std::byte> original = ReadWhole(&disk_, paths_[0]);
  ASSERT_THAT(OpenLog(&disk_, kOptions).status,
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("offset")));

  ASSERT_OK_AND_ASSIGN(
      Truncated cut,
      TruncateLog(&disk_, kLogDirectory, NameOf(paths_[0]), bad.offset));

  EXPECT_EQ(cut.backup, "/data/log-backup-1");
  EXPECT_EQ(cut.offset, bad.offset);
  EXPECT_EQ(cut.last, bad.before);
  ASSERT_OK_AND_ASSIGN(auto kept, disk_.List(cut.backup));
  EXPECT_THAT(kept, SizeIs(paths_.size()));
  EXPECT_EQ(ReadWhole(&disk_, cut.backup + "/" + NameOf(paths_[0])), original);
  EXPECT_EQ(Samples(), 5);
  disk_.LosePower();
  EXPECT_EQ(Samples(), 5);
}

TEST_F(LogInspectTest, TruncatedInsideARecordLosesThatRecord) {
  Inspect();
  const RecordReport record = records_[20];
  ASSERT_OK_AND_ASSIGN(Truncated cut,
                       TruncateLog(&disk_, kLogDirectory, NameOf(record.path),
                                   record.offset + 1));
  EXPECT_EQ(cut.offset, record.offset);
  EXPECT_EQ(Samples(), 20);

  ASSERT_OK_AND_ASSIGN(
      cut, TruncateLog(&disk_, kLogDirectory, NameOf(paths_[0]), 0));
  EXPECT_EQ(cut.backup, "/data/log-backup-2");
  EXPECT_EQ(Samples(), 0);
}

TEST_F(LogInspectTest, SegmentWithoutAHeaderIsMovedAwayAsAWhole) {
  Inspect();
  Flip(paths_[1], 20);
  const auto left = std::count_if(
      records_.begin(), records_.end(),
      [&](const RecordReport& record) { return record.path == paths_[0]; });

  ASSERT_OK(TruncateLog(&disk_, kLogDirectory, NameOf(paths_[1]), 0));

  EXPECT_EQ(Samples(), left);
}

TEST_F(LogInspectTest, CutsThatMakeNoSenseChangeNothing) {
  Inspect();
  Flip(paths_[0], records_[5].offset + 100);

  EXPECT_THAT(
      TruncateLog(&disk_, kLogDirectory, NameOf(paths_[0]), records_[7].offset),
      StatusIs(absl::StatusCode::kOutOfRange,
               HasSubstr(absl::StrCat(records_[5].offset))));
  EXPECT_THAT(TruncateLog(&disk_, kLogDirectory, NameOf(paths_[1]), 1 << 20),
              StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("end at")));
  EXPECT_THAT(TruncateLog(&disk_, kLogDirectory, "log-7", 0),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("log-7")));
  EXPECT_EQ(SegmentPaths(&disk_), paths_);
}

// What a power cut leaves of a log that nobody synced: a segment that was not
// written to its end, and others after it.
TEST_F(LogInspectTest, WhatFollowsATornSegmentIsVoid) {
  for (const std::string& path : paths_) ASSERT_OK(disk_.Remove(path));
  {
    OpenedLog opened = OpenLog(&disk_, kOptions);
    for (uint32_t i = 0; i < 60; ++i) {
      ASSERT_OK(
          Append(opened.log.get(), SampleEntry(i), Durability::kNone).result);
    }
  }
  paths_ = SegmentPaths(&disk_);
  Inspect();
  const RecordReport torn = records_[5];
  ASSERT_EQ(torn.path, paths_[0]);
  std::vector<std::byte> bytes = ReadWhole(&disk_, paths_[0]);
  std::fill(bytes.begin() + torn.offset, bytes.end(), std::byte{0});
  WriteWhole(&disk_, paths_[0], bytes);

  const std::vector<SegmentReport> reports = Inspect();

  EXPECT_EQ(reports[0].state, SegmentReport::State::kTorn);
  EXPECT_EQ(reports[0].end, torn.offset);
  EXPECT_THAT(std::span(reports).subspan(1),
              Each(Field(&SegmentReport::state, SegmentReport::State::kVoid)));
  EXPECT_EQ(Samples(), 5);
}

TEST_F(LogInspectTest, TheLogThatWasGivenUpIsVoid) {
  std::vector<std::byte> last = ReadWhole(&disk_, paths_.back());
  ASSERT_OK(disk_.Remove(paths_.back()));
  OpenedLog opened = OpenLog(&disk_, kOptions);
  ASSERT_OK(opened.status);
  ASSERT_OK(Append(opened.log.get(), Body("instead")).result);
  ASSERT_EQ(SegmentPaths(&disk_).back(), paths_.back());
  opened.log.reset();
  WriteWhole(
      &disk_,
      absl::StrCat(kLogDirectory, "/", log_format::SegmentFileName(1000)),
      last);

  const std::vector<SegmentReport> reports = Inspect();

  EXPECT_EQ(reports.back().state, SegmentReport::State::kDamaged);
  EXPECT_THAT(reports.back().reason, HasSubstr("has the name of another"));
  ASSERT_OK(TruncateLog(&disk_, kLogDirectory, NameOf(paths_[0]), 0));
  EXPECT_EQ(Samples(), 0);
}

TEST_F(LogInspectTest, RecordsNeedNotBeVisited) {
  ASSERT_OK_AND_ASSIGN(auto reports, InspectLog(&disk_, kLogDirectory));
  int64_t records = 0;
  for (const SegmentReport& report : reports) records += report.records;
  EXPECT_EQ(records, 60);
}

// On a log with damage of several kinds.
TEST_F(LogInspectTest, FailedInspectionIsAnError) {
  Inspect();
  Flip(paths_[0], records_[5].offset + 3);  // a header of a record
  Flip(paths_[1], records_.back().offset);  // whatever is there
  Flip(paths_[2], 20);                      // a header of a segment
  FaultInjectingFileSystem faulty(&disk_);
  int64_t k = 1;
  for (;; ++k) {
    faulty.Inject(FailAt(k));
    const auto reports = InspectLog(&faulty, kLogDirectory);
    if (!faulty.happened()) break;
    EXPECT_THAT(reports,
                StatusIs(absl::StatusCode::kInternal, HasSubstr(kLogDirectory)))
        << k;
  }
  EXPECT_GT(k, 20);
}

TEST_F(LogInspectTest, FailedTruncationLosesNothing) {
  Inspect();
  const RecordReport record = records_[20];
  std::vector<std::vector<std::byte>> originals;
  for (const std::string& path : paths_) {
    originals.push_back(ReadWhole(&disk_, path));
  }
  for (int64_t k = 1;; ++k) {
    MemoryFileSystem copy;
    ASSERT_OK(copy.MakeDirectory(kLogDirectory));
    for (size_t i = 0; i < paths_.size(); ++i) {
      WriteWhole(&copy, paths_[i], originals[i]);
    }
    FaultInjectingFileSystem faulty(&copy);
    faulty.Inject(FailAt(k));
    const auto cut =
        TruncateLog(&faulty, kLogDirectory, NameOf(record.path), record.offset);
    if (!faulty.happened()) break;
    EXPECT_FALSE(cut.ok());
    for (size_t i = 0; i < paths_.size(); ++i) {
      const std::string backup = "/data/log-backup-1/" + NameOf(paths_[i]);
      const bool here = copy.OpenForRead(paths_[i]).ok() &&
                        ReadWhole(&copy, paths_[i]) == originals[i];
      const bool there = copy.OpenForRead(backup).ok() &&
                         ReadWhole(&copy, backup) == originals[i];
      EXPECT_TRUE(here || there) << k << " " << paths_[i];
    }
  }
}

}  // namespace
}  // namespace varkeep::storage
