// SPDX-License-Identifier: Apache-2.0
#include "storage/memory_file_system.h"

#include <algorithm>
#include <cstring>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace varkeep::storage {
namespace {

constexpr size_t kSectorBytes = 512;

struct SplitPath {
  std::string directory;
  std::string name;
};

// "a//b/" is "a/b".
std::string Normalized(const std::string& path) {
  std::string result;
  for (char c : path) {
    if (c != '/' || result.empty() || result.back() != '/') result += c;
  }
  if (result.size() > 1 && result.back() == '/') result.pop_back();
  return result;
}

SplitPath Split(const std::string& raw) {
  std::string path = Normalized(raw);
  size_t slash = path.rfind('/');
  if (slash == std::string::npos) return {".", path};
  return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

absl::Status NotFound(absl::string_view doing, absl::string_view path) {
  return absl::NotFoundError(absl::StrCat("cannot ", doing, " '", path,
                                          "': No such file or directory"));
}

}  // namespace

struct MemoryFileSystem::Inode {
  std::vector<std::byte> bytes;
  std::vector<std::byte> synced_bytes;
};

struct MemoryFileSystem::Disk {
  using Names = std::map<std::string, std::shared_ptr<Inode>>;
  struct Directory {
    Names names;
    Names synced_names;
  };

  explicit Disk(int64_t capacity) : capacity_bytes(capacity) {}

  absl::StatusOr<Directory*> Find(absl::string_view doing,
                                  const std::string& directory)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    auto it = directories.find(Normalized(directory));
    if (it == directories.end()) return NotFound(doing, directory);
    return &it->second;
  }

  int64_t UsedBytes() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    size_t used = 0;
    for (const auto& [path, directory] : directories) {
      for (const auto& [name, inode] : directory.names) {
        used += inode->bytes.size();
      }
    }
    return static_cast<int64_t>(used);
  }

  const int64_t capacity_bytes;
  Mutex mutex;
  std::map<std::string, Directory> directories ABSL_GUARDED_BY(mutex);
  std::set<std::string> locked ABSL_GUARDED_BY(mutex);
  int64_t power_cuts ABSL_GUARDED_BY(mutex) = 0;
};

class MemoryFileSystem::MemoryFile final : public File {
 public:
  MemoryFile(std::string path, std::shared_ptr<Disk> disk,
             std::shared_ptr<Inode> inode, bool writable)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(disk->mutex)
      : path_(std::move(path)),
        disk_(std::move(disk)),
        inode_(std::move(inode)),
        writable_(writable),
        power_cuts_(disk_->power_cuts) {}

  absl::Status ReadAt(int64_t offset, std::span<std::byte> out) override {
    MutexLock lock(&disk_->mutex);
    RETURN_IF_ERROR(CheckUsable("read", false));
    if (out.empty()) return absl::OkStatus();
    const auto begin = static_cast<size_t>(offset);
    const std::vector<std::byte>& bytes = inode_->bytes;
    if (begin > bytes.size() || out.size() > bytes.size() - begin) {
      return absl::OutOfRangeError(absl::StrCat("cannot read '", path_,
                                                "': it ends before byte ",
                                                begin + out.size()));
    }
    std::memcpy(out.data(), bytes.data() + begin, out.size());
    return absl::OkStatus();
  }

  absl::Status WriteAt(int64_t offset,
                       std::span<const std::byte> bytes) override {
    MutexLock lock(&disk_->mutex);
    RETURN_IF_ERROR(CheckUsable("write", true));
    if (bytes.empty()) return absl::OkStatus();
    const size_t end = static_cast<size_t>(offset) + bytes.size();
    if (end > inode_->bytes.size()) {
      RETURN_IF_ERROR(CheckRoom("write", end));
      inode_->bytes.resize(end);
    }
    std::memcpy(inode_->bytes.data() + offset, bytes.data(), bytes.size());
    return absl::OkStatus();
  }

  absl::Status Truncate(int64_t size) override {
    MutexLock lock(&disk_->mutex);
    RETURN_IF_ERROR(CheckUsable("truncate", true));
    inode_->bytes.resize(static_cast<size_t>(size));
    return absl::OkStatus();
  }

  absl::Status Reserve(int64_t size) override {
    MutexLock lock(&disk_->mutex);
    RETURN_IF_ERROR(CheckUsable("reserve room for", true));
    return CheckRoom("reserve room for", static_cast<size_t>(size));
  }

  absl::StatusOr<int64_t> Size() override {
    MutexLock lock(&disk_->mutex);
    RETURN_IF_ERROR(CheckUsable("examine", false));
    return static_cast<int64_t>(inode_->bytes.size());
  }

  absl::Status Sync() override {
    MutexLock lock(&disk_->mutex);
    RETURN_IF_ERROR(CheckUsable("sync", false));
    inode_->synced_bytes = inode_->bytes;
    return absl::OkStatus();
  }

  absl::Status Close() override {
    MutexLock lock(&disk_->mutex);
    absl::Status status = CheckUsable("close", false);
    closed_ = true;
    return status;
  }

 private:
  absl::Status CheckUsable(absl::string_view doing, bool writing)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(disk_->mutex) {
    if (!closed_ && power_cuts_ == disk_->power_cuts &&
        (writable_ || !writing)) {
      return absl::OkStatus();
    }
    return absl::InternalError(
        absl::StrCat("cannot ", doing, " '", path_, "': ",
                     closed_                            ? "it is closed"
                     : power_cuts_ != disk_->power_cuts ? "power was lost"
                                                        : "read-only"));
  }

  absl::Status CheckRoom(absl::string_view doing, size_t size)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(disk_->mutex) {
    const size_t have = inode_->bytes.size();
    const int64_t more = size > have ? static_cast<int64_t>(size - have) : 0;
    if (more <= disk_->capacity_bytes - disk_->UsedBytes()) {
      return absl::OkStatus();
    }
    return absl::ResourceExhaustedError(absl::StrCat(
        "cannot ", doing, " '", path_, "': No space left on device"));
  }

  const std::string path_;
  const std::shared_ptr<Disk> disk_;
  const std::shared_ptr<Inode> inode_;
  const bool writable_;
  const int64_t power_cuts_;
  bool closed_ = false;
};

class MemoryFileSystem::MemoryLock final : public FileLock {
 public:
  MemoryLock(std::string path, std::shared_ptr<Disk> disk)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(disk->mutex)
      : path_(std::move(path)),
        disk_(std::move(disk)),
        power_cuts_(disk_->power_cuts) {}
  ~MemoryLock() override {
    MutexLock lock(&disk_->mutex);
    if (power_cuts_ == disk_->power_cuts) disk_->locked.erase(path_);
  }

 private:
  const std::string path_;
  const std::shared_ptr<Disk> disk_;
  const int64_t power_cuts_;
};

MemoryFileSystem::MemoryFileSystem(int64_t capacity_bytes)
    : disk_(std::make_shared<Disk>(capacity_bytes)) {
  MutexLock lock(&disk_->mutex);
  disk_->directories["/"];
  disk_->directories["."];
}

MemoryFileSystem::~MemoryFileSystem() = default;

void MemoryFileSystem::LosePower(uint32_t seed) {
  std::mt19937 random(seed);
  auto keeps = [&] { return seed != 0 && (random() & 1) != 0; };
  MutexLock lock(&disk_->mutex);
  ++disk_->power_cuts;
  disk_->locked.clear();
  for (auto& [path, directory] : disk_->directories) {
    Disk::Names survivors = directory.synced_names;
    for (const auto& [name, inode] : directory.names) {
      if (keeps()) survivors[name] = inode;
    }
    for (const auto& [name, inode] : directory.synced_names) {
      if (!directory.names.contains(name) && keeps()) survivors.erase(name);
    }
    directory.names = survivors;
    directory.synced_names = std::move(survivors);
    for (const auto& [name, inode] : directory.names) {
      std::vector<std::byte> stored = inode->synced_bytes;
      if (keeps()) stored.resize(inode->bytes.size());
      const size_t shared = std::min(stored.size(), inode->bytes.size());
      for (size_t at = 0; at < shared; at += kSectorBytes) {
        if (!keeps()) continue;
        std::memcpy(stored.data() + at, inode->bytes.data() + at,
                    std::min(kSectorBytes, shared - at));
      }
      inode->bytes = stored;
      inode->synced_bytes = std::move(stored);
    }
  }
}

absl::StatusOr<std::unique_ptr<File>> MemoryFileSystem::Create(
    const std::string& path) {
  auto [directory_path, name] = Split(path);
  MutexLock lock(&disk_->mutex);
  ASSIGN_OR_RETURN(Disk::Directory * directory,
                   disk_->Find("create", directory_path));
  auto [it, inserted] = directory->names.try_emplace(name);
  if (!inserted) {
    return absl::AlreadyExistsError(
        absl::StrCat("cannot create '", path, "': File exists"));
  }
  it->second = std::make_shared<Inode>();
  return std::make_unique<MemoryFile>(path, disk_, it->second, true);
}

absl::StatusOr<std::unique_ptr<File>> MemoryFileSystem::OpenForRead(
    const std::string& path) {
  auto [directory_path, name] = Split(path);
  MutexLock lock(&disk_->mutex);
  ASSIGN_OR_RETURN(Disk::Directory * directory,
                   disk_->Find("open", directory_path));
  auto it = directory->names.find(name);
  if (it == directory->names.end()) return NotFound("open", path);
  return std::make_unique<MemoryFile>(path, disk_, it->second, false);
}

absl::Status MemoryFileSystem::Rename(const std::string& from,
                                      const std::string& to) {
  auto [from_directory, from_name] = Split(from);
  auto [to_directory, to_name] = Split(to);
  MutexLock lock(&disk_->mutex);
  ASSIGN_OR_RETURN(Disk::Directory * source,
                   disk_->Find("rename", from_directory));
  ASSIGN_OR_RETURN(Disk::Directory * target,
                   disk_->Find("rename to", to_directory));
  auto it = source->names.find(from_name);
  if (it == source->names.end()) return NotFound("rename", from);
  std::shared_ptr<Inode> inode = std::move(it->second);
  source->names.erase(it);
  target->names[to_name] = std::move(inode);
  return absl::OkStatus();
}

absl::Status MemoryFileSystem::Remove(const std::string& path) {
  auto [directory_path, name] = Split(path);
  MutexLock lock(&disk_->mutex);
  ASSIGN_OR_RETURN(Disk::Directory * directory,
                   disk_->Find("remove", directory_path));
  if (directory->names.erase(name) == 0) return NotFound("remove", path);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> MemoryFileSystem::List(
    const std::string& directory_path) {
  const std::string prefix = Normalized(directory_path);
  MutexLock lock(&disk_->mutex);
  ASSIGN_OR_RETURN(Disk::Directory * directory,
                   disk_->Find("list", directory_path));
  std::vector<std::string> names;
  for (const auto& [name, inode] : directory->names) names.push_back(name);
  for (const auto& [path, unused] : disk_->directories) {
    if (path == "." || path == "/") continue;
    SplitPath split = Split(path);
    if (split.directory == prefix) names.push_back(split.name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

absl::Status MemoryFileSystem::MakeDirectory(const std::string& path) {
  MutexLock lock(&disk_->mutex);
  for (std::string at = Normalized(path); at != "/" && at != ".";
       at = Split(at).directory) {
    SplitPath split = Split(at);
    auto parent = disk_->directories.find(split.directory);
    if (parent != disk_->directories.end() &&
        parent->second.names.contains(split.name)) {
      return absl::InternalError(absl::StrCat(
          "cannot make directory '", path, "': '", at, "' is not a directory"));
    }
    disk_->directories[at];
  }
  return absl::OkStatus();
}

absl::Status MemoryFileSystem::SyncDirectory(const std::string& path) {
  MutexLock lock(&disk_->mutex);
  ASSIGN_OR_RETURN(Disk::Directory * directory,
                   disk_->Find("sync directory", path));
  directory->synced_names = directory->names;
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<FileLock>> MemoryFileSystem::Lock(
    const std::string& path) {
  auto [directory_path, name] = Split(path);
  MutexLock lock(&disk_->mutex);
  ASSIGN_OR_RETURN(Disk::Directory * directory,
                   disk_->Find("lock", directory_path));
  std::string key = Normalized(path);
  if (!disk_->locked.insert(key).second) {
    return absl::FailedPreconditionError(
        absl::StrCat("'", path, "' is locked by another holder"));
  }
  std::shared_ptr<Inode>& inode = directory->names[name];
  if (inode == nullptr) inode = std::make_shared<Inode>();
  return std::make_unique<MemoryLock>(std::move(key), disk_);
}

absl::StatusOr<int64_t> MemoryFileSystem::FreeBytes(const std::string& path) {
  MutexLock lock(&disk_->mutex);
  RETURN_IF_ERROR(disk_->Find("ask for free space at", path).status());
  return std::max<int64_t>(disk_->capacity_bytes - disk_->UsedBytes(), 0);
}

}  // namespace varkeep::storage
