// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_IMPORT_UNIQUE_FD_H_
#define VARKEEP_STORAGE_IMPORT_UNIQUE_FD_H_

#include <unistd.h>

#include <utility>

namespace varkeep::storage {

// Owns a file descriptor. Move-only; -1 is none.
class UniqueFd {
 public:
  explicit UniqueFd(int fd = -1) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~UniqueFd() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

}  // namespace varkeep::storage

#endif  // VARKEEP_STORAGE_IMPORT_UNIQUE_FD_H_
