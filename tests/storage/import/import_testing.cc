// SPDX-License-Identifier: Apache-2.0
#include "tests/storage/import/import_testing.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "tests/testing/temp_dir.h"

namespace varkeep::storage {

const std::string& Files() {
  static const TempDir directory;
  static const int made = std::system(
      absl::StrCat("/usr/bin/python3 " MAKE_FILES " ", directory.path())
          .c_str());
  EXPECT_EQ(made, 0);
  return directory.path();
}

Imported Import(const std::string& path, ImportOptions options) {
  if (options.helper.empty()) options.helper = IMPORT_HELPER;
  Imported imported;
  absl::StatusOr<ImportSummary> summary =
      ImportHdf5(path, options, [&](const ImportedDataset& dataset) {
        imported.values[dataset.path] = dataset.value;
        return absl::OkStatus();
      });
  imported.status = summary.status();
  if (summary.ok()) imported.summary = *summary;
  return imported;
}

std::vector<char> ReadBytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void WriteBytes(const std::string& path, const std::vector<char>& bytes) {
  std::ofstream(path, std::ios::binary)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

}  // namespace varkeep::storage
