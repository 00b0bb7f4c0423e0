// SPDX-License-Identifier: Apache-2.0
//
// Helpers that a file has taken over, or that are broken: shell scripts in the
// place of the real one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <fstream>
#include <random>

#include "absl/strings/str_cat.h"
#include "storage/import/frame.h"
#include "tests/storage/import/import_testing.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"

namespace varkeep::storage {
namespace {

using ::testing::HasSubstr;

class FakeHelperTest : public ::testing::Test {
 protected:
  // Imports with a helper that runs these lines of shell.
  absl::Status ImportWith(const std::string& lines) {
    const std::string path = directory_.path() + "/helper";
    std::ofstream(path) << "#!/bin/sh\n" << lines << "\n";
    chmod(path.c_str(), 0700);
    ImportOptions options;
    options.helper = path;
    options.limits.timeout = timeout_;
    return Import(Files() + "/small.h5", options).status;
  }
  absl::Status ImportOf(const std::string& frames) {
    const std::string path = directory_.path() + "/frames";
    WriteBytes(path, {frames.begin(), frames.end()});
    return ImportWith(absl::StrCat("cat ", path, " >&4"));
  }

  TempDir directory_;
  absl::Duration timeout_ = absl::Seconds(60);
};

TEST_F(FakeHelperTest, GarbageIsDataLoss) {
  std::mt19937 random(1);
  for (int i = 0; i < 20; ++i) {
    std::string garbage(random() % 3000, '\0');
    for (char& c : garbage) c = static_cast<char>(random());
    EXPECT_THAT(ImportOf(garbage),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr("small.h5")));
  }
  EXPECT_THAT(ImportWith("cat /dev/zero >&4"),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("no frame")));
}

TEST_F(FakeHelperTest, SilenceEndsInDeadlineExceeded) {
  timeout_ = absl::Milliseconds(50);
  EXPECT_THAT(
      ImportWith("exec sleep 1000"),
      StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("small.h5")));
}

TEST_F(FakeHelperTest, TheEndOfTheHelperIsExplained) {
  EXPECT_THAT(ImportWith("exit 0"),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("exit code 0")));
  EXPECT_THAT(
      ImportWith("exit 3"),
      StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("more memory")));
  EXPECT_THAT(ImportWith("kill -SEGV $$"),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("signal 11")));
  EXPECT_THAT(ImportWith("kill -KILL $$"),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("signal 9")));
  EXPECT_THAT(ImportWith("kill -SYS $$"),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("not allowed")));
  EXPECT_THAT(ImportWith("kill -XCPU $$"),
              StatusIs(absl::StatusCode::kDeadlineExceeded,
                       HasSubstr("processor time")));
}

TEST_F(FakeHelperTest, AMissingHelperIsNamed) {
  ImportOptions options;
  options.helper = directory_.path() + "/none";
  EXPECT_THAT(Import(Files() + "/small.h5", options).status,
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr(options.helper)));
}

TEST_F(FakeHelperTest, HasNothingButTheFileAndThePipe) {
  // The shell adds some to the environment; 5 is the folder that ls reads.
  const std::string list = directory_.path() + "/list";
  const absl::Status status = ImportWith(absl::StrCat(
      "env | grep -v -e ^PWD= -e ^_= -e ^SHLVL= -e ^OLDPWD= && exit 11\n"
      "(echo x >&3) 2>/dev/null && exit 12\n"
      "ls /proc/self/fd >",
      list, "\n", "[ \"$(echo $(cat ", list,
      "))\" = '0 1 2 3 4 5' ] || exit 13\n", "exit 3\n"));
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kResourceExhausted,
                               HasSubstr("more memory")));
}

TEST_F(FakeHelperTest, WhatItAnnouncesIsWhatItMaySend) {
  EXPECT_OK(ImportOf(EncodeBegin(0, 0) + EncodeEnd()));
  const std::byte four[4] = {};
  const std::string good =
      EncodeTensor("a", DType::kFloat32, Shape({1})) + EncodeBytes(four);
  EXPECT_OK(ImportOf(EncodeBegin(1, 4) + good + EncodeEnd()));
  EXPECT_THAT(ImportOf(EncodeBegin(1, 4) + good),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("ended early")));
  EXPECT_THAT(
      ImportOf(EncodeBegin(2, 8) + good + good + EncodeEnd()),
      StatusIs(absl::StatusCode::kDataLoss, HasSubstr("did not announce")));
  EXPECT_THAT(
      ImportOf(EncodeError(absl::ResourceExhaustedError("\x1b[2Jno\xff"))),
      StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("?[2Jno?")));
}

}  // namespace
}  // namespace varkeep::storage
