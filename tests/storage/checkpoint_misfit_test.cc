// SPDX-License-Identifier: Apache-2.0
//
// Files that are sound, each for itself, but do not fit together: nothing wrong
// is read, and the reason is told.
#include <gmock/gmock.h>

#include "storage/memory_file_system.h"
#include "tests/storage/crafted_checkpoint.h"

namespace varkeep {
namespace {

using absl::StatusCode;
using storage::CheckpointInfo;
using storage::Damage;
using storage::Holder;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::SizeIs;

// Checkpoint 1 holds "v" and the null value "null"; 2 refers to it.
class CheckpointMisfitTest : public ::testing::Test {
 protected:
  CheckpointMisfitTest() {
    first_ = CraftedCheckpoint(1)
                 .Add("null", nullptr)
                 .Add("v", RandomTensor(DType::kInt8, {9000}, 1))
                 .Write(disk_);
  }

  CheckpointInfo Second(const std::string& path, const Holder& holder) {
    return CraftedCheckpoint(2).Refer(path, holder).Write(disk_);
  }
  Holder Altered(int64_t more_bytes, uint32_t more_crc) {
    Holder holder = HolderOf(first_);
    holder.size_bytes += more_bytes;
    holder.crc32c += more_crc;
    return holder;
  }
  std::unique_ptr<storage::DirectoryCheckpointStore> Open() {
    auto store = OpenStore(disk_);
    EXPECT_OK(store);
    return *std::move(store);
  }
  // Without the manifest only the first checkpoint is adopted, and `reason` is
  // told of the second.
  void ExpectQuarantined(const std::string& reason) {
    auto store = Open();
    EXPECT_THAT(store->notices(), Contains(HasSubstr(reason)));
    ASSERT_OK_AND_ASSIGN(auto listed, store->List());
    ASSERT_THAT(listed, SizeIs(1));
    EXPECT_EQ(listed[0].id, 1);
    EXPECT_THAT(disk_.List("/data/quarantine"),
                IsOkAndHolds(ElementsAre("ckpt-000002.h5.1")));
  }
  // Reading the second, which the manifest lists, fails for this reason.
  void ExpectUnreadable(const CheckpointInfo& second,
                        const std::string& reason) {
    WriteManifest(disk_, {first_, second});
    EXPECT_THAT(Open()->Open(2),
                StatusIs(StatusCode::kDataLoss, HasSubstr(reason)));
  }
  void ExpectDamage(const CheckpointInfo& second, const std::string& file,
                    const std::string& reason) {
    WriteManifest(disk_, {first_, second});
    ASSERT_OK_AND_ASSIGN(auto report, Open()->Verify(2, nullptr));
    EXPECT_THAT(report.damage,
                Contains(AllOf(Field(&Damage::file, file),
                               Field(&Damage::message, HasSubstr(reason)))));
  }

  storage::MemoryFileSystem disk_;
  CheckpointInfo first_;
};

TEST_F(CheckpointMisfitTest, WhatFitsIsAdoptedAndRead) {
  Second("v", HolderOf(first_));
  auto store = Open();
  ASSERT_OK_AND_ASSIGN(auto reader, store->Open(2));
  EXPECT_THAT(reader->Read(0),
              IsOkAndHolds(TensorEq(RandomTensor(DType::kInt8, {9000}, 1))));
}

TEST_F(CheckpointMisfitTest, AHolderHasNoSuchEntry) {
  const CheckpointInfo second = Second("w", HolderOf(first_));
  ExpectUnreadable(second, "has no entry 'w'");
  ExpectDamage(second, "ckpt-000001.h5", "it does not hold the value that");
  ASSERT_OK(disk_.Remove("/data/MANIFEST.json"));
  ExpectQuarantined("does not hold entry 'w'");
}

TEST_F(CheckpointMisfitTest, AHolderHasNoValueForTheEntry) {
  const CheckpointInfo second = Second("null", HolderOf(first_));
  ExpectDamage(second, "ckpt-000001.h5", "it does not hold the value that");
  ASSERT_OK(disk_.Remove("/data/MANIFEST.json"));
  ExpectQuarantined("does not hold entry 'null'");
}

TEST_F(CheckpointMisfitTest, AHolderOfAnotherChecksum) {
  const CheckpointInfo second = Second("v", Altered(0, 1));
  ExpectUnreadable(second, "has checksum");
  ExpectDamage(second, "ckpt-000001.h5", "it has checksum");
  ASSERT_OK(disk_.Remove("/data/MANIFEST.json"));
  ExpectQuarantined("'/data/ckpt-000001.h5' is another file");
}

TEST_F(CheckpointMisfitTest, AHolderOfAnotherSize) {
  const CheckpointInfo second = Second("v", Altered(1, 0));
  ExpectUnreadable(second, "bytes, not");
  ExpectDamage(second, "ckpt-000001.h5", "bytes, not");
  ASSERT_OK(disk_.Remove("/data/MANIFEST.json"));
  ExpectQuarantined("'/data/ckpt-000001.h5' is another file");
}

TEST_F(CheckpointMisfitTest, AHolderThatIsNoCheckpoint) {
  const CheckpointInfo second = Second("v", {"passwd", 1, 1});
  ExpectUnreadable(second, "needs 'passwd', which is not in the manifest");
  ExpectDamage(second, "ckpt-000002.h5", "'passwd', which is no checkpoint");
  ASSERT_OK(disk_.Remove("/data/MANIFEST.json"));
  ExpectQuarantined("'passwd' is not named as a checkpoint");
}

TEST_F(CheckpointMisfitTest, AHolderThatIsMissing) {
  const CheckpointInfo second = Second("v", {"ckpt-000007.h5", 1, 1});
  ExpectUnreadable(second, "a file of checkpoint");
  ExpectDamage(second, "ckpt-000007.h5", "it is missing");
  ASSERT_OK(disk_.Remove("/data/MANIFEST.json"));
  ExpectQuarantined("'/data/ckpt-000007.h5' is missing");
}

TEST_F(CheckpointMisfitTest, AHolderThatTheManifestDoesNotName) {
  CheckpointInfo second = Second("v", HolderOf(first_));
  second.holders.clear();
  ExpectUnreadable(second, "needs 'ckpt-000001.h5', which is not in the");
}

TEST_F(CheckpointMisfitTest, AnotherRevisionThanTheManifestSays) {
  CheckpointInfo second = Second("v", HolderOf(first_));
  ++second.revision;
  ExpectUnreadable(second, "has revision 2, the manifest says 3");
}

TEST_F(CheckpointMisfitTest, AnotherChecksumThanTheManifestSays) {
  CheckpointInfo second = Second("v", HolderOf(first_));
  ++second.crc32c;
  ExpectUnreadable(second, "has checksum");
  ExpectDamage(second, "ckpt-000002.h5", "it has checksum");
}

// The manifest lists the holder, and the file that refers to it was left by a
// crash.
TEST_F(CheckpointMisfitTest, AListedHolderThatIsAnotherFile) {
  Second("v", Altered(0, 1));
  WriteManifest(disk_, {first_});
  ExpectQuarantined("has checksum");
}

TEST_F(CheckpointMisfitTest, AListedHolderThatIsMissing) {
  Second("v", HolderOf(first_));
  WriteManifest(disk_, {first_});
  ASSERT_OK(disk_.Remove("/data/ckpt-000001.h5"));
  ExpectQuarantined("cannot open '/data/ckpt-000001.h5'");
}

}  // namespace
}  // namespace varkeep
