// SPDX-License-Identifier: Apache-2.0
#include "tests/testing/fault_injecting_file_system.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace varkeep {

struct FaultInjectingFileSystem::State {
  // Counts a call; its error when this is the one to fail.
  absl::Status Count(absl::string_view call, absl::string_view path,
                     bool* short_write = nullptr) {
    MutexLock lock(&mutex);
    calls.push_back(absl::StrCat(call, " ", path));
    const auto n = static_cast<int64_t>(calls.size());
    const bool first = n == fault.at;
    if (!first && !(fault.sticky && fault.at > 0 && n > fault.at)) {
      return absl::OkStatus();
    }
    happened = true;
    if (first && fault.action) fault.action();
    if (short_write != nullptr) *short_write = fault.short_write;
    return absl::Status(fault.code, absl::StrCat("cannot ", call, " '", path,
                                                 "': ", fault.reason));
  }

  mutable Mutex mutex;
  Fault fault ABSL_GUARDED_BY(mutex);
  bool happened ABSL_GUARDED_BY(mutex) = false;
  std::vector<std::string> calls ABSL_GUARDED_BY(mutex);
};

class FaultInjectingFileSystem::FaultyFile final : public storage::File {
 public:
  FaultyFile(std::string path, std::unique_ptr<storage::File> base,
             std::shared_ptr<State> state)
      : path_(std::move(path)),
        base_(std::move(base)),
        state_(std::move(state)) {}

  absl::Status ReadAt(int64_t offset, std::span<std::byte> out) override {
    RETURN_IF_ERROR(state_->Count("read", path_));
    return base_->ReadAt(offset, out);
  }
  absl::Status WriteAt(int64_t offset,
                       std::span<const std::byte> bytes) override {
    bool short_write = false;
    absl::Status fault = state_->Count("write", path_, &short_write);
    if (fault.ok()) return base_->WriteAt(offset, bytes);
    if (short_write) {
      RETURN_IF_ERROR(base_->WriteAt(offset, bytes.first(bytes.size() / 2)));
    }
    return fault;
  }
  absl::Status Truncate(int64_t size) override {
    RETURN_IF_ERROR(state_->Count("truncate", path_));
    return base_->Truncate(size);
  }
  absl::Status Reserve(int64_t size) override {
    RETURN_IF_ERROR(state_->Count("reserve", path_));
    return base_->Reserve(size);
  }
  absl::StatusOr<int64_t> Size() override {
    RETURN_IF_ERROR(state_->Count("size", path_));
    return base_->Size();
  }
  absl::Status Sync() override {
    RETURN_IF_ERROR(state_->Count("sync", path_));
    return base_->Sync();
  }
  absl::Status Close() override {
    absl::Status fault = state_->Count("close", path_);
    absl::Status closed = base_->Close();
    return fault.ok() ? closed : fault;
  }

 private:
  const std::string path_;
  const std::unique_ptr<storage::File> base_;
  const std::shared_ptr<State> state_;
};

FaultInjectingFileSystem::FaultInjectingFileSystem(storage::FileSystem* base)
    : base_(base), state_(std::make_shared<State>()) {}

FaultInjectingFileSystem::~FaultInjectingFileSystem() = default;

void FaultInjectingFileSystem::Inject(Fault fault) {
  MutexLock lock(&state_->mutex);
  state_->fault = std::move(fault);
  state_->happened = false;
  state_->calls.clear();
}

void FaultInjectingFileSystem::Heal() {
  MutexLock lock(&state_->mutex);
  state_->fault = {};
}

bool FaultInjectingFileSystem::happened() const {
  MutexLock lock(&state_->mutex);
  return state_->happened;
}

std::vector<std::string> FaultInjectingFileSystem::calls() const {
  MutexLock lock(&state_->mutex);
  return state_->calls;
}

absl::StatusOr<std::unique_ptr<storage::File>> FaultInjectingFileSystem::Create(
    const std::string& path) {
  RETURN_IF_ERROR(state_->Count("create", path));
  ASSIGN_OR_RETURN(auto file, base_->Create(path));
  return std::make_unique<FaultyFile>(path, std::move(file), state_);
}

absl::StatusOr<std::unique_ptr<storage::File>>
FaultInjectingFileSystem::OpenForRead(const std::string& path) {
  RETURN_IF_ERROR(state_->Count("open", path));
  ASSIGN_OR_RETURN(auto file, base_->OpenForRead(path));
  return std::make_unique<FaultyFile>(path, std::move(file), state_);
}

absl::Status FaultInjectingFileSystem::Rename(const std::string& from,
                                              const std::string& to) {
  RETURN_IF_ERROR(state_->Count("rename", to));
  return base_->Rename(from, to);
}

absl::Status FaultInjectingFileSystem::Remove(const std::string& path) {
  RETURN_IF_ERROR(state_->Count("remove", path));
  return base_->Remove(path);
}

absl::StatusOr<std::vector<std::string>> FaultInjectingFileSystem::List(
    const std::string& directory) {
  RETURN_IF_ERROR(state_->Count("list", directory));
  return base_->List(directory);
}

absl::Status FaultInjectingFileSystem::MakeDirectory(const std::string& path) {
  RETURN_IF_ERROR(state_->Count("make directory", path));
  return base_->MakeDirectory(path);
}

absl::Status FaultInjectingFileSystem::SyncDirectory(const std::string& path) {
  RETURN_IF_ERROR(state_->Count("sync directory", path));
  return base_->SyncDirectory(path);
}

absl::StatusOr<std::unique_ptr<storage::FileLock>>
FaultInjectingFileSystem::Lock(const std::string& path) {
  RETURN_IF_ERROR(state_->Count("lock", path));
  return base_->Lock(path);
}

absl::StatusOr<int64_t> FaultInjectingFileSystem::FreeBytes(
    const std::string& path) {
  RETURN_IF_ERROR(state_->Count("ask for free space at", path));
  return base_->FreeBytes(path);
}

}  // namespace varkeep
