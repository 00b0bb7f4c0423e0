// SPDX-License-Identifier: Apache-2.0
//
// The program `varkeep` as a person or a script runs it.
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

TEST_F(CliTest, EveryVerbDoesItsWorkAndTellsItsExitCode) {
  struct Row {
    const char* line;
    int code;
    const char* out;  // is in stdout
    const char* err;  // is in stderr
  };
  const Row kRows[] = {
      {"varkeep health", 0, "SERVING", ""},
      {"varkeep create a/w --shape 2,3 --initializer ones", 0,
       "<tf.Variable 'a/w:0' shape=(2, 3) dtype=float32_ref>", ""},
      {"varkeep create a/w --shape 2,3", 7, "", "already exists"},
      {"varkeep create n --shape '' --dtype int64 --not-trainable "
       "--collection mine --initializer 'constant(7)'",
       0, "shape=() dtype=int64_ref", ""},
      {"varkeep create x --shape 2 --dtype float33", 2, "", "float33"},
      {"varkeep create x --shape 2 --initializer nothing", 2, "",
       "not an initializer"},
      {"varkeep get a/w", 7, "", "uninitialized value a/w"},
      {"varkeep init", 0, "a/w", ""},
      {"varkeep init n:0", 0, "n", ""},
      {"varkeep init --all", 0, "", "nothing to initialize"},
      {"varkeep init a/w --all", 2, "", "--all"},
      {"varkeep init nope", 6, "", "nope"},
      {"varkeep get a/w:0", 0, "[[1 1 1]\n [1 1 1]]", ""},
      {"varkeep set a/w 1 2 3 4 5 -6", 0, "a/w:0 version", ""},
      {"varkeep get a/w --slice 1,1:", 0, "[[5 -6]]", ""},
      {"varkeep get a/w --slice 2", 2, "", "outside"},
      {"varkeep get a/w --rows 1 --axis 0", 0, "[[4 5 -6]]", ""},
      {"varkeep get a/w --rows 2,0 --axis -1", 0, "[[3 1]\n [-6 4]]", ""},
      {"varkeep get a/w --rows 0 --axis 2", 1, "", "axis in the range [-2, 2)"},
      {"varkeep get a/w --axis 1", 2, "", "--rows"},
      {"varkeep get a/w --out w.npy && varkeep set a/w 0 && "
       "varkeep set a/w - < w.npy && varkeep get a/w",
       0, "[4 5 -6]]", ""},
      {"varkeep set a/w 0 && varkeep set a/w --from w.npy && varkeep get a/w",
       0, "[4 5 -6]]", ""},
      {"varkeep set n --from w.npy", 1, "", "int64"},
      {"varkeep set n", 2, "", "--from"},
      {"varkeep set n 1.5", 2, "", "'1.5' is not a int64"},
      {"varkeep set n --from none.npy", 2, "", "none.npy"},
      {"varkeep set a/w '[[1, 2, 3], [-4, 5, 6]]' && varkeep get a/w", 0,
       "[[1 2 3]\n [-4 5 6]]", ""},
      {"varkeep set a/w '[6,5,4,3,2,1]' && varkeep get a/w", 0,
       "[[6 5 4]\n [3 2 1]]", ""},
      {"varkeep set a/w '[[1,2],[3,4],[5,6]]'", 2, "",
       "the lists have shape [3,2], variable a/w:0 has shape [2,3]"},
      {"varkeep set a/w '[[1,2,3],[4,5]]'", 2, "",
       "'[[1,2,3],[4,5]]' is ragged: lists of 3 and of 2"},
      {"varkeep scatter a/w 1,1 '[[1,1,1],[2,3,4]]' --how add && "
       "varkeep get a/w",
       0, "[[6 5 4]\n [6 6 6]]", ""},
      {"varkeep scatter a/w 0 '[7,8,9]' && varkeep get a/w", 0,
       "[[7 8 9]\n [6 6 6]]", ""},
      {"varkeep scatter a/w 0,1 2 --how mul && varkeep get a/w", 0,
       "[[14 16 18]\n [12 12 12]]", ""},
      {"varkeep scatter a/w --nd '[[0,2],[1,0]]' '[1,2]' --how sub && "
       "varkeep get a/w",
       0, "[[14 16 17]\n [10 12 12]]", ""},
      {"varkeep get a/w --rows 0 --out row.npy && "
       "varkeep scatter a/w 1 - < row.npy && varkeep get a/w",
       1, "", "updates.shape [1,3]"},
      {"varkeep scatter a/w '[1]' - < row.npy && varkeep get a/w", 0,
       "[[14 16 17]\n [14 16 17]]", ""},
      {"varkeep scatter a/w '[0]' row.npy --how max", 0, "a/w:0 version", ""},
      {"varkeep -o json scatter a/w 0 1 --how div", 0, "\"version\":", ""},
      {"varkeep scatter a/w 2 0", 1, "", "indices = 2 is not in [0, 2)"},
      {"varkeep scatter a/w 0 '[1,2]'", 1, "", "[2]"},
      {"varkeep scatter a/w 0.5 1", 2, "", "'0.5' is not a int64"},
      {"varkeep scatter a/w 0 '[1,2'", 2, "", "lacks a comma or a bracket"},
      {"varkeep scatter a/w - -", 2, "", "INDICES and UPDATES"},
      {"varkeep scatter a/w 0 none.npy", 2, "", "none.npy"},
      {"varkeep scatter a/w 0 1 --how plus", 2, "", "plus"},
      {"varkeep scatter a/w 0", 2, "", "UPDATES"},
      {"varkeep scatter nope 0 1", 6, "", "nope"},
      {"varkeep set a/w 1 2 3 4 5 -6", 0, "a/w:0 version", ""},
      {"varkeep ls", 0, "a/w:0\nn:0\n", ""},
      {"varkeep ls -l a", 0, "initialized", ""},
      {"varkeep tree", 0, "`-- n  int64 ()", ""},
      {"varkeep describe n", 0, "collections:    mine", ""},
      {"varkeep describe nope", 6, "", "nope"},
      {"varkeep collections", 0, "mine", ""},
      {"varkeep collections mine", 0, "n:0", ""},
      {"varkeep save", 0, "checkpoint 1", ""},
      {"varkeep checkpoints", 0, "ckpt-", ""},
      {"varkeep checkpoints 1", 0, "a/w:0", ""},
      {"varkeep restore --dry-run", 0, "would restore 2", ""},
      {"varkeep restore 1 --name a/w --map a/w=b/w", 0, "declared", ""},
      {"varkeep get b/w", 0, "[4 5 -6]]", ""},
      {"varkeep restore --map x", 2, "", "FROM=TO"},
      {"varkeep restore 99", 6, "", "99"},
      {"varkeep rm b/w n", 0, "removed b/w\nremoved n\n", ""},
      {"varkeep rm n", 6, "", "n"},
      {"varkeep status", 0, "state:           serving", ""},
      {"varkeep status", 0, "calls under way: 0 B of ", ""},
      {"varkeep sessions", 0, "CREATOR", ""},
      {"varkeep log-level debug", 0, "-> debug", ""},
      {"varkeep log-level loud", 1, "", "loud"},
      {"varkeep drain", 0, "draining", ""},
      {"varkeep set a/w 1", 3, "", "draining"},
      {"varkeep health", 3, "NOT_SERVING", "NOT_SERVING"},
      {"varkeep resume", 0, "serving", ""},
      {"varkeep --container c create w --shape 1 && varkeep reset c", 0,
       "dropped 1 variables", ""},
      {"varkeep --server 127.0.0.1:1 ls", 3, "", "127.0.0.1:1"},
      {"varkeep --server nonsense ls", 2, "", "host:port"},
      {"varkeep stauts", 2, "", "did you mean 'status'?"},
      {"varkeep ls --colour", 2, "", "--colour"},
      {"varkeep", 2, "", "ubcommand"},
      {"varkeep --help", 0, "Exit codes:", ""},
      {"varkeep --version", 0, "varkeep ", ""},
      {"varkeep ls | true", 0, "", ""},
  };
  for (const Row& row : kRows) {
    Result result = Run(row.line);

    EXPECT_EQ(result.code, row.code) << row.line << "\n" << result.err;
    EXPECT_THAT(result.out, HasSubstr(row.out)) << row.line;
    EXPECT_THAT(result.err, HasSubstr(row.err)) << row.line;
    if (row.code != 0) {
      EXPECT_EQ(result.err.rfind("varkeep: ", 0), 0u) << result.err;
      EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1)
          << result.err;
    }
    EXPECT_THAT(result.out + result.err, Not(HasSubstr("\x1b"))) << row.line;
  }
}

TEST_F(CliTest, EveryVerbHasAnExampleInItsHelp) {
  for (const char* verb :
       {"ls",      "tree",        "describe",     "collections", "create",
        "init",    "rm",          "get",          "set",         "save",
        "restore", "checkpoints", "status",       "health",      "sessions",
        "reset",   "log-level",   "drain",        "resume",      "import",
        "verify",  "log inspect", "log truncate", "scatter"}) {
    Result result = Run(std::string("varkeep ") + verb + " --help");

    EXPECT_EQ(result.code, 0) << verb;
    EXPECT_THAT(result.out, HasSubstr("Example: varkeep")) << verb;
    EXPECT_THAT(result.err, IsEmpty()) << verb;
  }
}

TEST_F(CliTest, JsonIsOneValueOnStdout) {
  Run("varkeep create w --shape 2 --initializer zeros --init && varkeep save");
  for (const char* verb :
       {"ls", "tree", "describe w", "collections", "collections variables",
        "get w", "set w 1", "scatter w 0 1", "init", "checkpoints",
        "checkpoints 1", "status", "health", "sessions", "restore --dry-run",
        "save", "log-level"}) {
    Result result = Run(std::string("varkeep -o json ") + verb);

    EXPECT_EQ(result.code, 0) << verb << result.err;
    EXPECT_TRUE(nlohmann::json::accept(result.out)) << verb << result.out;
    EXPECT_THAT(result.err, IsEmpty()) << verb;
  }
}

}  // namespace
}  // namespace varkeep
