// SPDX-License-Identifier: Apache-2.0
//
// varkeep import, as a person runs it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/client/cli_fixture.h"

namespace varkeep {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class CliImportTest : public CliTest {
 protected:
  void SetUp() override {
    ASSERT_EQ(Run("/usr/bin/python3 " MAKE_FILES " .").code, 0);
  }
};

TEST_F(CliImportTest, EveryWayToImport) {
  struct Row {
    const char* line;
    int code;
    const char* out;  // is in stdout
    const char* err;  // is in stderr
  };
  const Row kRows[] = {
      {"varkeep import small.h5 --dry-run", 0, "would import 2 variables", ""},
      {"varkeep get c", 6, "", "c"},
      {"varkeep import small.h5", 0, "imported 2 variables", ""},
      {"varkeep get a/b", 0, "[0 1 2 3]", ""},
      // Nothing is done unless all of it can be.
      {"varkeep rm a/b && varkeep import small.h5", 7, "conflict: has a value",
       "1 of 2 conflicts: 'c' has a value"},
      {"varkeep get a/b", 6, "", "a/b"},
      {"varkeep set c 0 && varkeep import small.h5 --overwrite && "
       "varkeep get c --slice 63",
       0, "[63]", ""},
      {"varkeep import small.h5 --create", 7, "", "'a/b' exists"},
      {"varkeep import small.h5 --create --overwrite", 2, "", "not both"},
      {"varkeep create s/c --shape 3 --dtype int32 && "
       "varkeep import small.h5 --scope s --overwrite",
       7, "", "'s/c' the server has shape (3,)"},
      {"varkeep create t/c --shape 64 && "
       "varkeep import small.h5 --scope t --overwrite",
       7, "", "'t/c' the server has dtype float32"},
      {"varkeep create u/c --shape 64 --dtype int32 && "
       "varkeep import small.h5 --scope u --only c",
       0, "assign", ""},
      {"varkeep import good.h5 --scope keras", 0, "keras/dense/dense/kernel",
       ""},
      {"varkeep import good.h5 --scope again --only other/null", 0,
       "skip: has no value", ""},
      {"varkeep --container c import small.h5 && varkeep --container c ls", 0,
       "a/b:0\nc:0\n", ""},
      // A checkpoint keeps its names; other containers stay where they are.
      {"varkeep import checkpoint.h5 && varkeep get foo/v", 0, "[0 1 2]", ""},
      {"varkeep ls foo && varkeep ls containers", 0, "foo/v:0\n", ""},
      {"varkeep import collision.h5 --scope x", 2, "", "'x/a_b'"},
      {"varkeep import underscore.h5", 2, "", "give --scope"},
      {"varkeep import underscore.h5 --scope z", 0, "z/_a", ""},
      {"varkeep import external_storage.h5", 1, "", "in another file"},
      {"varkeep import deflate_bomb.h5", 8, "", "more than 1000 times"},
      {"varkeep import not_bool.h5", 5, "", "it holds 7"},
      {"varkeep import none.h5", 6, "", "none.h5"},
      {"varkeep import stderr", 1, "", "not an HDF5 file"},
      {"varkeep --server 127.0.0.1:1 import small.h5", 3, "", "127.0.0.1:1"},
  };
  for (const Row& row : kRows) {
    Result result = Run(row.line);

    EXPECT_EQ(result.code, row.code) << row.line << "\n" << result.err;
    EXPECT_THAT(result.out, HasSubstr(row.out)) << row.line;
    EXPECT_THAT(result.err, HasSubstr(row.err)) << row.line;
    EXPECT_LE(std::count(result.err.begin(), result.err.end(), '\n'), 1)
        << result.err;
    EXPECT_THAT(result.out + result.err, Not(HasSubstr("\x1b"))) << row.line;
  }
}

TEST_F(CliImportTest, JsonSaysWhatBecameOfEachDataset) {
  const Result result = Run("varkeep -o json import checkpoint.h5");

  EXPECT_EQ(result.code, 0) << result.err;
  const auto json = nlohmann::json::parse(result.out, nullptr, false);
  ASSERT_FALSE(json.is_discarded()) << result.out;
  EXPECT_EQ(json["imported"], true);
  ASSERT_EQ(json["datasets"].size(), 3u);
  EXPECT_EQ(json["datasets"][0]["action"], "skip");
  EXPECT_EQ(json["datasets"][1]["dataset"], "variables/foo/v:0");
  EXPECT_EQ(json["datasets"][1]["name"], "foo/v");
  EXPECT_EQ(json["datasets"][1]["action"], "create");
  EXPECT_GT(json["datasets"][1]["version"], 0);
}

TEST_F(CliImportTest, OurOwnCheckpointComesBack) {
  Run("varkeep create m/w --shape 2,2 --initializer ones --init");
  Run("varkeep create m/empty --shape 5 && varkeep save");
  const std::string file = server_.data_directory() + "/ckpt-000001.h5";
  Run("varkeep rm m/w m/empty");

  const Result result = Run("varkeep import " + file);

  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.err, IsEmpty());
  EXPECT_THAT(Run("varkeep get m/w").out, HasSubstr("[[1 1]\n [1 1]]"));
}

}  // namespace
}  // namespace varkeep
