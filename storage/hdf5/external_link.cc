// SPDX-License-Identifier: Apache-2.0
#include "storage/hdf5/external_link.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "storage/hdf5/error.h"

namespace varkeep::storage::hdf5 {
namespace {

hid_t RefuseToFollow(const char* /*name*/, hid_t /*group*/,
                     const void* /*value*/, size_t /*size*/, hid_t /*access*/,
                     hid_t /*transfer*/) {
  return -1;
}

// The value as it is stored; HDF5 asks for its size with no buffer.
ssize_t Copy(const char* /*name*/, const void* value, size_t size, void* out,
             size_t out_size) {
  if (out != nullptr) std::memcpy(out, value, std::min(size, out_size));
  return static_cast<ssize_t>(size);
}

}  // namespace

void ForbidFollowingLinks() {
  H5L_class_t links{};
  links.version = H5L_LINK_CLASS_T_VERS;
  links.id = H5L_TYPE_EXTERNAL;  // in place of HDF5's own
  links.comment = "external link, not followed";
  links.trav_func = RefuseToFollow;
  links.query_func = Copy;
  H5Lregister(&links);
}

absl::Status WriteExternalLink(hid_t file, const std::string& path,
                               const std::string& holder, hid_t properties) {
  return Check(
      H5Lcreate_external(holder.c_str(), absl::StrCat("/", path).c_str(), file,
                         path.c_str(), properties, H5P_DEFAULT),
      "H5Lcreate_external");
}

absl::StatusOr<ExternalLink> ReadExternalLink(hid_t group,
                                              const std::string& name,
                                              size_t size) {
  std::vector<char> value(size);
  RETURN_IF_ERROR(
      Check(H5Lget_val(group, name.c_str(), value.data(), size, H5P_DEFAULT),
            "H5Lget_val"));
  unsigned flags = 0;
  const char* file = nullptr;
  const char* object = nullptr;
  RETURN_IF_ERROR(
      Check(H5Lunpack_elink_val(value.data(), size, &flags, &file, &object),
            "H5Lunpack_elink_val"));
  return ExternalLink{file, object};
}

}  // namespace varkeep::storage::hdf5
