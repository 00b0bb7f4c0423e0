// SPDX-License-Identifier: Apache-2.0
#include "storage/posix_file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace varkeep::storage {
namespace {

absl::StatusCode CodeOf(int error) {
  switch (error) {
    case ENOENT:
      return absl::StatusCode::kNotFound;
    case EEXIST:
      return absl::StatusCode::kAlreadyExists;
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::StatusCode::kPermissionDenied;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return absl::StatusCode::kResourceExhausted;
    default:
      return absl::StatusCode::kInternal;
  }
}

absl::Status Error(absl::string_view doing, absl::string_view path, int error) {
  return absl::Status(CodeOf(error),
                      absl::StrCat("cannot ", doing, " '", path, "': ",
                                   std::generic_category().message(error)));
}

// Calls a system call again as long as a signal interrupts it.
template <typename Call>
auto Retry(const Call& call) {
  decltype(call()) result;
  do {
    result = call();
  } while (result < 0 && errno == EINTR);
  return result;
}

// As open(2), but the descriptor is above standard error. -1 with errno.
int OpenHigh(const std::string& path, int flags) {
  int fd = Retry([&] { return ::open(path.c_str(), flags | O_CLOEXEC, 0640); });
  if (fd < 0 || fd > STDERR_FILENO) return fd;
  int high = ::fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  int error = errno;
  ::close(fd);
  errno = error;
  return high;
}

constexpr size_t kDirectAlignment = 4096;
constexpr size_t kMinDirectBytes = 1 << 20;
constexpr size_t kMaxDirectBytes = 4 << 20;  // more at once is slower

class PosixFile final : public File {
 public:
  PosixFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  ~PosixFile() override {
    if (fd_ >= 0) ::close(fd_);
    if (direct_fd_ >= 0) ::close(direct_fd_);
  }

  absl::Status ReadAt(int64_t offset, std::span<std::byte> out) override {
    while (!out.empty()) {
      ssize_t count =
          Retry([&] { return ::pread(fd_, out.data(), out.size(), offset); });
      if (count < 0) return Error("read", path_, errno);
      if (count == 0) {
        return absl::OutOfRangeError(
            absl::StrCat("cannot read '", path_, "': it ends before byte ",
                         offset + static_cast<int64_t>(out.size())));
      }
      out = out.subspan(static_cast<size_t>(count));
      offset += count;
    }
    return absl::OkStatus();
  }

  absl::Status WriteAt(int64_t offset,
                       std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      const size_t direct = DirectBytes(offset, bytes);
      if (direct > 0) {
        const std::byte* from = Aligned(bytes.first(direct));
        ssize_t count =
            Retry([&] { return ::pwrite(direct_fd_, from, direct, offset); });
        if (count > 0 && static_cast<size_t>(count) % kDirectAlignment == 0) {
          bytes = bytes.subspan(static_cast<size_t>(count));
          offset += count;
          continue;
        }
        // Whatever is in the way is found out, or not, by an ordinary write.
        StopDirectWriting();
      }
      const size_t ordinary = OrdinaryBytes(offset, bytes);
      ssize_t count =
          Retry([&] { return ::pwrite(fd_, bytes.data(), ordinary, offset); });
      if (count < 0) return Error("write", path_, errno);
      if (count == 0) return Error("write", path_, ENOSPC);
      bytes = bytes.subspan(static_cast<size_t>(count));
      offset += count;
    }
    return absl::OkStatus();
  }

  absl::Status Truncate(int64_t size) override {
    if (Retry([&] { return ::ftruncate(fd_, size); }) != 0) {
      return Error("truncate", path_, errno);
    }
    return absl::OkStatus();
  }

  absl::Status Reserve(int64_t size) override {
    if (size <= 0) return absl::OkStatus();
    // Not posix_fallocate: that changes the file's size, and where the file
    // system cannot reserve it writes to every block instead.
    reserved_ = true;
    if (Retry([&] { return ::fallocate(fd_, FALLOC_FL_KEEP_SIZE, 0, size); }) ==
            0 ||
        errno == EOPNOTSUPP || errno == ENOSYS) {
      return absl::OkStatus();
    }
    return Error(absl::StrCat("reserve ", size, " bytes for"), path_, errno);
  }

  absl::StatusOr<int64_t> Size() override {
    struct stat info;
    if (::fstat(fd_, &info) != 0) return Error("examine", path_, errno);
    return static_cast<int64_t>(info.st_size);
  }

  absl::Status Sync() override {
    if (::fdatasync(fd_) != 0) return Error("sync", path_, errno);
    return absl::OkStatus();
  }

  absl::Status Close() override {
    StopDirectWriting();
    // The descriptor is gone whatever the result, also after EINTR.
    int result = ::close(std::exchange(fd_, -1));
    if (result != 0 && errno != EINTR) return Error("close", path_, errno);
    return absl::OkStatus();
  }

 private:
  // How many of the bytes to write past the page cache: that is as fast as the
  // disk, durable sooner, and leaves the cache to others. Only for a file that
  // is reserved (growing one this way is slow) and from an aligned offset; 0:
  // none.
  size_t DirectBytes(int64_t offset, std::span<const std::byte> bytes) {
    if (!reserved_ || bytes.size() < kMinDirectBytes ||
        static_cast<uint64_t>(offset) % kDirectAlignment != 0) {
      return 0;
    }
    if (direct_fd_ < 0) {
      direct_fd_ = ::open(absl::StrCat("/proc/self/fd/", fd_).c_str(),
                          O_WRONLY | O_DIRECT | O_CLOEXEC);
      if (direct_fd_ < 0) {  // tmpfs has no such thing
        reserved_ = false;
        return 0;
      }
    }
    return std::min(bytes.size() / kDirectAlignment * kDirectAlignment,
                    kMaxDirectBytes);
  }

  // How many of the bytes to write through the page cache, when the first of
  // them cannot be written past it: up to the next page if the rest can be.
  size_t OrdinaryBytes(int64_t offset, std::span<const std::byte> bytes) {
    const size_t head =
        kDirectAlignment - static_cast<size_t>(offset) % kDirectAlignment;
    const bool rest_is_direct =
        head < bytes.size() && DirectBytes(offset + static_cast<int64_t>(head),
                                           bytes.subspan(head)) > 0;
    return rest_is_direct ? head : bytes.size();
  }

  // The bytes where direct writing can take them from, copied if need be.
  const std::byte* Aligned(std::span<const std::byte> bytes) {
    if (reinterpret_cast<uintptr_t>(bytes.data()) % kDirectAlignment == 0) {
      return bytes.data();
    }
    if (aligned_ == nullptr) {
      aligned_.reset(static_cast<std::byte*>(
          std::aligned_alloc(kDirectAlignment, kMaxDirectBytes)));
    }
    std::memcpy(aligned_.get(), bytes.data(), bytes.size());
    return aligned_.get();
  }

  void StopDirectWriting() {
    reserved_ = false;
    if (direct_fd_ >= 0) ::close(std::exchange(direct_fd_, -1));
  }

  const std::string path_;
  int fd_;                 // -1: closed
  int direct_fd_ = -1;     // the same file, opened with O_DIRECT
  bool reserved_ = false;  // and direct writing was not refused
  struct Free {
    void operator()(std::byte* bytes) const { std::free(bytes); }
  };
  std::unique_ptr<std::byte, Free> aligned_;  // kMaxDirectBytes, once needed
};

class PosixFileLock final : public FileLock {
 public:
  explicit PosixFileLock(int fd) : fd_(fd) {}
  ~PosixFileLock() override { ::close(fd_); }

 private:
  const int fd_;
};

std::string ParentOf(const std::string& path) {
  size_t end = path.find_last_not_of('/');
  size_t slash = end == std::string::npos ? end : path.find_last_of('/', end);
  if (slash == std::string::npos) return path.starts_with('/') ? "/" : ".";
  return path.substr(0, std::max<size_t>(slash, 1));
}

absl::Status CheckIsDirectory(const std::string& path) {
  struct stat info;
  if (::stat(path.c_str(), &info) != 0) {
    return Error("make directory", path, errno);
  }
  if (!S_ISDIR(info.st_mode)) return Error("make directory", path, ENOTDIR);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<File>> PosixFileSystem::Create(
    const std::string& path) {
  int fd = OpenHigh(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW);
  if (fd < 0) return Error("create", path, errno);
  return std::make_unique<PosixFile>(path, fd);
}

absl::StatusOr<std::unique_ptr<File>> PosixFileSystem::OpenForRead(
    const std::string& path) {
  // O_NONBLOCK: a pipe of that name would make open wait for a writer.
  int fd = OpenHigh(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) return Error("open", path, errno);
  auto file = std::make_unique<PosixFile>(path, fd);
  struct stat info;
  if (::fstat(fd, &info) != 0) return Error("examine", path, errno);
  if (!S_ISREG(info.st_mode)) {
    return absl::InternalError(
        absl::StrCat("cannot open '", path, "': not a regular file"));
  }
  return file;
}

absl::Status PosixFileSystem::Rename(const std::string& from,
                                     const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) {
    return Error(absl::StrCat("rename '", from, "' to"), to, errno);
  }
  return absl::OkStatus();
}

absl::Status PosixFileSystem::Remove(const std::string& path) {
  if (::unlink(path.c_str()) != 0) return Error("remove", path, errno);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> PosixFileSystem::List(
    const std::string& directory) {
  DIR* stream = ::opendir(directory.c_str());
  if (stream == nullptr) return Error("list", directory, errno);
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(stream)) {
    std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(std::move(name));
    errno = 0;
  }
  int error = errno;
  ::closedir(stream);
  if (error != 0) return Error("list", directory, error);
  std::sort(names.begin(), names.end());
  return names;
}

absl::Status PosixFileSystem::MakeDirectory(const std::string& path) {
  if (::mkdir(path.c_str(), 0750) == 0) return SyncDirectory(ParentOf(path));
  if (errno == EEXIST) return CheckIsDirectory(path);
  const std::string parent = ParentOf(path);
  if (errno != ENOENT || parent == path || path.empty()) {
    return Error("make directory", path, errno);
  }
  RETURN_IF_ERROR(MakeDirectory(parent));
  if (::mkdir(path.c_str(), 0750) != 0 && errno != EEXIST) {
    return Error("make directory", path, errno);
  }
  return SyncDirectory(parent);
}

absl::Status PosixFileSystem::SyncDirectory(const std::string& path) {
  int fd = OpenHigh(path, O_RDONLY | O_DIRECTORY);
  if (fd < 0) return Error("open directory", path, errno);
  int result = ::fsync(fd);
  int error = errno;
  ::close(fd);
  if (result != 0) return Error("sync directory", path, error);
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<FileLock>> PosixFileSystem::Lock(
    const std::string& path) {
  int fd = OpenHigh(path, O_RDWR | O_CREAT | O_NOFOLLOW);
  if (fd < 0) return Error("open lock file", path, errno);
  auto lock = std::make_unique<PosixFileLock>(fd);
  if (Retry([&] { return ::flock(fd, LOCK_EX | LOCK_NB); }) != 0) {
    if (errno == EWOULDBLOCK) {
      return absl::FailedPreconditionError(
          absl::StrCat("'", path, "' is locked by another holder"));
    }
    return Error("lock", path, errno);
  }
  return lock;
}

absl::StatusOr<int64_t> PosixFileSystem::FreeBytes(const std::string& path) {
  struct statvfs info;
  if (Retry([&] { return ::statvfs(path.c_str(), &info); }) != 0) {
    return Error("ask for free space at", path, errno);
  }
  int64_t bytes = 0;
  if (__builtin_mul_overflow(info.f_bavail, info.f_frsize, &bytes)) {
    return std::numeric_limits<int64_t>::max();
  }
  return bytes;
}

}  // namespace varkeep::storage
