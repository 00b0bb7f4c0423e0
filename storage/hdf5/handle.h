// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_HDF5_HANDLE_H_
#define VARKEEP_STORAGE_HDF5_HANDLE_H_

#include <hdf5.h>

#include <utility>

namespace varkeep::storage::hdf5 {

// Owns an HDF5 identifier and closes it with `CloseFunction`. Move-only; may be
// empty.
template <herr_t (*CloseFunction)(hid_t)>
class Handle {
 public:
  Handle() = default;
  explicit Handle(hid_t id) : id_(id) {}
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    return *this;
  }
  ~Handle() {
    if (id_ >= 0) CloseFunction(id_);
  }

  hid_t id() const { return id_; }
  // For when the result of closing matters.
  herr_t Close() { return CloseFunction(std::exchange(id_, -1)); }

 private:
  hid_t id_ = -1;
};

using FileHandle = Handle<H5Fclose>;
using ObjectHandle = Handle<H5Oclose>;  // a group or a dataset
using DatasetHandle = Handle<H5Dclose>;
using DataspaceHandle = Handle<H5Sclose>;
using DatatypeHandle = Handle<H5Tclose>;
using AttributeHandle = Handle<H5Aclose>;
using PropertiesHandle = Handle<H5Pclose>;

}  // namespace varkeep::storage::hdf5

#endif  // VARKEEP_STORAGE_HDF5_HANDLE_H_
