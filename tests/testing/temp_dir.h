// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TESTS_TESTING_TEMP_DIR_H_
#define VARKEEP_TESTS_TESTING_TEMP_DIR_H_

#include <cstdlib>
#include <filesystem>
#include <string>

namespace varkeep {

// A new empty directory on the machine's disk, removed with all it holds.
class TempDir {
 public:
  TempDir() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "varkeep-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) std::abort();
    path_ = pattern;
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace varkeep

#endif  // VARKEEP_TESTS_TESTING_TEMP_DIR_H_
