// SPDX-License-Identifier: Apache-2.0
//
// Logs whose checksums are right and whose contents are not, and disks that
// fail while a log is read.
#include <cstring>

#include "storage/log/log_format.h"
#include "storage/log/log_record.h"
#include "storage/memory_file_system.h"
#include "tests/storage/log/log_testing.h"
#include "tests/testing/status_matchers.h"

namespace varkeep::storage {
namespace {

using log_format::kFirstRecord;
using log_format::RecordHeader;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;

// The one segment of a log of `entries`.
class LogMisfitTest : public ::testing::Test {
 protected:
  void Write(const std::vector<LogEntry>& entries,
             const LogOptions& options = SmallSegments()) {
    OpenedLog opened = OpenLog(&disk_, options);
    ASSERT_OK(opened.status);
    for (const LogEntry& entry : entries) {
      ASSERT_OK(Append(opened.log.get(), entry).result);
    }
    path_ = SegmentPaths(&disk_)[0];
  }
  // Changes the header of the record at `offset`; gives where the next is.
  int64_t ChangeHeader(int64_t offset,
                       const std::function<void(RecordHeader&)>& change) {
    std::vector<std::byte> bytes = ReadWhole(&disk_, path_);
    log_format::SegmentHeaderBytes segment;
    std::memcpy(segment.data(), bytes.data(), segment.size());
    const uint64_t salt = log_format::DecodeSegmentHeader(segment)->salt;
    std::span<std::byte, 64> place(&bytes[static_cast<size_t>(offset)], 64);
    RecordHeader header = *log_format::DecodeRecordHeader(place, salt);
    const int64_t next = offset + header.bytes;
    change(header);
    const log_format::RecordHeaderBytes changed = Encode(header, salt);
    std::copy(changed.begin(), changed.end(), place.begin());
    WriteWhole(&disk_, path_, bytes);
    return next;
  }
  void Change(int64_t offset, std::byte value, int64_t count = 1) {
    std::vector<std::byte> bytes = ReadWhole(&disk_, path_);
    std::fill_n(bytes.begin() + offset, count, value);
    WriteWhole(&disk_, path_, bytes);
  }
  // Opening fails with the disk's error at whichever call that reads.
  void ExpectReadErrorsArePassedOn() {
    FaultInjectingFileSystem faulty(&disk_);
    faulty.Inject({});
    OpenLog(&faulty);
    int64_t reads = 0;
    for (const std::string& call : faulty.calls()) {
      if (call.starts_with("create")) break;
      ++reads;
    }
    for (int64_t k = 1; k <= reads; ++k) {
      faulty.Inject(FailAt(k));
      EXPECT_THAT(OpenLog(&faulty).status,
                  StatusIs(absl::StatusCode::kInternal,
                           HasSubstr("Input/output error")))
          << k;
    }
    EXPECT_GT(reads, 4);
  }

  MemoryFileSystem disk_;
  std::string path_;
};

TEST_F(LogMisfitTest, ARecordThatDoesNotLeadOnIsDamage) {
  Write({Body("a"), Body("b")});
  const int64_t second = ChangeHeader(kFirstRecord, [](RecordHeader&) {});
  ChangeHeader(second, [](RecordHeader& header) {
    ++header.before;
    ++header.revision;
  });

  EXPECT_THAT(OpenLog(&disk_).status,
              StatusIs(absl::StatusCode::kDataLoss,
                       HasSubstr("the record leads on from revision 2, the one "
                                 "before it led to 1")));
}

TEST_F(LogMisfitTest, HeadersThatCannotBeAreDamage) {
  const std::function<void(RecordHeader&)> changes[] = {
      [](RecordHeader& header) { header.revision = header.before; },
      [](RecordHeader& header) { header.bytes = 64; },
      [](RecordHeader& header) { header.bytes += 1; },
      [](RecordHeader& header) { header.tensors = 1 << 30; },
      [](RecordHeader& header) { header.tensors = 1; },
      [](RecordHeader& header) { header.body_bytes += 64; }};
  for (const auto& change : changes) {
    disk_.Remove(path_).IgnoreError();
    Write({Body(std::string(100, 'a'))});
    ChangeHeader(kFirstRecord, change);

    EXPECT_THAT(OpenLog(&disk_).status,
                StatusIs(absl::StatusCode::kDataLoss,
                         HasSubstr("is damaged at offset 4096")));
  }
}

TEST_F(LogMisfitTest, ACheckpointInTheMiddleOfARecordIsRefused) {
  Write({Body("a", 3)});

  EXPECT_THAT(OpenLog(&disk_, SmallSegments(), /*after=*/1).status,
              StatusIs(absl::StatusCode::kDataLoss,
                       HasSubstr("a record from revision 0 to 3; revision 1 is "
                                 "in the middle")));
}

TEST_F(LogMisfitTest, TheRemedyIsACommandForAShell) {
  LogOptions options = SmallSegments();
  options.directory = "/data/Ann's log";
  OpenedLog opened = OpenLog(&disk_, options);
  ASSERT_OK(Append(opened.log.get(), Body("a")).result);
  opened.log.reset();
  path_ = "/data/Ann's log/" + disk_.List(options.directory)->front();
  Change(kFirstRecord + 64, std::byte{'b'});

  EXPECT_THAT(
      OpenLog(&disk_, options).status,
      StatusIs(absl::StatusCode::kDataLoss,
               AllOf(HasSubstr("`varkeep log inspect '/data/Ann'\\''s "
                               "log'` shows"),
                     HasSubstr("truncate '/data/Ann'\\''s log' --at"))));
}

// Each larger than what is read at once.
std::vector<LogEntry> LargeEntries() {
  std::vector<LogEntry> entries;
  for (uint32_t i = 0; i < 4; ++i) {
    entries.push_back(Body(std::string(200'000 + 50'000 * i, 'b')));
    for (uint32_t n = 0; n < 3; ++n) {
      entries.back().tensors.push_back(
          RandomTensor(DType::kInt8, {120'000 + 70'001 * n}, i));
    }
  }
  return entries;
}

TEST_F(LogMisfitTest, ReadErrorsInAGoodLogArePassedOn) {
  Write(LargeEntries());
  ASSERT_THAT(OpenLog(&disk_).records, SizeIs(4));
  ExpectReadErrorsArePassedOn();
}

TEST_F(LogMisfitTest, ReadErrorsInADamagedLogArePassedOn) {
  Write(LargeEntries());
  Change(kFirstRecord + 100'000, std::byte{'x'});
  ASSERT_EQ(OpenLog(&disk_).status.code(), absl::StatusCode::kDataLoss);
  ExpectReadErrorsArePassedOn();
}

TEST_F(LogMisfitTest, ReadErrorsInATornLogArePassedOn) {
  Write(LargeEntries());
  const auto whole = static_cast<int64_t>(ReadWhole(&disk_, path_).size());
  for (const int64_t hole : {int64_t{0}, int64_t{32}, int64_t{512}}) {
    Change(kFirstRecord + hole, std::byte{0}, whole - kFirstRecord - hole);
    ExpectReadErrorsArePassedOn();
    for (const std::string& path : SegmentPaths(&disk_)) {
      ASSERT_OK(disk_.Remove(path));
    }
    Write(LargeEntries());
  }
}

// Whatever a table of tensors says: they lie within the record, or it is
// damaged.
TEST(LogRecordTest, AnyByteOfATableMayBeAnything) {
  LogEntry entry = Body("body");
  entry.tensors = {RandomTensor(DType::kFloat32, {2, 3}, 1),
                   RandomTensor(DType::kInt8, {}, 2)};
  ASSERT_OK_AND_ASSIGN(EncodedRecord record, EncodedRecord::Create(entry));
  const log_format::RecordHeaderBytes encoded = record.Finish(0, 0, 1);
  const RecordHeader header = *log_format::DecodeRecordHeader(encoded, 1);
  std::vector<std::byte> payload;
  record.ForEachPiece([&](std::span<const std::byte> piece) {
    payload.insert(payload.end(), piece.begin(), piece.end());
  });
  payload.erase(payload.begin(), payload.begin() + 64);
  payload.resize(32);  // the table: 8 bytes, two dimensions, 8 bytes
  ASSERT_OK(ParseRecordTable(header, payload));
  int damaged = 0;
  for (size_t at = 0; at < payload.size(); ++at) {
    for (const int value : {0x00, 0x01, 0x03, 0x10, 0x7f, 0xff}) {
      std::vector<std::byte> changed = payload;
      changed[at] = static_cast<std::byte>(value);
      absl::StatusOr<RecordLayout> layout = ParseRecordTable(header, changed);
      if (!layout.ok()) {
        EXPECT_EQ(layout.status().code(), absl::StatusCode::kDataLoss);
        ++damaged;
        continue;
      }
      for (const TensorPlace& place : layout->tensors) {
        EXPECT_LE(place.offset + place.bytes, header.bytes);
      }
    }
  }
  EXPECT_GT(damaged, 50);
  for (size_t size = 0; size < payload.size(); ++size) {
    EXPECT_THAT(ParseRecordTable(header, std::span(payload).first(size)),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr("table")))
        << size;
  }
}

}  // namespace
}  // namespace varkeep::storage
