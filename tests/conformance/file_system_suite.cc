// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/file_system_suite.h"

#include <gmock/gmock.h>

#include <span>

#include "tests/testing/status_matchers.h"

namespace varkeep {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::span<const std::byte> Bytes(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

absl::StatusOr<std::string> ReadAt(storage::File& file, int64_t offset,
                                   size_t size) {
  std::string text(size, '?');
  absl::Status status = file.ReadAt(
      offset, std::as_writable_bytes(std::span(text.data(), text.size())));
  if (!status.ok()) return status;
  return text;
}

TEST_P(FileSystemSuite, ReadsBackWhatWasWritten) {
  ASSERT_OK_AND_ASSIGN(auto file, fs().Create(Path("a")));
  ASSERT_OK(file->WriteAt(0, Bytes("hello")));
  ASSERT_OK(file->WriteAt(3, Bytes("p me")));

  EXPECT_THAT(ReadAt(*file, 0, 7), IsOkAndHolds("help me"));
  EXPECT_THAT(file->Size(), IsOkAndHolds(7));
  ASSERT_OK(file->Sync());
  ASSERT_OK(file->Close());
  ASSERT_OK_AND_ASSIGN(auto again, fs().OpenForRead(Path("a")));
  EXPECT_THAT(ReadAt(*again, 5, 2), IsOkAndHolds("me"));
}

TEST_P(FileSystemSuite, AGapIsZero) {
  ASSERT_OK_AND_ASSIGN(auto file, fs().Create(Path("a")));
  ASSERT_OK(file->WriteAt(3, Bytes("x")));
  EXPECT_THAT(ReadAt(*file, 0, 4), IsOkAndHolds(std::string("\0\0\0x", 4)));
}

TEST_P(FileSystemSuite, ReadingPastTheEndIsOutOfRange) {
  ASSERT_OK_AND_ASSIGN(auto file, fs().Create(Path("a")));
  ASSERT_OK(file->WriteAt(0, Bytes("abc")));
  EXPECT_THAT(ReadAt(*file, 1, 3),
              StatusIs(absl::StatusCode::kOutOfRange, HasSubstr(Path("a"))));
  EXPECT_THAT(ReadAt(*file, 3, 0), IsOkAndHolds(""));
}

TEST_P(FileSystemSuite, TruncateCutsAndGrows) {
  ASSERT_OK_AND_ASSIGN(auto file, fs().Create(Path("a")));
  ASSERT_OK(file->WriteAt(0, Bytes("abc")));
  ASSERT_OK(file->Truncate(1));
  ASSERT_OK(file->Truncate(3));
  EXPECT_THAT(ReadAt(*file, 0, 3), IsOkAndHolds(std::string("a\0\0", 3)));
}

TEST_P(FileSystemSuite, ReserveChangesNothing) {
  ASSERT_OK_AND_ASSIGN(auto file, fs().Create(Path("a")));
  ASSERT_OK(file->WriteAt(0, Bytes("abc")));
  ASSERT_OK(file->Reserve(1 << 20));
  EXPECT_THAT(file->Size(), IsOkAndHolds(3));
  EXPECT_THAT(ReadAt(*file, 0, 3), IsOkAndHolds("abc"));
}

TEST_P(FileSystemSuite, CreateRefusesAnExistingFile) {
  ASSERT_OK(fs().Create(Path("a")).status());
  EXPECT_THAT(fs().Create(Path("a")),
              StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr(Path("a"))));
}

TEST_P(FileSystemSuite, WhatIsNotThereIsNotFound) {
  const auto not_found =
      StatusIs(absl::StatusCode::kNotFound, HasSubstr("none"));
  EXPECT_THAT(fs().OpenForRead(Path("none")), not_found);
  EXPECT_THAT(fs().Create(Path("none/a")), not_found);
  EXPECT_THAT(fs().Rename(Path("none"), Path("a")), not_found);
  EXPECT_THAT(fs().Remove(Path("none")), not_found);
  EXPECT_THAT(fs().List(Path("none")), not_found);
  EXPECT_THAT(fs().SyncDirectory(Path("none")), not_found);
  EXPECT_THAT(fs().Lock(Path("none/LOCK")), not_found);
  EXPECT_THAT(fs().FreeBytes(Path("none")), not_found);
  ASSERT_OK(fs().Create(Path("a")).status());
  EXPECT_THAT(fs().Rename(Path("none/a"), Path("a")), not_found);
  EXPECT_THAT(fs().Rename(Path("a"), Path("none/a")), not_found);
}

TEST_P(FileSystemSuite, AClosedFileIsOfNoUse) {
  ASSERT_OK_AND_ASSIGN(auto file, fs().Create(Path("a")));
  ASSERT_OK(file->Close());
  const auto refused =
      StatusIs(absl::StatusCode::kInternal, HasSubstr(Path("a")));
  EXPECT_THAT(ReadAt(*file, 0, 1), refused);
  EXPECT_THAT(file->WriteAt(0, Bytes("x")), refused);
  EXPECT_THAT(file->Truncate(1), refused);
  EXPECT_THAT(file->Reserve(1), refused);
  EXPECT_THAT(file->Size(), refused);
  EXPECT_THAT(file->Sync(), refused);
  EXPECT_THAT(file->Close(), refused);
}

TEST_P(FileSystemSuite, AFileOpenForReadingIsNotWritten) {
  ASSERT_OK(fs().Create(Path("a")).status());
  ASSERT_OK_AND_ASSIGN(auto file, fs().OpenForRead(Path("a")));
  EXPECT_FALSE(file->WriteAt(0, Bytes("x")).ok());
  EXPECT_FALSE(file->Truncate(9).ok());
}

TEST_P(FileSystemSuite, RenameReplaces) {
  ASSERT_OK_AND_ASSIGN(auto a, fs().Create(Path("a")));
  ASSERT_OK(a->WriteAt(0, Bytes("a")));
  ASSERT_OK(fs().Create(Path("b")).status());

  ASSERT_OK(fs().Rename(Path("a"), Path("b")));

  EXPECT_THAT(fs().List(Path("")), IsOkAndHolds(ElementsAre("b")));
  ASSERT_OK_AND_ASSIGN(auto b, fs().OpenForRead(Path("b")));
  EXPECT_THAT(ReadAt(*b, 0, 1), IsOkAndHolds("a"));
}

TEST_P(FileSystemSuite, AnOpenFileOutlivesItsName) {
  ASSERT_OK_AND_ASSIGN(auto file, fs().Create(Path("a")));
  ASSERT_OK(file->WriteAt(0, Bytes("abc")));
  ASSERT_OK(fs().Remove(Path("a")));
  EXPECT_THAT(ReadAt(*file, 0, 3), IsOkAndHolds("abc"));
  EXPECT_THAT(fs().List(Path("")), IsOkAndHolds(IsEmpty()));
}

TEST_P(FileSystemSuite, ListsFilesAndDirectoriesSorted) {
  ASSERT_OK(fs().Create(Path("b")).status());
  ASSERT_OK(fs().MakeDirectory(Path("c/d/e")));
  ASSERT_OK(fs().Create(Path("a")).status());
  EXPECT_THAT(fs().List(Path("")), IsOkAndHolds(ElementsAre("a", "b", "c")));
  EXPECT_THAT(fs().List(Path("c/d")), IsOkAndHolds(ElementsAre("e")));
}

TEST_P(FileSystemSuite, MakeDirectoryTwiceIsOk) {
  ASSERT_OK(fs().MakeDirectory(Path("c/d")));
  EXPECT_OK(fs().MakeDirectory(Path("c/d")));
  EXPECT_OK(fs().MakeDirectory(Path("c/d/")));
  EXPECT_OK(fs().SyncDirectory(Path("c/d")));
}

TEST_P(FileSystemSuite, MakeDirectoryDoesNotReplaceAFile) {
  ASSERT_OK(fs().Create(Path("a")).status());
  EXPECT_FALSE(fs().MakeDirectory(Path("a")).ok());
  EXPECT_FALSE(fs().MakeDirectory(Path("a/b")).ok());
}

TEST_P(FileSystemSuite, ALockHasOneHolder) {
  ASSERT_OK_AND_ASSIGN(auto lock, fs().Lock(Path("LOCK")));
  EXPECT_THAT(
      fs().Lock(Path("LOCK")),
      StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("LOCK")));
  lock.reset();
  EXPECT_OK(fs().Lock(Path("LOCK")).status());
}

TEST_P(FileSystemSuite, KnowsFreeSpace) {
  ASSERT_OK_AND_ASSIGN(int64_t bytes, fs().FreeBytes(Path("")));
  EXPECT_GT(bytes, 0);
}

}  // namespace
}  // namespace varkeep
