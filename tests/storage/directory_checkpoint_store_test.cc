// SPDX-License-Identifier: Apache-2.0
#include "storage/directory_checkpoint_store.h"

#include <gmock/gmock.h>

#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/crc32c.h"
#include "storage/checkpoint_trailer.h"
#include "storage/hdf5/checkpoint_writer.h"
#include "storage/memory_file_system.h"
#include "tests/storage/store_checks.h"
#include "tests/testing/fault_injecting_file_system.h"

namespace varkeep {
namespace {

using storage::MemoryFileSystem;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Revisions = std::set<uint64_t>;

std::string Path(const std::string& name) {
  return absl::StrCat(kDataDir, "/", name);
}

TEST(DirectoryCheckpointStoreTest, RefusesASecondOpener) {
  MemoryFileSystem disk;
  ASSERT_OK_AND_ASSIGN(auto store, OpenStore(disk));
  EXPECT_THAT(OpenStore(disk),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "data directory '/data' is in use by another server"));
  store.reset();
  EXPECT_OK(OpenStore(disk));
}

TEST(DirectoryCheckpointStoreTest, ListsTheSameWhenOpenedAgain) {
  MemoryFileSystem disk;
  std::vector<storage::CheckpointInfo> before;
  {
    ASSERT_OK_AND_ASSIGN(auto store, OpenStore(disk));
    ASSERT_OK(store->Write(SampleContents(1), nullptr));
    ASSERT_OK(store->Write(SampleContents(2), nullptr));
    before = *store->List();
  }
  ASSERT_OK_AND_ASSIGN(auto store, OpenStore(disk));
  EXPECT_THAT(store->notices(), IsEmpty());
  auto after = *store->List();
  ASSERT_EQ(after.size(), 2);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(after[i].id, before[i].id);
    EXPECT_EQ(after[i].revision, before[i].revision);
    EXPECT_EQ(after[i].file, before[i].file);
    EXPECT_EQ(after[i].size_bytes, before[i].size_bytes);
    EXPECT_EQ(after[i].crc32c, before[i].crc32c);
    EXPECT_EQ(after[i].created, before[i].created);
    EXPECT_EQ(after[i].entries, before[i].entries);
  }
}

TEST(DirectoryCheckpointStoreTest, IdsGoOnAfterARemovalAndAnOpening) {
  MemoryFileSystem disk;
  WriteRevisions(disk, {1, 2});
  {
    ASSERT_OK_AND_ASSIGN(auto store, OpenStore(disk));
    ASSERT_OK(store->Remove(2));
  }
  ASSERT_OK_AND_ASSIGN(auto store, OpenStore(disk));
  ASSERT_OK_AND_ASSIGN(auto info, store->Write(SampleContents(3), nullptr));
  EXPECT_EQ(info.id, 3);
}

TEST(DirectoryCheckpointStoreTest, IdsGoOnAfterTheHighestInQuarantine) {
  MemoryFileSystem disk;
  WriteRevisions(disk, {1});
  ReplaceFile(disk, Path("ckpt-000041.h5"), "nothing");
  ASSERT_OK_AND_ASSIGN(auto store, OpenStore(disk));
  ASSERT_THAT(store->notices(),
              ElementsAre(HasSubstr("quarantine/ckpt-000041.h5.1")));
  ASSERT_OK_AND_ASSIGN(auto info, store->Write(SampleContents(3), nullptr));
  EXPECT_EQ(info.id, 42);
}

// Index and trailer are right, but what they tell of is not there.
TEST(DirectoryCheckpointStoreTest, DoesNotAdoptWhatIsNoCheckpoint) {
  MemoryFileSystem disk;
  WriteRevisions(disk, {1});
  for (int64_t offset : {int64_t{-1}, int64_t{1}, int64_t{1} << 40}) {
    storage::CheckpointIndex index;
    index.contents.entries = {EntryOf("a", Of<float>({}, {1}))};
    index.values = {storage::StoredValue{offset, 4, 0}};
    ASSERT_OK_AND_ASSIGN(auto file, disk.Create(Path("ckpt-000002.h5")));
    ASSERT_OK(file->WriteAt(0, std::vector<std::byte>(4)));
    ASSERT_OK(storage::AppendTrailer(file.get(), index).status());
    ASSERT_OK_AND_ASSIGN(auto store, OpenStore(disk));
    EXPECT_THAT(store->notices(), ElementsAre(HasSubstr("quarantine")));
    EXPECT_EQ(WholeRevisions(*store), Revisions{1});
  }
}

// The two trailers that files of version 1 have.
std::string FileOfVersionOne(bool with_table) {
  std::string bytes = "something";
  auto add = [&bytes](auto number) {
    bytes.append(reinterpret_cast<const char*>(&number), sizeof(number));
  };
  const size_t begin = bytes.size();
  bytes += "VARKEEP\n";
  add(uint64_t{begin});
  if (with_table) {
    add(uint64_t{0});
    add(uint32_t{1});
  }
  add(uint32_t{2});
  add(Crc32c(std::as_bytes(std::span(bytes).subspan(begin))));
  return bytes;
}

std::map<std::string, std::string> AllFiles(MemoryFileSystem& disk) {
  std::map<std::string, std::string> files;
  auto names = disk.List(kDataDir);
  EXPECT_OK(names);
  for (const std::string& name : *names) {
    files[name] = ReadFile(disk, Path(name));
  }
  return files;
}

TEST(DirectoryCheckpointStoreTest, ADirectoryOfVersionOneIsLeftAsItIs) {
  const std::string listing =
      R"({"crc32c":"6e894bdd","format":"varkeep manifest","format_version":1})";
  for (const std::string& manifest : {listing, std::string("damaged")}) {
    for (bool with_table : {false, true}) {
      MemoryFileSystem disk;
      ASSERT_OK(disk.MakeDirectory(kDataDir));
      ReplaceFile(disk, Path("LOCK"), "");
      ReplaceFile(disk, Path("MANIFEST.json"), manifest);
      ReplaceFile(disk, Path("ckpt-000001.h5"), FileOfVersionOne(with_table));
      ReplaceFile(disk, Path("ckpt-000002.h5"), "damaged");
      ReplaceFile(disk, Path("ckpt-000003.h5.tmp"), "x");
      const auto before = AllFiles(disk);
      EXPECT_THAT(OpenStore(disk),
                  StatusIs(absl::StatusCode::kFailedPrecondition,
                           HasSubstr("it has format version 1, this program "
                                     "reads and writes version 2")));
      EXPECT_EQ(AllFiles(disk), before);
    }
  }
}

TEST(DirectoryCheckpointStoreTest, RemovesTemporaryFilesAndKeepsOthers) {
  MemoryFileSystem disk;
  WriteRevisions(disk, {1});
  ReplaceFile(disk, Path("ckpt-000002.h5.tmp"), "x");
  ReplaceFile(disk, Path("MANIFEST.json.tmp"), "x");
  ReplaceFile(disk, Path("notes.tmp"), "x");
  ReplaceFile(disk, Path("ckpt-7.h5"), "x");
  ASSERT_OK_AND_ASSIGN(auto store, OpenStore(disk));
  EXPECT_EQ(store->notices().size(), 2);
  EXPECT_THAT(
      disk.List(kDataDir),
      IsOkAndHolds(ElementsAre("LOCK", "MANIFEST.json", "ckpt-000001.h5",
                               "ckpt-7.h5", "notes.tmp")));
}

TEST(DirectoryCheckpointStoreTest, AdoptsACompleteFileThatIsNotListed) {
  MemoryFileSystem disk;
  WriteRevisions(disk, {1});
  const std::string manifest = ReadFile(disk, Path("MANIFEST.json"));
  WriteRevisions(disk, {2});
  ReplaceFile(disk, Path("MANIFEST.json"), manifest);
  {
    ASSERT_OK_AND_ASSIGN(auto store, OpenStore(disk));
    EXPECT_THAT(store->notices(),
                ElementsAre(HasSubstr("adopted checkpoint "
                                      "'/data/ckpt-000002.h5', revision 2")));
    EXPECT_EQ(WholeRevisions(*store), (Revisions{1, 2}));
  }
  ASSERT_OK_AND_ASSIGN(auto store, OpenStore(disk));
  EXPECT_THAT(store->notices(), IsEmpty());
}

TEST(DirectoryCheckpointStoreTest, AManifestOfAbsurdSizeIsNotRead) {
  MemoryFileSystem disk;
  WriteRevisions(disk, {1});
  ASSERT_OK(disk.Remove(Path("MANIFEST.json")));
  ASSERT_OK_AND_ASSIGN(auto file, disk.Create(Path("MANIFEST.json")));
  ASSERT_OK(file->Truncate((64 << 20) + 1));

  ASSERT_OK_AND_ASSIGN(auto store, OpenStore(disk));
  EXPECT_THAT(
      store->notices(),
      Contains(HasSubstr("manifest '/data/MANIFEST.json' has 67108865 bytes")));
  EXPECT_EQ(WholeRevisions(*store), Revisions{1});
}

TEST(DirectoryCheckpointStoreTest, APathHasAtMost256Components) {
  MemoryFileSystem disk;
  ASSERT_OK_AND_ASSIGN(auto store, OpenStore(disk));
  auto write = [&](int components) {
    std::string path = "a";
    while (--components > 0) path += "/a";
    storage::CheckpointContents contents;
    contents.revision = 1;
    contents.entries = {{path, DType::kFloat32, {}, Of<float>({}, {1}), {}}};
    return store->Write(std::move(contents), nullptr).status();
  };
  EXPECT_OK(write(256));
  EXPECT_THAT(write(257),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("a/a/a")));
}

TEST(DirectoryCheckpointStoreTest, AFileThatReadsBackOtherwiseIsNotPublished) {
  MemoryFileSystem disk;
  ASSERT_OK_AND_ASSIGN(auto store, OpenStore(disk));
  ASSERT_OK(store->Write(SampleContents(1), nullptr));
  ASSERT_OK(store->Write(SampleContents(2), nullptr));
  // A whole checkpoint, but another one.
  auto exchange = [&](int64_t /*written*/, int64_t /*total*/) {
    const std::vector<std::string> names = disk.List(kDataDir).value();
    for (const std::string& name : names) {
      if (!absl::EndsWith(name, ".tmp")) continue;
      disk.Rename(Path("ckpt-000002.h5"), Path(name)).IgnoreError();
    }
  };

  EXPECT_THAT(store->Write(SampleContents(3), exchange),
              StatusIs(absl::StatusCode::kDataLoss,
                       HasSubstr("is not what was written to it")));
  EXPECT_EQ((*store->List()).size(), 2);
}

TEST(DirectoryCheckpointStoreTest, RebuildsAMissingManifest) {
  MemoryFileSystem disk;
  WriteRevisions(disk, {1, 2});
  ASSERT_OK(disk.Remove(Path("MANIFEST.json")));
  ASSERT_OK_AND_ASSIGN(auto store, OpenStore(disk));
  EXPECT_EQ(WholeRevisions(*store), (Revisions{1, 2}));
  EXPECT_THAT(store->notices(),
              ElementsAre(HasSubstr("MANIFEST.json' is missing"),
                          HasSubstr("adopted"), HasSubstr("adopted")));
}

TEST(DirectoryCheckpointStoreTest,
     AListedCheckpointWhoseFileIsGoneStaysListed) {
  MemoryFileSystem disk;
  WriteRevisions(disk, {1, 2});
  ASSERT_OK(disk.Remove(Path("ckpt-000001.h5")));
  ASSERT_OK_AND_ASSIGN(auto store, OpenStore(disk));
  EXPECT_THAT(store->notices(), ElementsAre(HasSubstr("missing")));
  EXPECT_EQ(store->List()->size(), 2);
  EXPECT_THAT(store->Open(1), StatusIs(absl::StatusCode::kDataLoss,
                                       HasSubstr("/data/ckpt-000001.h5")));
  EXPECT_OK(store->Remove(1));
}

TEST(DirectoryCheckpointStoreTest, ARemovedFileMayBePutBack) {
  MemoryFileSystem disk;
  ASSERT_OK_AND_ASSIGN(
      auto store, storage::DirectoryCheckpointStore::Open(
                      &disk, kDataDir, Clock::Real(), storage::Sharing::kNone));
  ASSERT_OK(store->Write(SampleContents(1), nullptr));
  ASSERT_OK(store->Write(SampleContents(2), nullptr));
  const std::string bytes = ReadFile(disk, Path("ckpt-000001.h5"));
  ASSERT_OK(store->Remove(1));
  store.reset();
  ReplaceFile(disk, Path("ckpt-000001.h5"), bytes);
  ASSERT_OK_AND_ASSIGN(store, OpenStore(disk));
  EXPECT_EQ(WholeRevisions(*store), (Revisions{1, 2}));
}

TEST(DirectoryCheckpointStoreTest, AFullDiskIsFoundOutBeforeWriting) {
  MemoryFileSystem disk(100 << 10);
  FaultInjectingFileSystem fs(&disk);
  ASSERT_OK_AND_ASSIGN(auto store, OpenStore(fs));
  fs.Inject({});
  EXPECT_THAT(
      store->Write(SampleContents(1), nullptr),
      StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("'/data' has")));
  EXPECT_EQ(fs.calls().size(), 1);
}

TEST(DirectoryCheckpointStoreTest, AFullDiskIsOpenedAlsoAfterACrash) {
  constexpr int64_t kCapacity = 1 << 20;
  MemoryFileSystem disk(kCapacity);
  WriteRevisions(disk, {1, 2});
  // As a crash between the checkpoint and its manifest leaves it.
  ASSERT_OK(disk.Remove(Path("MANIFEST.json")));
  ASSERT_OK_AND_ASSIGN(int64_t free, disk.FreeBytes(kDataDir));
  ReplaceFile(disk, Path("other"), std::string(static_cast<size_t>(free), 'x'));
  {
    ASSERT_OK_AND_ASSIGN(auto store, OpenStore(disk));
    EXPECT_THAT(store->notices(),
                Contains(HasSubstr("the next checkpoint brings it up")));
    EXPECT_EQ(WholeRevisions(*store), (Revisions{1, 2}));
    EXPECT_THAT(
        store->Write(SampleContents(3), nullptr),
        StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("/data")));
    ASSERT_OK(disk.Remove(Path("other")));
    ASSERT_OK(store->Write(SampleContents(3), nullptr));
  }
  ASSERT_OK_AND_ASSIGN(auto store, OpenStore(disk));
  EXPECT_THAT(store->notices(), IsEmpty());
  EXPECT_EQ(WholeRevisions(*store), (Revisions{1, 2, 3}));
}

TEST(DirectoryCheckpointStoreTest, TheEstimateIsNotExceeded) {
  MemoryFileSystem disk;
  std::vector<storage::CheckpointContents> cases(4);
  cases[0] = SampleContents(1);
  for (uint32_t i = 0; i < 1000; ++i) {
    cases[1].entries.push_back(
        EntryOf(absl::StrCat("a/b", i, "/c/d", i), Of<float>({}, {1}),
                {{"x", std::vector<std::string>(20, "y")}, {"z", true}}));
    cases[2].entries.push_back(
        EntryOf(absl::StrCat("v", i), Of<float>({}, {1})));
  }
  ASSERT_OK_AND_ASSIGN(auto store, OpenStore(disk));
  for (const storage::CheckpointContents& contents : cases) {
    ASSERT_OK_AND_ASSIGN(auto info, store->Write(contents, nullptr));
    EXPECT_LE(info.size_bytes, storage::hdf5::EstimateFileSize(contents, {}));
  }
}

// No rename before a sync of the file, none left without one of the directory,
// the manifest last.
TEST(DirectoryCheckpointStoreTest, SyncsBeforeAndAfterEachRename) {
  MemoryFileSystem disk;
  FaultInjectingFileSystem fs(&disk);
  ASSERT_OK_AND_ASSIGN(auto store, OpenStore(fs));
  fs.Inject({});
  ASSERT_OK(store->Write(SampleContents(1), nullptr));
  std::vector<std::string> order;
  for (const std::string& call : fs.calls()) {
    if (absl::StrContains(call, "sync") || absl::StartsWith(call, "rename")) {
      order.push_back(call);
    }
  }
  EXPECT_THAT(
      order, ElementsAre("sync /data/ckpt-000001.h5.tmp",
                         "rename /data/ckpt-000001.h5", "sync directory /data",
                         "sync /data/MANIFEST.json.tmp",
                         "rename /data/MANIFEST.json", "sync directory /data"));
}

TEST(DirectoryCheckpointStoreTest, DropsEachValueOnceItIsWritten) {
  MemoryFileSystem disk;
  ASSERT_OK_AND_ASSIGN(auto store, OpenStore(disk));
  storage::CheckpointContents contents;
  std::vector<std::weak_ptr<const Tensor>> values;
  for (int i = 0; i < 3; ++i) {
    // As large as progress is reported.
    TensorRef value = Of<float>({1 << 18}, std::vector<float>(1 << 18));
    values.push_back(value);
    contents.entries.push_back(EntryOf(absl::StrCat("v", i), value));
  }
  int64_t written = 0;
  ASSERT_OK(store->Write(std::move(contents), [&](int64_t done, int64_t all) {
    EXPECT_EQ(all, 3 << 20);
    // The last two may be on their way to the disk.
    for (int64_t i = 0; i < (done >> 20) - 3; ++i) {
      EXPECT_TRUE(values[static_cast<size_t>(i)].expired());
    }
    written = done;
  }));
  EXPECT_EQ(written, 3 << 20);
}

}  // namespace
}  // namespace varkeep
