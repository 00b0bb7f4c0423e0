// SPDX-License-Identifier: Apache-2.0
//
// What the system refuses, and what it is called then.
#include <gmock/gmock.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <vector>

#include "storage/posix_file_system.h"
#include "tests/testing/resource_limit.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"

namespace varkeep {
namespace {

using absl::StatusCode;
using storage::PosixFileSystem;
using ::testing::AnyOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class PosixErrorsTest : public ::testing::Test {
 protected:
  PosixErrorsTest() { ::signal(SIGXFSZ, SIG_IGN); }
  ~PosixErrorsTest() override { ::signal(SIGXFSZ, SIG_DFL); }

  std::string Path(const std::string& name) { return dir_.path() + "/" + name; }

  TempDir dir_;
  PosixFileSystem fs_;
};

TEST_F(PosixErrorsTest, RoomThatIsNotThereIsExhausted) {
  ASSERT_OK_AND_ASSIGN(auto file, fs_.Create(Path("a")));
  EXPECT_OK(file->Reserve(0));
  EXPECT_THAT(file->Reserve(int64_t{1} << 62),
              StatusIs(StatusCode::kResourceExhausted,
                       HasSubstr("cannot reserve 4611686018427387904 bytes")));
  ResourceLimit limit(RLIMIT_FSIZE, 4096);

  const auto exhausted =
      StatusIs(StatusCode::kResourceExhausted, HasSubstr(Path("a")));
  EXPECT_THAT(file->Truncate(1 << 20), exhausted);
  EXPECT_THAT(file->WriteAt(0, std::vector<std::byte>(8192)), exhausted);
  EXPECT_THAT(file->Size(), IsOkAndHolds(4096));
}

TEST_F(PosixErrorsTest, RoomThatEndsWithinALargeWriteIsExhausted) {
  constexpr int64_t kRoom = (2 << 20) + 100;
  ASSERT_OK_AND_ASSIGN(auto file, fs_.Create(Path("a")));
  ASSERT_OK(file->Reserve(4 << 20));
  ResourceLimit limit(RLIMIT_FSIZE, kRoom);

  EXPECT_THAT(file->WriteAt(0, std::vector<std::byte>(4 << 20)),
              StatusIs(StatusCode::kResourceExhausted, HasSubstr(Path("a"))));
  EXPECT_THAT(file->Size(), IsOkAndHolds(kRoom));
}

TEST_F(PosixErrorsTest, TooManyOpenFilesAreExhaustion) {
  ASSERT_OK(fs_.Create(Path("a")).status());
  std::vector<absl::Status> results;
  {
    // Matchers wait: under UndefinedBehaviorSanitizer they need descriptors.
    ResourceLimit limit(RLIMIT_NOFILE, 3);
    results = {
        fs_.Create(Path("b")).status(),  fs_.OpenForRead(Path("a")).status(),
        fs_.Lock(Path("LOCK")).status(), fs_.List(dir_.path()).status(),
        fs_.SyncDirectory(dir_.path()),  fs_.MakeDirectory(Path("c"))};
  }

  EXPECT_THAT(results, Each(StatusIs(StatusCode::kResourceExhausted,
                                     HasSubstr(dir_.path()))));
}

TEST_F(PosixErrorsTest, DirectoriesThatCannotBeMade) {
  EXPECT_THAT(fs_.MakeDirectory(""),
              StatusIs(StatusCode::kNotFound, HasSubstr("make directory ''")));
  EXPECT_THAT(fs_.MakeDirectory("/proc/none/below").code(),
              AnyOf(StatusCode::kNotFound, StatusCode::kPermissionDenied));
  ASSERT_EQ(::symlink("nowhere", Path("dangling").c_str()), 0);
  EXPECT_THAT(fs_.MakeDirectory(Path("dangling")),
              StatusIs(StatusCode::kNotFound, HasSubstr("dangling")));
  ASSERT_OK(fs_.Create(Path("file")).status());
  EXPECT_THAT(fs_.MakeDirectory(Path("file")),
              StatusIs(StatusCode::kInternal, HasSubstr("Not a directory")));
  EXPECT_THAT(fs_.MakeDirectory(Path("file/below")),
              StatusIs(StatusCode::kInternal, HasSubstr("Not a directory")));
}

TEST_F(PosixErrorsTest, ASystemsOwnFilesAreNotForUs) {
  EXPECT_THAT(fs_.MakeDirectory("/sys/kernel/none").code(),
              AnyOf(StatusCode::kPermissionDenied, StatusCode::kNotFound));
}

TEST_F(PosixErrorsTest, RelativePathsAreBelowTheWorkingDirectory) {
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(dir_.path());
  EXPECT_OK(fs_.MakeDirectory("."));
  EXPECT_OK(fs_.MakeDirectory("/"));
  EXPECT_OK(fs_.MakeDirectory("a"));
  EXPECT_OK(fs_.MakeDirectory("b/c"));
  std::filesystem::current_path(before);

  EXPECT_THAT(fs_.List(dir_.path()), IsOkAndHolds(ElementsAre("a", "b")));
}

}  // namespace
}  // namespace varkeep
