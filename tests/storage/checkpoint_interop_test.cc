// SPDX-License-Identifier: Apache-2.0
//
// What others see in a checkpoint: h5ls, h5dump (hdf5-tools) and h5py
// (python3-h5py) must be installed.
#include <gmock/gmock.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <limits>

#include "absl/strings/str_cat.h"
#include "storage/posix_file_system.h"
#include "tests/storage/store_checks.h"
#include "tests/testing/temp_dir.h"

namespace varkeep {
namespace {

using storage::Attribute;
using ::testing::HasSubstr;

struct CommandResult {
  int status = -1;
  std::string output;
};

CommandResult RunCommand(const std::string& command) {
  CommandResult result;
  FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return result;
  std::array<char, 4096> buffer;
  size_t count = 0;
  while ((count = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0) {
    result.output.append(buffer.data(), count);
  }
  result.status = ::pclose(pipe);
  return result;
}

std::vector<Attribute> SampleAttributes() {
  return {{"false", false},
          {"int", int64_t{-5}},
          {"list", std::vector<std::string>{"a", "", "\u4e2d"}},
          {"no list", std::vector<std::string>{}},
          {"no text", std::string()},
          {"text", std::string("gr\u00fc\u00df")},
          {"true", true},
          {"uint", std::numeric_limits<uint64_t>::max()}};
}

class CheckpointInteropTest : public ::testing::Test {
 protected:
  // Writes a checkpoint, and the raw bytes of its values beside it.
  void SetUp() override {
    storage::CheckpointContents contents;
    contents.revision = 12;
    contents.attributes = SampleAttributes();
    std::filesystem::create_directory(raw_);
    const std::pair<const char*, Shape> cases[] = {
        {"scalar", {}},
        {"empty", {2, 0}},
        {"vector", {64}},
        {"rank8", {1, 2, 1, 2, 1, 2, 1, 2}}};
    uint32_t seed = 0;
    for (DType dtype : kAllDTypes) {
      for (const auto& [name, shape] : cases) {
        TensorRef value = RandomTensor(dtype, shape, ++seed);
        std::ofstream(absl::StrCat(raw_, "/", DTypeName(dtype), ".", name),
                      std::ios::binary)
            .write(reinterpret_cast<const char*>(value->bytes().data()),
                   static_cast<std::streamsize>(value->bytes().size()));
        contents.entries.push_back(EntryOf(
            absl::StrCat("dtypes/", DTypeName(dtype), "/", name), value));
      }
    }
    contents.entries.push_back(
        EntryOf("variables/a:0", Of<float>({2}, {1, 2}), SampleAttributes()));
    contents.entries.push_back(VersionedEntry(
        "variables/big:0", RandomTensor(DType::kFloat32, {300, 300}, 1), 7));
    contents.entries.back().attributes = SampleAttributes();
    auto large = Tensor::Create(DType::kUint8, {1 << 20});
    ASSERT_OK(large);
    for (size_t i = 0; i < 1 << 20; ++i) {
      (*large)->mutable_bytes()[i] = static_cast<std::byte>(i);
    }
    std::ofstream(raw_ + "/big", std::ios::binary)
        .write(reinterpret_cast<const char*>(
                   contents.entries.back().value->bytes().data()),
               static_cast<std::streamsize>(
                   contents.entries.back().value->bytes().size()));
    contents.entries.push_back(VersionedEntry("variables/large:0", *large, 8));
    contents.entries.push_back(
        {"variables/null:0", DType::kFloat32, {2, 3}, nullptr, {}});
    contents.entries.push_back(
        {"variables/scalar_null:0", DType::kBool, {}, nullptr, {}});
    storage::PosixFileSystem fs;
    ASSERT_OK_AND_ASSIGN(auto store, OpenStore(fs, dir_.path() + "/data"));
    ASSERT_OK_AND_ASSIGN(auto info, store->Write(contents, nullptr));
    path_ = absl::StrCat(dir_.path(), "/data/", info.file);
    ASSERT_OK(store->Write(contents, nullptr));
    ASSERT_OK_AND_ASSIGN(info, store->Write(contents, nullptr));
    ASSERT_EQ(info.holders.size(), 1);
    linked_path_ = absl::StrCat(dir_.path(), "/data/", info.file);
  }

  TempDir dir_;
  std::string raw_ = dir_.path() + "/raw";
  std::string path_;
  std::string linked_path_;  // "variables/big:0" is in the other
};

TEST_F(CheckpointInteropTest, H5lsListsIt) {
  CommandResult result = RunCommand("h5ls -r " + path_);
  EXPECT_EQ(result.status, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("/variables/a:0"));
  EXPECT_THAT(result.output, HasSubstr("Dataset {300, 300}"));
  EXPECT_THAT(result.output, HasSubstr("Dataset {NULL}"));
  EXPECT_THAT(result.output, HasSubstr("Dataset {SCALAR}"));
  EXPECT_THAT(result.output, HasSubstr("Dataset {2, 0}"));
}

TEST_F(CheckpointInteropTest, H5lsFollowsALink) {
  CommandResult result = RunCommand("h5ls -r " + linked_path_);
  EXPECT_EQ(result.status, 0) << result.output;
  EXPECT_THAT(result.output,
              HasSubstr("External Link {ckpt-000001.h5//variables/big:0}"));
  result = RunCommand("h5ls -r -E " + linked_path_);
  EXPECT_EQ(result.status, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("Dataset {300, 300}"));
}

TEST_F(CheckpointInteropTest, H5dumpFollowsALink) {
  CommandResult result =
      RunCommand("h5dump -H -d '/variables/big:0' " + linked_path_);
  EXPECT_EQ(result.status, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("( 300, 300 )"));
  result = RunCommand("h5dump " + linked_path_);
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.output, HasSubstr("TARGETFILE \"ckpt-000001.h5\""));
}

TEST_F(CheckpointInteropTest, H5dumpDumpsIt) {
  CommandResult result = RunCommand("h5dump -H " + path_);
  EXPECT_EQ(result.status, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("H5T_IEEE_F32LE"));
  EXPECT_THAT(result.output, HasSubstr("\"TRUE\""));
  EXPECT_THAT(result.output, HasSubstr("ATTRIBUTE \"crc32c\""));
  EXPECT_EQ(RunCommand("h5dump " + path_).status, 0);
}

CommandResult CheckWithH5py(const std::string& path, const std::string& raw) {
  return RunCommand(
      absl::StrCat("/usr/bin/python3 ", CHECK_INTEROP, " ", path, " ", raw));
}

TEST_F(CheckpointInteropTest, H5pyReadsTheSameBits) {
  CommandResult result = CheckWithH5py(path_, raw_);
  EXPECT_EQ(result.status, 0) << result.output;
  EXPECT_EQ(result.output, "checked 60\n");
}

TEST_F(CheckpointInteropTest, H5pyReadsTheSameBitsThroughLinks) {
  CommandResult result = CheckWithH5py(linked_path_, raw_);
  EXPECT_EQ(result.status, 0) << result.output;
  EXPECT_EQ(result.output, "checked 60\n");
}

TEST_F(CheckpointInteropTest, ACopiedDirectoryOpens) {
  const std::filesystem::path copy = dir_.path() + "/copy";
  std::filesystem::copy(dir_.path() + "/data", copy);
  std::filesystem::remove_all(dir_.path() + "/data");
  const std::string path =
      copy / std::filesystem::path(linked_path_).filename();
  CommandResult result = CheckWithH5py(path, raw_);
  EXPECT_EQ(result.status, 0) << result.output;
  storage::PosixFileSystem fs;
  ASSERT_OK_AND_ASSIGN(auto store, OpenStore(fs, copy));
  EXPECT_OK(store->Open(3));
}

}  // namespace
}  // namespace varkeep
