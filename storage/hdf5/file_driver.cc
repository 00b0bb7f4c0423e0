// SPDX-License-Identifier: Apache-2.0
#include "storage/hdf5/file_driver.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "base/status_macros.h"
#include "storage/hdf5/error.h"

namespace varkeep::storage::hdf5 {
namespace {

// Values of this size and more begin at a multiple of kAlignment.
constexpr hsize_t kAlignmentThreshold = 64 << 10;
constexpr hsize_t kAlignment = 4096;
// Metadata is gathered into blocks of this size: fewer, larger writes.
constexpr hsize_t kMetadataBlockBytes = 16 << 10;

constexpr haddr_t kMaxAddress = (haddr_t{1} << 62) - 1;

// What travels in a file access property list. HDF5 copies it as bytes.
struct DriverInfo {
  FileDriver* driver;
};

// What HDF5 holds for an open file; `base` is HDF5's part and must be first.
struct OpenFile {
  H5FD_t base;
  FileDriver* driver;
  haddr_t end_of_allocation;
};

OpenFile* Cast(H5FD_t* file) { return reinterpret_cast<OpenFile*>(file); }
const OpenFile* Cast(const H5FD_t* file) {
  return reinterpret_cast<const OpenFile*>(file);
}

}  // namespace

struct DriverCallbacks {
  static H5FD_t* Open(const char* /*name*/, unsigned flags, hid_t properties,
                      haddr_t /*max_address*/) {
    const auto* info =
        static_cast<const DriverInfo*>(H5Pget_driver_info(properties));
    if (info == nullptr) return nullptr;
    auto* file = new (std::nothrow) OpenFile{};
    if (file == nullptr) return nullptr;
    file->driver = info->driver;
    if ((flags & H5F_ACC_TRUNC) != 0) file->driver->size_ = 0;
    return &file->base;
  }

  static herr_t Close(H5FD_t* file) {
    delete Cast(file);
    return 0;
  }

  static herr_t Query(const H5FD_t* /*file*/, unsigned long* flags) {
    // No data sieve: values go to the file from where they are.
    *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA |
             H5FD_FEAT_AGGREGATE_SMALLDATA | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
    return 0;
  }

  static haddr_t GetEndOfAllocation(const H5FD_t* file, H5FD_mem_t) {
    return Cast(file)->end_of_allocation;
  }
  static herr_t SetEndOfAllocation(H5FD_t* file, H5FD_mem_t, haddr_t address) {
    Cast(file)->end_of_allocation = address;
    return 0;
  }
  static haddr_t GetEndOfFile(const H5FD_t* file, H5FD_mem_t) {
    return Cast(file)->driver->size_;
  }

  static herr_t Read(H5FD_t* file, H5FD_mem_t, hid_t, haddr_t address,
                     size_t size, void* out) {
    return Cast(file)->driver->Read(address,
                                    {static_cast<std::byte*>(out), size})
               ? 0
               : -1;
  }

  static herr_t Write(H5FD_t* file, H5FD_mem_t type, hid_t, haddr_t address,
                      size_t size, const void* bytes) {
    Cast(file)->driver->Write(address,
                              {static_cast<const std::byte*>(bytes), size},
                              type != H5FD_MEM_DRAW);
    return 0;
  }

  static herr_t Truncate(H5FD_t* file, hid_t, hbool_t /*closing*/) {
    Cast(file)->driver->Truncate(Cast(file)->end_of_allocation);
    return 0;
  }
};

namespace {

constexpr H5FD_class_t MakeClass() {
  H5FD_class_t cls{};
  cls.name = "varkeep";
  cls.maxaddr = kMaxAddress;
  cls.fc_degree = H5F_CLOSE_STRONG;
  cls.fapl_size = sizeof(DriverInfo);
  cls.open = DriverCallbacks::Open;
  cls.close = DriverCallbacks::Close;
  cls.query = DriverCallbacks::Query;
  cls.get_eoa = DriverCallbacks::GetEndOfAllocation;
  cls.set_eoa = DriverCallbacks::SetEndOfAllocation;
  cls.get_eof = DriverCallbacks::GetEndOfFile;
  cls.read = DriverCallbacks::Read;
  cls.write = DriverCallbacks::Write;
  cls.truncate = DriverCallbacks::Truncate;
  constexpr H5FD_mem_t kFreeLists[] = H5FD_FLMAP_DICHOTOMY;
  for (size_t i = 0; i < H5FD_MEM_NTYPES; ++i) cls.fl_map[i] = kFreeLists[i];
  return cls;
}

constexpr H5FD_class_t kClass = MakeClass();

absl::StatusOr<PropertiesHandle> AccessProperties(FileDriver* driver) {
  PrepareThread();
  static const hid_t driver_id = H5FDregister(&kClass);
  ASSIGN_OR_RETURN(
      auto properties,
      Own<PropertiesHandle>(H5Pcreate(H5P_FILE_ACCESS), "H5Pcreate"));
  const DriverInfo info{driver};
  const hid_t id = properties.id();
  RETURN_IF_ERROR(Check(H5Pset_driver(id, driver_id, &info), "H5Pset_driver"));
  RETURN_IF_ERROR(Check(H5Pset_fclose_degree(id, H5F_CLOSE_STRONG),
                        "H5Pset_fclose_degree"));
  RETURN_IF_ERROR(Check(H5Pset_alignment(id, kAlignmentThreshold, kAlignment),
                        "H5Pset_alignment"));
  RETURN_IF_ERROR(Check(H5Pset_meta_block_size(id, kMetadataBlockBytes),
                        "H5Pset_meta_block_size"));
  return properties;
}

// HDF5 wants a name; the driver does not use it. It begins with a slash because
// HDF5 would ask the system for the working directory otherwise.
constexpr char kName[] = "/checkpoint";

}  // namespace

absl::StatusOr<FileHandle> FileDriver::Create() {
  writing_ = true;
  ASSIGN_OR_RETURN(PropertiesHandle access, AccessProperties(this));
  return Own<FileHandle>(
      H5Fcreate(kName, H5F_ACC_TRUNC, H5P_DEFAULT, access.id()), "H5Fcreate");
}

absl::StatusOr<FileHandle> FileDriver::OpenForRead() {
  ASSIGN_OR_RETURN(PropertiesHandle access, AccessProperties(this));
  absl::StatusOr<int64_t> size = file_->Size();
  if (!size.ok()) {
    KeepError(size.status());
    return size.status();
  }
  size_ = static_cast<uint64_t>(*size);
  return Own<FileHandle>(H5Fopen(kName, H5F_ACC_RDONLY, access.id()),
                         "H5Fopen");
}

bool FileDriver::Read(uint64_t offset, std::span<std::byte> out) {
  ReadFromFile(offset, out);
  if (!writing_) return status_.ok();
  for (auto page = unwritten_.lower_bound(offset / kPageBytes);
       page != unwritten_.end() &&
       page->first * kPageBytes < offset + out.size();
       ++page) {
    const uint64_t page_begin = page->first * kPageBytes;
    const uint64_t begin = std::max(offset, page_begin);
    const uint64_t end =
        std::min<uint64_t>(offset + out.size(), page_begin + kPageBytes);
    std::memcpy(out.data() + (begin - offset),
                page->second.data() + (begin - page_begin), end - begin);
  }
  return true;
}

void FileDriver::Write(uint64_t offset, std::span<const std::byte> bytes,
                       bool metadata) {
  if (status_.ok()) {
    KeepError(file_->WriteAt(static_cast<int64_t>(offset), bytes));
  }
  if (!status_.ok() && metadata) WriteToMemory(offset, bytes);
  size_ = std::max(size_, offset + bytes.size());
}

void FileDriver::Truncate(uint64_t size) {
  if (!writing_) return;
  // Also when the size is right already: gives back what was reserved.
  if (status_.ok()) KeepError(file_->Truncate(static_cast<int64_t>(size)));
  size_ = size;
}

void FileDriver::KeepError(absl::Status status) {
  if (status_.ok()) status_ = std::move(status);
}

void FileDriver::ReadFromFile(uint64_t offset, std::span<std::byte> out) {
  const uint64_t there = offset < size_ ? size_ - offset : 0;
  std::span<std::byte> head = out.first(std::min<uint64_t>(there, out.size()));
  absl::Status status = file_->ReadAt(static_cast<int64_t>(offset), head);
  std::fill(out.begin() + static_cast<std::ptrdiff_t>(head.size()), out.end(),
            std::byte{0});
  if (status.ok()) return;
  std::fill(head.begin(), head.end(), std::byte{0});
  KeepError(std::move(status));
}

void FileDriver::WriteToMemory(uint64_t offset,
                               std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const uint64_t number = offset / kPageBytes;
    const uint64_t within = offset % kPageBytes;
    auto [it, is_new] = unwritten_.try_emplace(number);
    if (is_new) ReadFromFile(number * kPageBytes, it->second);
    const size_t count = std::min<uint64_t>(bytes.size(), kPageBytes - within);
    std::memcpy(it->second.data() + within, bytes.data(), count);
    bytes = bytes.subspan(count);
    offset += count;
  }
}

}  // namespace varkeep::storage::hdf5
