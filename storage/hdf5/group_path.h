// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_HDF5_GROUP_PATH_H_
#define VARKEEP_STORAGE_HDF5_GROUP_PATH_H_

#include <hdf5.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/hdf5/handle.h"

namespace varkeep::storage::hdf5 {

// Adds objects to an HDF5 file in the order of their paths and makes the groups
// on the way, each once: those of the last path stay open, so that HDF5 need
// not look for them again. One thread at a time.
class GroupPath {
 public:
  // `file` is borrowed, new and open.
  static absl::StatusOr<GroupPath> Create(hid_t file);

  // REQUIRES: the path, "group/group/name", is after those before it.
  absl::StatusOr<DatasetHandle> AddDataset(const std::string& path, hid_t type,
                                           hid_t space, hid_t properties);
  // A link to the object of the same path in the file `holder`.
  absl::Status AddExternalLink(const std::string& path,
                               const std::string& holder);

 private:
  using GroupHandle = Handle<H5Gclose>;
  struct Group {
    std::string name;
    GroupHandle handle;
  };

  explicit GroupPath(hid_t file) : file_(file) {}
  // Opens the groups of the path. What is left of it is the object's name.
  absl::StatusOr<std::string> Enter(absl::string_view path);
  hid_t current() const {
    return groups_.empty() ? file_ : groups_.back().handle.id();
  }

  const hid_t file_;
  PropertiesHandle link_properties_;
  std::vector<Group> groups_;  // from the root on
};

}  // namespace varkeep::storage::hdf5

#endif  // VARKEEP_STORAGE_HDF5_GROUP_PATH_H_
