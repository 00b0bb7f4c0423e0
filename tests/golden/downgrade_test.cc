// SPDX-License-Identifier: Apache-2.0
//
// Data of a later format is refused and left as it is.
#include <gmock/gmock.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <span>
#include <string>

#include "base/crc32c.h"
#include "server/server.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"

namespace varkeep {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char kManifestOfVersion3[] =
    R"({"crc32c":"49cc7b33","format":"varkeep manifest","format_version":3})";

std::string Contents(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void Put(uint32_t value, char* place) {
  std::memcpy(place, &value, sizeof(value));
}

uint32_t ChecksumOf(const char* begin, size_t size) {
  return Crc32c(std::as_bytes(std::span(begin, size)));
}

class DowngradeTest : public ::testing::Test {
 protected:
  DowngradeTest() {
    options_.listen = {"unix:" + directory_.path() + "/socket"};
    options_.data_directory = directory_.path() + "/data";
    fs::copy(GOLDEN "/0.1.0/data", options_.data_directory,
             fs::copy_options::recursive);
  }

  void Write(const std::string& name, const std::string& contents) {
    std::ofstream(options_.data_directory + "/" + name, std::ios::binary)
        << contents;
  }
  std::string Read(const std::string& name) {
    return Contents(options_.data_directory + "/" + name);
  }
  std::map<std::string, std::string> AllFiles() {
    std::map<std::string, std::string> files;
    for (const auto& entry :
         fs::recursive_directory_iterator(options_.data_directory)) {
      if (entry.path().filename() == "LOCK" || entry.is_directory()) continue;
      files[entry.path()] = Contents(entry.path());
    }
    return files;
  }
  void ExpectRefused(const std::string& name, const std::string& version) {
    const auto before = AllFiles();
    EXPECT_THAT(Server::Start(options_),
                StatusIs(absl::StatusCode::kFailedPrecondition,
                         AllOf(HasSubstr(name),
                               HasSubstr("format version " + version))));
    EXPECT_EQ(AllFiles(), before);
  }

  TempDir directory_;
  ServerOptions options_;
};

TEST_F(DowngradeTest, OfTheManifestIsRefused) {
  Write("MANIFEST.json", kManifestOfVersion3);
  ExpectRefused("MANIFEST.json", "3");
}

TEST_F(DowngradeTest, OfTheNewestCheckpointIsRefused) {
  const std::string name = "ckpt-000002.h5";
  std::string file = Read(name);
  char* trailer = file.data() + file.size() - 44;
  Put(3, trailer + 36);
  Put(ChecksumOf(trailer, 40), trailer + 40);
  Write(name, file);
  ExpectRefused(name, "3");
}

TEST_F(DowngradeTest, OfTheLogIsRefused) {
  const std::string name = "log/log-00000000000000000001";
  std::string file = Read(name);
  Put(2, file.data() + 8);
  const uint32_t crc = ChecksumOf(file.data(), 124);
  Put(((crc >> 15) | (crc << 17)) + 0xa282ead8u, file.data() + 124);
  Write(name, file);
  ExpectRefused(name, "2");
}

}  // namespace
}  // namespace varkeep
