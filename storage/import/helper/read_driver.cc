// SPDX-License-Identifier: Apache-2.0
#include "storage/import/helper/read_driver.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <span>

#include "base/status_macros.h"
#include "storage/hdf5/error.h"

namespace varkeep::storage {
namespace {

constexpr haddr_t kMaxAddress = (haddr_t{1} << 62) - 1;

// What travels in a file access property list. HDF5 copies it as bytes.
struct DriverInfo {
  File* file;
  haddr_t size;
};

// What HDF5 holds for an open file; `base` is HDF5's part and must be first.
struct OpenFile {
  H5FD_t base;
  DriverInfo info;
  haddr_t end_of_allocation;
};

OpenFile* Cast(H5FD_t* file) { return reinterpret_cast<OpenFile*>(file); }
const OpenFile* Cast(const H5FD_t* file) {
  return reinterpret_cast<const OpenFile*>(file);
}

H5FD_t* Open(const char* /*name*/, unsigned /*flags*/, hid_t properties,
             haddr_t /*max_address*/) {
  const auto* info =
      static_cast<const DriverInfo*>(H5Pget_driver_info(properties));
  if (info == nullptr) return nullptr;
  auto* file = new (std::nothrow) OpenFile{};
  if (file == nullptr) return nullptr;
  file->info = *info;
  return &file->base;
}

herr_t Close(H5FD_t* file) {
  delete Cast(file);
  return 0;
}

herr_t Query(const H5FD_t* /*file*/, unsigned long* flags) {
  *flags = H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
  return 0;
}

haddr_t GetEndOfAllocation(const H5FD_t* file, H5FD_mem_t) {
  return Cast(file)->end_of_allocation;
}
herr_t SetEndOfAllocation(H5FD_t* file, H5FD_mem_t, haddr_t address) {
  Cast(file)->end_of_allocation = address;
  return 0;
}
haddr_t GetEndOfFile(const H5FD_t* file, H5FD_mem_t) {
  return Cast(file)->info.size;
}

// Zeros behind the end of the file.
herr_t Read(H5FD_t* file, H5FD_mem_t, hid_t, haddr_t address, size_t size,
            void* out) {
  const DriverInfo& info = Cast(file)->info;
  const haddr_t there = address < info.size ? info.size - address : 0;
  const size_t head = std::min<haddr_t>(there, size);
  auto* bytes = static_cast<std::byte*>(out);
  std::memset(bytes + head, 0, size - head);
  if (head == 0) return 0;
  return info.file->ReadAt(static_cast<int64_t>(address), {bytes, head}).ok()
             ? 0
             : -1;
}

herr_t RefuseToWrite(H5FD_t*, H5FD_mem_t, hid_t, haddr_t, size_t, const void*) {
  return -1;
}

constexpr H5FD_class_t MakeClass() {
  H5FD_class_t cls{};
  cls.name = "varkeep-read";
  cls.maxaddr = kMaxAddress;
  cls.fc_degree = H5F_CLOSE_STRONG;
  cls.fapl_size = sizeof(DriverInfo);
  cls.open = Open;
  cls.close = Close;
  cls.query = Query;
  cls.get_eoa = GetEndOfAllocation;
  cls.set_eoa = SetEndOfAllocation;
  cls.get_eof = GetEndOfFile;
  cls.read = Read;
  cls.write = RefuseToWrite;
  constexpr H5FD_mem_t kFreeLists[] = H5FD_FLMAP_DICHOTOMY;
  for (size_t i = 0; i < H5FD_MEM_NTYPES; ++i) cls.fl_map[i] = kFreeLists[i];
  return cls;
}

constexpr H5FD_class_t kClass = MakeClass();

// HDF5 wants a name; the driver does not use it. It begins with a slash because
// HDF5 would ask the system for the working directory otherwise.
constexpr char kName[] = "/imported";

}  // namespace

absl::StatusOr<hdf5::FileHandle> OpenHdf5(File* file) {
  hdf5::PrepareThread();
  ASSIGN_OR_RETURN(int64_t size, file->Size());
  static const hid_t driver = H5FDregister(&kClass);
  ASSIGN_OR_RETURN(auto access, hdf5::Own<hdf5::PropertiesHandle>(
                                    H5Pcreate(H5P_FILE_ACCESS), "H5Pcreate"));
  const DriverInfo info{file, static_cast<haddr_t>(size)};
  RETURN_IF_ERROR(
      hdf5::Check(H5Pset_driver(access.id(), driver, &info), "H5Pset_driver"));
  RETURN_IF_ERROR(
      hdf5::Check(H5Pset_fclose_degree(access.id(), H5F_CLOSE_STRONG),
                  "H5Pset_fclose_degree"));
  return hdf5::Own<hdf5::FileHandle>(
      H5Fopen(kName, H5F_ACC_RDONLY, access.id()), "H5Fopen");
}

}  // namespace varkeep::storage
