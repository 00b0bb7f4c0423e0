// SPDX-License-Identifier: Apache-2.0
#include "storage/hdf5/file_driver.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <vector>

#include "base/status_macros.h"
#include "storage/hdf5/error.h"

namespace varkeep::storage::hdf5 {
namespace {

// Values of this size and more begin at a multiple of kAlignment: they are
// written from where they are. Smaller ones lie side by side.
constexpr hsize_t kAlignmentThreshold = 1 << 20;
constexpr hsize_t kAlignment = 4096;
constexpr size_t kSaveBytes = 1 << 20;  // in one write

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
  static H5FD_t* Open(const char* /*name*/, unsigned /*flags*/,
                      hid_t properties, haddr_t /*max_address*/) {
    const auto* info =
        static_cast<const DriverInfo*>(H5Pget_driver_info(properties));
    if (info == nullptr) return nullptr;
    auto* file = new (std::nothrow) OpenFile{};
    if (file == nullptr) return nullptr;
    file->driver = info->driver;
    return &file->base;
  }

  static herr_t Close(H5FD_t* file) {
    delete Cast(file);
    return 0;
  }

  static herr_t Query(const H5FD_t* /*file*/, unsigned long* flags) {
    *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_AGGREGATE_SMALLDATA |
             H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
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
    Cast(file)->driver->Read(address, {static_cast<std::byte*>(out), size});
    return 0;
  }

  static herr_t Write(H5FD_t* file, H5FD_mem_t, hid_t, haddr_t address,
                      size_t size, const void* bytes) {
    Cast(file)->driver->Write(address,
                              {static_cast<const std::byte*>(bytes), size});
    return 0;
  }

  static herr_t Truncate(H5FD_t* file, hid_t, hbool_t /*closing*/) {
    Cast(file)->driver->size_ = Cast(file)->end_of_allocation;
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

absl::StatusOr<PropertiesHandle> AccessProperties(FileDriver* driver,
                                                  uint64_t block_bytes) {
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
  RETURN_IF_ERROR(
      Check(H5Pset_meta_block_size(id, block_bytes), "H5Pset_meta_block_size"));
  return properties;
}

// HDF5 wants a name; the driver does not use it. It begins with a slash because
// HDF5 would ask the system for the working directory otherwise.
constexpr char kName[] = "/checkpoint";

}  // namespace

absl::StatusOr<FileHandle> FileDriver::Create(uint64_t block_bytes) {
  ASSIGN_OR_RETURN(PropertiesHandle access,
                   AccessProperties(this, block_bytes));
  return Own<FileHandle>(
      H5Fcreate(kName, H5F_ACC_TRUNC, H5P_DEFAULT, access.id()), "H5Fcreate");
}

void FileDriver::Read(uint64_t offset, std::span<std::byte> out) const {
  while (!out.empty()) {
    const uint64_t within = offset % kPageBytes;
    const size_t count = std::min<uint64_t>(out.size(), kPageBytes - within);
    if (auto page = pages_.find(offset / kPageBytes); page != pages_.end()) {
      std::memcpy(out.data(), &page->second.bytes[within], count);
    } else {
      std::memset(out.data(), 0, count);
    }
    out = out.subspan(count);
    offset += count;
  }
}

void FileDriver::Write(uint64_t offset, std::span<const std::byte> bytes) {
  size_ = std::max(size_, offset + bytes.size());
  while (!bytes.empty()) {
    const uint64_t within = offset % kPageBytes;
    const size_t count = std::min<uint64_t>(bytes.size(), kPageBytes - within);
    Page& page = pages_[offset / kPageBytes];
    std::memcpy(&page.bytes[within], bytes.data(), count);
    page.written |= (~std::bitset<kPageBytes>() >> (kPageBytes - count))
                    << within;
    bytes = bytes.subspan(count);
    offset += count;
  }
}

absl::Status FileDriver::Save(File* file) const {
  std::vector<std::byte> piece;
  piece.reserve(kSaveBytes);
  uint64_t piece_offset = 0;
  auto save = [&]() -> absl::Status {
    absl::Status status =
        file->WriteAt(static_cast<int64_t>(piece_offset), piece);
    piece.clear();
    return status;
  };
  for (const auto& [number, page] : pages_) {
    for (size_t begin = 0; begin < kPageBytes;) {
      size_t end = begin;
      while (end < kPageBytes && page.written[end]) ++end;
      if (end == begin) {
        ++begin;
        continue;
      }
      const uint64_t offset = number * kPageBytes + begin;
      if (!piece.empty() && (offset != piece_offset + piece.size() ||
                             piece.size() + end - begin > kSaveBytes)) {
        RETURN_IF_ERROR(save());
      }
      if (piece.empty()) piece_offset = offset;
      piece.insert(piece.end(), page.bytes.begin() + begin,
                   page.bytes.begin() + end);
      begin = end;
    }
  }
  return piece.empty() ? absl::OkStatus() : save();
}

}  // namespace varkeep::storage::hdf5
