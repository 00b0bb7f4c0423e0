// SPDX-License-Identifier: Apache-2.0
#include "storage/posix_file_system.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/storage/store_checks.h"
#include "tests/testing/temp_dir.h"

namespace varkeep {
namespace {

using storage::PosixFileSystem;
using ::testing::HasSubstr;

// Runs `body` in a child process and expects it to end with exit code 0; other
// codes tell which of its expectations failed.
template <typename Body>
void ExpectInChild(const Body& body) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) ::_exit(body());
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(PosixFileSystemTest, FilesAreNotForOthers) {
  TempDir dir;
  PosixFileSystem fs;
  ASSERT_OK(fs.MakeDirectory(dir.path() + "/d"));
  ASSERT_OK(fs.Create(dir.path() + "/d/a").status());
  struct stat info;
  ASSERT_EQ(::stat((dir.path() + "/d/a").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0137, 0u);
  ASSERT_EQ(::stat((dir.path() + "/d").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0027, 0u);
}

TEST(PosixFileSystemTest, DoesNotFollowLinks) {
  TempDir dir;
  PosixFileSystem fs;
  ASSERT_OK(fs.Create(dir.path() + "/a").status());
  const std::string link = dir.path() + "/link";
  const std::string dangling = dir.path() + "/dangling";
  ASSERT_EQ(::symlink("a", link.c_str()), 0);
  ASSERT_EQ(::symlink("b", dangling.c_str()), 0);
  EXPECT_THAT(fs.Create(dangling).status(),
              StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr(dangling)));
  EXPECT_FALSE(fs.OpenForRead(link).ok());
  EXPECT_FALSE(fs.Lock(link).ok());
}

TEST(PosixFileSystemTest, DoesNotWaitForAPipe) {
  TempDir dir;
  PosixFileSystem fs;
  const std::string pipe = dir.path() + "/pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THAT(fs.OpenForRead(pipe).status(),
              StatusIs(absl::StatusCode::kInternal, HasSubstr("regular")));
}

TEST(PosixFileSystemTest, ErrorsNamePathAndReason) {
  PosixFileSystem fs;
  EXPECT_THAT(fs.OpenForRead("/none/a").status(),
              StatusIs(absl::StatusCode::kNotFound,
                       "cannot open '/none/a': No such file or directory"));
  EXPECT_THAT(fs.MakeDirectory("/proc/none").code(),
              ::testing::AnyOf(absl::StatusCode::kNotFound,
                               absl::StatusCode::kPermissionDenied));
}

TEST(PosixFileSystemTest, NeverUsesTheStandardDescriptors) {
  TempDir dir;
  const std::string path = dir.path() + "/a";
  ExpectInChild([&] {
    ::close(0);
    ::close(1);
    ::close(2);
    PosixFileSystem fs;
    auto file = fs.Create(path);
    auto lock = fs.Lock(dir.path() + "/LOCK");
    if (!file.ok() || !lock.ok()) return 1;
    for (int fd = 0; fd <= 2; ++fd) {
      if (::fcntl(fd, F_GETFD) != -1) return 2;
    }
    return 0;
  });
}

TEST(PosixFileSystemTest, LargeWritesArriveHoweverTheyAreAligned) {
  TempDir dir;
  PosixFileSystem fs;
  constexpr size_t kBytes = (size_t{5} << 20) + 777;
  std::vector<std::byte> memory(kBytes + 4096);
  for (size_t i = 0; i < memory.size(); ++i) {
    memory[i] = static_cast<std::byte>(i * 7 + i / 4096);
  }
  int number = 0;
  for (const size_t start : {size_t{0}, size_t{1}, size_t{64}}) {
    for (const int64_t offset : {0, 4096, 4160, 4095}) {
      auto bytes = std::span(memory).subspan(start, kBytes);
      ASSERT_OK_AND_ASSIGN(auto file,
                           fs.Create(absl::StrCat(dir.path(), "/", number++)));
      ASSERT_OK(file->Reserve(offset + static_cast<int64_t>(kBytes)));
      ASSERT_OK(file->WriteAt(offset, bytes));
      std::vector<std::byte> back(kBytes);
      ASSERT_OK(file->ReadAt(offset, back));
      EXPECT_TRUE(std::ranges::equal(back, bytes)) << start << " " << offset;
    }
  }
}

TEST(PosixFileSystemTest, TheLockHoldsAgainstAnotherProcess) {
  TempDir dir;
  PosixFileSystem fs;
  ASSERT_OK_AND_ASSIGN(auto store, OpenStore(fs, dir.path()));
  ExpectInChild([&] {
    auto other = OpenStore(fs, dir.path());
    return absl::StrContains(other.status().message(),
                             "is in use by another server")
               ? 0
               : 1;
  });
}

TEST(PosixFileSystemTest, AFullDiskIsAnErrorAndNotACrash) {
  TempDir dir;
  ExpectInChild([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    PosixFileSystem fs;
    auto store = storage::DirectoryCheckpointStore::Open(
        &fs, dir.path(), Clock::Real(), storage::Sharing::kNone);
    if (!store.ok() || !(*store)->Write(SampleContents(1), nullptr).ok()) {
      return 1;
    }
    // Also where the room was not found missing before writing.
    for (rlim_t limit = 0; limit < 100'000; limit += 9'999) {
      const rlimit full{limit, RLIM_INFINITY};
      if (::setrlimit(RLIMIT_FSIZE, &full) != 0) return 2;
      absl::Status status =
          (*store)->Write(SampleContents(2), nullptr).status();
      const rlimit room{RLIM_INFINITY, RLIM_INFINITY};
      if (::setrlimit(RLIMIT_FSIZE, &room) != 0) return 3;
      if (!absl::IsResourceExhausted(status)) return 4;
      if (!absl::StrContains(status.message(), dir.path())) return 5;
    }
    if (!(*store)->Write(SampleContents(3), nullptr).ok()) return 6;
    return (*store)->List()->size() == 2 ? 0 : 7;
  });
  PosixFileSystem fs;
  ASSERT_OK_AND_ASSIGN(auto store, OpenStore(fs, dir.path()));
  EXPECT_EQ(WholeRevisions(*store), (std::set<uint64_t>{1, 3}));
}

TEST(PosixFileSystemTest, ACheckpointTakesNoMoreRoomThanItNeeds) {
  TempDir dir;
  PosixFileSystem fs;
  ASSERT_OK_AND_ASSIGN(auto store, OpenStore(fs, dir.path()));
  ASSERT_OK_AND_ASSIGN(auto info, store->Write(SampleContents(1), nullptr));
  struct stat stored;
  ASSERT_EQ(::stat((dir.path() + "/" + info.file).c_str(), &stored), 0);
  EXPECT_EQ(stored.st_size, info.size_bytes);
  EXPECT_LE(stored.st_blocks * 512, info.size_bytes + 16384);
}

}  // namespace
}  // namespace varkeep
