// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_HDF5_EXTERNAL_LINK_H_
#define VARKEEP_STORAGE_HDF5_EXTERNAL_LINK_H_

#include <hdf5.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace varkeep::storage::hdf5 {

// From then on this process's HDF5 reads and writes external links but never
// follows one: opening an object through it fails. PrepareThread calls it once.
void ForbidFollowingLinks();

struct ExternalLink {
  std::string file;
  std::string object;  // "/group/name"
};

// Makes a link at `path` to the object of the same path in `holder`, a file
// name. `properties` are of class H5P_LINK_CREATE.
absl::Status WriteExternalLink(hid_t file, const std::string& path,
                               const std::string& holder, hid_t properties);

// Where the link `name` of a group leads. REQUIRES: it is an external link
// whose value has `size` bytes.
absl::StatusOr<ExternalLink> ReadExternalLink(hid_t group,
                                              const std::string& name,
                                              size_t size);

}  // namespace varkeep::storage::hdf5

#endif  // VARKEEP_STORAGE_HDF5_EXTERNAL_LINK_H_
