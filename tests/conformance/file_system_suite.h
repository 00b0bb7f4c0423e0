// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TESTS_CONFORMANCE_FILE_SYSTEM_SUITE_H_
#define VARKEEP_TESTS_CONFORMANCE_FILE_SYSTEM_SUITE_H_

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "storage/file_system.h"

namespace varkeep {

// A file system under test, with an existing directory on it.
struct FileSystemFixture {
  virtual ~FileSystemFixture() = default;
  virtual storage::FileSystem& file_system() = 0;
  virtual std::string directory() = 0;
};

using FileSystemFixtureFactory =
    std::function<std::unique_ptr<FileSystemFixture>()>;

// What every FileSystem promises. Instantiate it with a factory for each.
class FileSystemSuite
    : public ::testing::TestWithParam<FileSystemFixtureFactory> {
 protected:
  FileSystemSuite() : fixture_(GetParam()()) {}
  storage::FileSystem& fs() { return fixture_->file_system(); }
  std::string Path(const std::string& name) {
    return fixture_->directory() + "/" + name;
  }

 private:
  const std::unique_ptr<FileSystemFixture> fixture_;
};

}  // namespace varkeep

#endif  // VARKEEP_TESTS_CONFORMANCE_FILE_SYSTEM_SUITE_H_
