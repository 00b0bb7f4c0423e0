// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_HDF5_FILE_DRIVER_H_
#define VARKEEP_STORAGE_HDF5_FILE_DRIVER_H_

#include <hdf5.h>

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/file_system.h"
#include "storage/hdf5/handle.h"

namespace varkeep::storage::hdf5 {

// A new HDF5 file in memory, but for the values, which others write. HDF5 never
// meets the disk: it cannot close a file after an error (it leaks the file and
// crashes when the process exits), and writes little by little.
//
// One thread at a time. Must outlive the HDF5 file that it made.
class FileDriver {
 public:
  FileDriver() = default;
  FileDriver(const FileDriver&) = delete;
  FileDriver& operator=(const FileDriver&) = delete;

  // Starts the file. HDF5's own data come in blocks of `block_bytes`, so that
  // they are together.
  absl::StatusOr<FileHandle> Create(uint64_t block_bytes);

  // The size of the file, values included. REQUIRES: HDF5 has closed it.
  int64_t size() const { return static_cast<int64_t>(size_); }
  // Writes what HDF5 wrote, in large pieces.
  absl::Status Save(File* file) const;

 private:
  friend struct DriverCallbacks;
  static constexpr uint64_t kPageBytes = 4096;
  struct Page {
    std::array<std::byte, kPageBytes> bytes{};
    std::bitset<kPageBytes> written;
  };

  // Zeros where nothing was written.
  void Read(uint64_t offset, std::span<std::byte> out) const;
  void Write(uint64_t offset, std::span<const std::byte> bytes);

  uint64_t size_ = 0;
  std::map<uint64_t, Page> pages_;  // by offset / kPageBytes
};

}  // namespace varkeep::storage::hdf5

#endif  // VARKEEP_STORAGE_HDF5_FILE_DRIVER_H_
