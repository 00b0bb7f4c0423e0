// SPDX-License-Identifier: Apache-2.0
#include "server/variables/names.h"

#include <gtest/gtest.h>

#include "tests/testing/status_matchers.h"

namespace varkeep {
namespace {

using absl::StatusCode;
using ::testing::HasSubstr;

TEST(NamesTest, OpNamesBeginWithALetterADigitOrADot) {
  for (const char* name : {"w", "a/b", "0", ".", "a//b", "A-b_c.d", "a/"}) {
    EXPECT_OK(CheckOpName(name)) << name;
  }
  for (const char* name : {"", "_x", "-x", "/x", "x:0", "a b", "\xC3\xA9"}) {
    EXPECT_THAT(CheckOpName(name), StatusIs(StatusCode::kInvalidArgument,
                                            HasSubstr("not a valid node name")))
        << name;
  }
}

TEST(NamesTest, ScopeNamesInsideAScopeMayBeginWithAnyCharacter) {
  EXPECT_OK(CheckScopeName("foo/", true));
  EXPECT_OK(CheckScopeName("_bar", false));
  EXPECT_THAT(CheckScopeName("_bar", true),
              StatusIs(StatusCode::kInvalidArgument,
                       "'_bar' is not a valid scope name"));
  EXPECT_THAT(CheckScopeName("foo:0", false),
              StatusIs(StatusCode::kInvalidArgument,
                       "'foo:0' is not a valid scope name"));
  EXPECT_THAT(
      CheckScopeName("", false),
      StatusIs(StatusCode::kInvalidArgument, "'' is not a valid scope name"));
}

TEST(NamesTest, NamesHaveALimitOfLength) {
  EXPECT_OK(CheckOpName(std::string(kMaxNameBytes, 'a')));
  const std::string long_name(kMaxNameBytes + 1, 'a');
  for (const absl::Status& status :
       {CheckOpName(long_name), CheckScopeName(long_name, false),
        CheckContainerName(long_name)}) {
    EXPECT_THAT(status, StatusIs(StatusCode::kInvalidArgument,
                                 HasSubstr("has 1025 bytes")));
    EXPECT_LT(status.message().size(), 256u);
  }
}

TEST(NamesTest, ContainerNamesHaveNoUnderscore) {
  EXPECT_OK(CheckContainerName(""));
  EXPECT_OK(CheckContainerName("team.a/exp-1"));
  EXPECT_THAT(CheckContainerName("a_b"),
              StatusIs(StatusCode::kInvalidArgument,
                       "container contains invalid characters: a_b"));
  EXPECT_THAT(CheckContainerName("/a"),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("/a")));
}

TEST(NamesTest, CollectionKeysAreShortPrintableText) {
  EXPECT_OK(CheckCollectionKey("my collection: 1"));
  EXPECT_OK(CheckCollectionKey("caf\xC3\xA9"));
  EXPECT_OK(CheckCollectionKey(std::string(kMaxCollectionKeyBytes, 'k')));
  for (const std::string& key :
       {std::string(), std::string(kMaxCollectionKeyBytes + 1, 'k'),
        std::string("a\nb"), std::string("a\0b", 3), std::string("\x7F"),
        std::string("\xC2\x85"), std::string("\xC3"), std::string("\xC0\xAF"),
        std::string("\xED\xA0\x80"), std::string("\xF4\x90\x80\x80")}) {
    EXPECT_THAT(CheckCollectionKey(key), StatusIs(StatusCode::kInvalidArgument,
                                                  HasSubstr("collection key")));
  }
}

TEST(NamesTest, NotesMayBeEmptyAndTheErrorNamesTheField) {
  EXPECT_OK(CheckNote("creator", ""));
  EXPECT_OK(CheckNote("creator", "worker 3 on host x"));
  EXPECT_THAT(
      CheckNote("creator", std::string(kMaxNoteBytes + 1, 'x')),
      StatusIs(StatusCode::kInvalidArgument, HasSubstr("creator 'xxx")));
  EXPECT_THAT(
      CheckNote("constraint", "a\tb"),
      StatusIs(StatusCode::kInvalidArgument, HasSubstr("constraint 'a?b'")));
}

TEST(NamesTest, StripOutputTakesOffOneSuffix) {
  EXPECT_EQ(StripOutput("foo/v:0"), "foo/v");
  EXPECT_EQ(StripOutput("foo/v"), "foo/v");
  EXPECT_EQ(StripOutput("v:1"), "v:1");
  EXPECT_EQ(StripOutput(""), "");
}

TEST(NamesTest, ShortenGivesPrintableTextCutBetweenCharacters) {
  EXPECT_EQ(Shorten("w"), "w");
  EXPECT_EQ(Shorten("a\nb\xFF"), "a?b?");
  EXPECT_EQ(Shorten(std::string(128, 'a')), std::string(128, 'a'));
  EXPECT_EQ(Shorten(std::string(129, 'a')), std::string(128, 'a') + "...");
  EXPECT_EQ(Shorten(std::string(127, 'a') + "\xC3\xA9"),
            std::string(127, 'a') + "...");
}

}  // namespace
}  // namespace varkeep
