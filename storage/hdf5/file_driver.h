// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_HDF5_FILE_DRIVER_H_
#define VARKEEP_STORAGE_HDF5_FILE_DRIVER_H_

#include <hdf5.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/file_system.h"
#include "storage/hdf5/handle.h"

namespace varkeep::storage::hdf5 {

// Lets HDF5 read or write a storage::File.
//
// While writing it never reports an error to HDF5, which cannot close a file
// after one (it leaks the file and crashes when the process exits). The first
// error is kept instead: ask status() after each step, to stop early, and after
// closing, before the file is used. From the first error on metadata is kept in
// memory, so that HDF5 finds what it believes to have written, until it has
// closed the file; values are dropped.
//
// One thread at a time. Must outlive the HDF5 file that it opened.
class FileDriver {
 public:
  // `file` is borrowed.
  explicit FileDriver(File* file) : file_(file) {}
  FileDriver(const FileDriver&) = delete;
  FileDriver& operator=(const FileDriver&) = delete;

  // Starts an HDF5 file. REQUIRES: the file is new and open for writing.
  absl::StatusOr<FileHandle> Create();
  // Opens the HDF5 file for reading. Here errors do reach HDF5.
  absl::StatusOr<FileHandle> OpenForRead();

  // The first error of the file.
  const absl::Status& status() const { return status_; }

 private:
  friend struct DriverCallbacks;
  static constexpr uint64_t kPageBytes = 4096;
  using Page = std::array<std::byte, kPageBytes>;

  bool Read(uint64_t offset, std::span<std::byte> out);
  void Write(uint64_t offset, std::span<const std::byte> bytes, bool metadata);
  void Truncate(uint64_t size);

  void KeepError(absl::Status status);
  // As ReadAt, with zeros after the end of the file.
  void ReadFromFile(uint64_t offset, std::span<std::byte> out);
  void WriteToMemory(uint64_t offset, std::span<const std::byte> bytes);

  File* const file_;
  bool writing_ = false;
  uint64_t size_ = 0;  // as HDF5 believes
  absl::Status status_;
  std::map<uint64_t, Page> unwritten_;  // by offset / kPageBytes
};

}  // namespace varkeep::storage::hdf5

#endif  // VARKEEP_STORAGE_HDF5_FILE_DRIVER_H_
