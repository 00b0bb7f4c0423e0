// SPDX-License-Identifier: Apache-2.0
#include "tests/benchmarks/stock_hdf5.h"

#include <fcntl.h>
#include <hdf5.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace varkeep::benchmarks {
namespace {

// The result of an HDF5 call, which is negative when it failed.
template <typename T>
T Done(T result, const char* what) {
  if (result >= 0) return result;
  std::fprintf(stderr, "%s failed\n", what);
  std::exit(1);
}

void WriteDataset(hid_t file, hid_t make_groups,
                  const storage::CheckpointEntry& entry) {
  const auto count = static_cast<hsize_t>(entry.shape.num_elements());
  const hid_t space =
      Done(H5Screate_simple(1, &count, nullptr), "H5Screate_simple");
  const hid_t dataset =
      Done(H5Dcreate2(file, entry.path.c_str(), H5T_NATIVE_INT8, space,
                      make_groups, H5P_DEFAULT, H5P_DEFAULT),
           "H5Dcreate2");
  Done(H5Dwrite(dataset, H5T_NATIVE_INT8, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                entry.value->bytes().data()),
       "H5Dwrite");
  Done(H5Dclose(dataset), "H5Dclose");
  Done(H5Sclose(space), "H5Sclose");
}

void Sync(const std::string& path) {
  const int fd = Done(::open(path.c_str(), O_RDONLY), "open");
  Done(::fsync(fd), "fsync");
  ::close(fd);
}

}  // namespace

void WriteStockHdf5(const storage::CheckpointContents& contents,
                    const std::string& path) {
  const hid_t file =
      Done(H5Fcreate(path.c_str(), H5F_ACC_EXCL, H5P_DEFAULT, H5P_DEFAULT),
           "H5Fcreate");
  const hid_t make_groups = Done(H5Pcreate(H5P_LINK_CREATE), "H5Pcreate");
  Done(H5Pset_create_intermediate_group(make_groups, 1),
       "H5Pset_create_intermediate_group");
  for (const storage::CheckpointEntry& entry : contents.entries) {
    WriteDataset(file, make_groups, entry);
  }
  Done(H5Pclose(make_groups), "H5Pclose");
  Done(H5Fclose(file), "H5Fclose");
  Sync(path);
}

}  // namespace varkeep::benchmarks
