// SPDX-License-Identifier: Apache-2.0
//
// verify, log inspect and log truncate on the data of a server that is gone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/client/cli_fixture.h"

namespace varkeep {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kFirstSegment[] = "/log/log-00000000000000000001";

class CliOfflineTest : public CliTest {
 protected:
  // A log of two segments; nothing but the log has the values.
  void WriteTwoSegmentsAndKill() {
    Run("varkeep create w --shape 4 --initializer zeros --init");
    Run("varkeep set w 1 && varkeep set w 2");
    server_.Kill();
    server_.Start();
    server_.WaitUntilServing();
    Run("varkeep set w 3");
    server_.Kill();
  }
  void Flip(const std::string& name, int64_t offset) {
    std::fstream file(data_ + name,
                      std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(offset);
    const auto byte = static_cast<char>(file.get() ^ 1);
    file.seekp(offset);
    file.put(byte);
  }
  // What stands between backticks.
  static std::vector<std::string> Commands(const std::string& message) {
    std::vector<std::string> commands;
    size_t begin = message.find('`');
    while (begin != std::string::npos) {
      const size_t end = message.find('`', begin + 1);
      commands.push_back(message.substr(begin + 1, end - begin - 1));
      begin = message.find('`', end + 1);
    }
    return commands;
  }

  const std::string data_ = server_.data_directory();
};

TEST_F(CliOfflineTest, TheMessageOfAStartHasTheCommandsThatHelp) {
  WriteTwoSegmentsAndKill();
  const auto inspected = nlohmann::json::parse(
      Run("varkeep -o json log inspect --records " + data_).out);
  ASSERT_THAT(inspected["segments"], SizeIs(2));
  const auto& record = inspected["records"][2];
  Flip(kFirstSegment, record["offset"].get<int64_t>() + 70);

  const Result start = Run(VARKEEPD " --listen " + server_.address() +
                           " --data-dir " + data_ + " --log-level error 2>&1");
  EXPECT_EQ(start.code, 5) << start.out;
  const std::vector<std::string> commands = Commands(start.out);
  ASSERT_THAT(commands, SizeIs(2)) << start.out;

  const Result inspect = Run(commands[0]);
  EXPECT_EQ(inspect.code, 5);
  EXPECT_THAT(inspect.out, HasSubstr("damaged"));
  EXPECT_THAT(inspect.err, HasSubstr("log-00000000000000000001"));

  const Result truncate = Run(commands[1]);
  EXPECT_EQ(truncate.code, 0) << truncate.err;
  EXPECT_THAT(truncate.out, HasSubstr(data_ + "/log-backup-1"));

  server_.Start();
  server_.WaitUntilServing();
  EXPECT_THAT(Run("varkeep ls").out, HasSubstr("w:0"));
}

TEST_F(CliOfflineTest, NothingIsCutUnderARunningServer) {
  Run("varkeep create w --shape 4 --initializer zeros --init");
  const Result result = Run("varkeep log truncate " + data_ +
                            " --at log-00000000000000000001:4096");
  EXPECT_EQ(result.code, 7);
  EXPECT_THAT(result.err, HasSubstr("locked"));
  EXPECT_EQ(Run("varkeep log inspect " + data_).code, 0);
}

TEST_F(CliOfflineTest, InspectShowsRecordsAndTensors) {
  WriteTwoSegmentsAndKill();
  const Result result = Run("varkeep log inspect --records " + data_ + "/log/");
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("float32(4,)"));
  EXPECT_THAT(result.out, HasSubstr("log-00000000000000000001"));
}

TEST_F(CliOfflineTest, VerifyTellsGoodFromDamaged) {
  Run("varkeep create w --shape 4096 --initializer ones --init");
  Run("varkeep save && varkeep set w 2 && varkeep save");
  EXPECT_EQ(Run("varkeep verify " + data_).code, 0);
  server_.Kill();
  Result result = Run("varkeep verify " + data_);
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("good"));
  EXPECT_THAT(result.out, HasSubstr("clean"));
  EXPECT_THAT(result.err, IsEmpty());

  Flip("/ckpt-000002.h5", 8192);
  result = Run("varkeep verify " + data_);
  EXPECT_EQ(result.code, 5);
  EXPECT_THAT(result.out, HasSubstr("DAMAGED"));
  EXPECT_THAT(result.err, HasSubstr("the newest good checkpoint is 1"));

  result = Run("varkeep -o json verify " + data_);
  EXPECT_EQ(result.code, 5);
  const auto json = nlohmann::json::parse(result.out, nullptr, false);
  ASSERT_FALSE(json.is_discarded()) << result.out;
  EXPECT_EQ(json["newest_good"], 1);
  EXPECT_THAT(json["checkpoints"][1]["damage"], SizeIs(1));
}

TEST_F(CliOfflineTest, VerifyWithoutADirectoryAsksTheServer) {
  Run("varkeep create w --shape 4096 --initializer ones --init");
  Run("varkeep save && varkeep set w 2 && varkeep save");
  const Result good = Run("varkeep verify");
  EXPECT_EQ(good.code, 0) << good.err;
  EXPECT_THAT(good.out, HasSubstr("ckpt-000001.h5"));
  EXPECT_THAT(good.out, HasSubstr("good"));

  Flip("/ckpt-000002.h5", 8192);
  const Result damaged = Run("varkeep verify");
  EXPECT_EQ(damaged.code, 5);
  EXPECT_THAT(damaged.out, HasSubstr("DAMAGED"));
  EXPECT_THAT(damaged.err, HasSubstr("checkpoint 2 is damaged"));
}

TEST_F(CliOfflineTest, WhatIsTypedWrongIsSaid) {
  const std::pair<std::string, int> kRows[] = {
      {"varkeep log", 2},
      {"varkeep log inspect", 2},
      {"varkeep log inspect /nowhere", 6},
      {"varkeep log inspect .", 6},
      {"varkeep log truncate " + data_, 2},
      {"varkeep log truncate " + data_ + " --at 17", 2},
      {"varkeep log truncate " + data_ + " --at log-1:x", 2},
      {"varkeep verify /nowhere", 6},
  };
  for (const auto& [line, code] : kRows) {
    const Result result = Run(line);
    EXPECT_EQ(result.code, code) << line << result.err;
    EXPECT_EQ(result.err.rfind("varkeep: ", 0), 0u) << result.err;
  }
  server_.Kill();
  EXPECT_EQ(Run("varkeep log truncate " + data_ + " --at log-7:0").code, 6);
}

}  // namespace
}  // namespace varkeep
