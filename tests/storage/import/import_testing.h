// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TESTS_STORAGE_IMPORT_IMPORT_TESTING_H_
#define VARKEEP_TESTS_STORAGE_IMPORT_IMPORT_TESTING_H_

#include <map>
#include <string>
#include <vector>

#include "storage/import/hdf5_import.h"

namespace varkeep::storage {

// The folder with what make_files.py makes, made once for the program.
const std::string& Files();

struct Imported {
  absl::Status status;
  ImportSummary summary;
  std::map<std::string, TensorRef> values;  // null: no value
};

// Through the real helper unless the options name another one.
Imported Import(const std::string& path, ImportOptions options = {});

std::vector<char> ReadBytes(const std::string& path);
void WriteBytes(const std::string& path, const std::vector<char>& bytes);

}  // namespace varkeep::storage

#endif  // VARKEEP_TESTS_STORAGE_IMPORT_IMPORT_TESTING_H_
