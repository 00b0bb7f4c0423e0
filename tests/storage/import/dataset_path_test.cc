// SPDX-License-Identifier: Apache-2.0
#include "storage/import/dataset_path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/testing/status_matchers.h"

namespace varkeep::storage {
namespace {

TEST(DatasetPathTest, NamesPass) {
  for (const char* path :
       {"a", "a/b:0", "a b", "\xc3\xa9/\xe2\x82\xac", "..."}) {
    EXPECT_OK(CheckDatasetPath(path)) << path;
  }
}

TEST(DatasetPathTest, OthersDoNot) {
  for (const char* path : {"", "/a", "a/", "a//b", "a/./b", "..", "a/..", "\n",
                           "\x7f", "\xff", "\xc0\xaf", "\xed\xa0\x80",
                           "\xf4\x90\x80\x80", "\xc2\x85", "\xe2\x82"}) {
    EXPECT_THAT(CheckDatasetPath(path),
                StatusIs(absl::StatusCode::kInvalidArgument, ::testing::_))
        << path;
  }
  EXPECT_FALSE(CheckDatasetPath(std::string("a\0b", 3)).ok());
  EXPECT_OK(CheckDatasetPath(std::string(kMaxPathBytes, 'x')));
  EXPECT_FALSE(CheckDatasetPath(std::string(kMaxPathBytes + 1, 'x')).ok());
}

TEST(DatasetPathTest, MessagesBecomeOneLineOfText) {
  EXPECT_EQ(Printable("a\n\x1b\xff\xc3\xa9"), "a???\xc3\xa9");
  EXPECT_EQ(Printable(std::string(5000, 'x')).size(), 1027u);
}

}  // namespace
}  // namespace varkeep::storage
