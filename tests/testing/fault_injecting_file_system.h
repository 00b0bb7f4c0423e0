// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TESTS_TESTING_FAULT_INJECTING_FILE_SYSTEM_H_
#define VARKEEP_TESTS_TESTING_FAULT_INJECTING_FILE_SYSTEM_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "storage/file_system.h"

namespace varkeep {

// What the n-th call does instead of what it was asked to.
struct Fault {
  int64_t at = 0;  // the first call is 1; 0: never
  // The error; its message is put behind the call and the path.
  absl::StatusCode code = absl::StatusCode::kInternal;
  std::string reason = "Input/output error";
  // Every call from the n-th on fails.
  bool sticky = false;
  // A write does its first half before it fails.
  bool short_write = false;
  // Run by the n-th call, before it fails: a power cut.
  std::function<void()> action;
};

// Passes every call on to another file system, counts them, and makes one of
// them fail. Also counts calls on its files. Thread-safe.
class FaultInjectingFileSystem final : public storage::FileSystem {
 public:
  // `base` is borrowed.
  explicit FaultInjectingFileSystem(storage::FileSystem* base);
  ~FaultInjectingFileSystem() override;

  // Starts counting again; `fault.at` counts from here.
  void Inject(Fault fault);
  // Stops failing; goes on counting.
  void Heal();
  // True when the fault has happened.
  bool happened() const;
  // The calls since Inject, as "write /dir/file".
  std::vector<std::string> calls() const;

  absl::StatusOr<std::unique_ptr<storage::File>> Create(
      const std::string& path) override;
  absl::StatusOr<std::unique_ptr<storage::File>> OpenForRead(
      const std::string& path) override;
  absl::Status Rename(const std::string& from, const std::string& to) override;
  absl::Status Remove(const std::string& path) override;
  absl::StatusOr<std::vector<std::string>> List(
      const std::string& directory) override;
  absl::Status MakeDirectory(const std::string& path) override;
  absl::Status SyncDirectory(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<storage::FileLock>> Lock(
      const std::string& path) override;
  absl::StatusOr<int64_t> FreeBytes(const std::string& path) override;

 private:
  struct State;  // shared with the open files
  class FaultyFile;

  storage::FileSystem* const base_;
  const std::shared_ptr<State> state_;
};

}  // namespace varkeep

#endif  // VARKEEP_TESTS_TESTING_FAULT_INJECTING_FILE_SYSTEM_H_
