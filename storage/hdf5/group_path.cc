// SPDX-License-Identifier: Apache-2.0
#include "storage/hdf5/group_path.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"
#include "storage/hdf5/error.h"

namespace varkeep::storage::hdf5 {

absl::StatusOr<GroupPath> GroupPath::Create(hid_t file) {
  GroupPath path(file);
  ASSIGN_OR_RETURN(
      path.link_properties_,
      Own<PropertiesHandle>(H5Pcreate(H5P_LINK_CREATE), "H5Pcreate"));
  RETURN_IF_ERROR(
      Check(H5Pset_char_encoding(path.link_properties_.id(), H5T_CSET_UTF8),
            "H5Pset_char_encoding"));
  return path;
}

absl::StatusOr<DatasetHandle> GroupPath::AddDataset(const std::string& path,
                                                    hid_t type, hid_t space,
                                                    hid_t properties) {
  ASSIGN_OR_RETURN(std::string name, Enter(path));
  return Own<DatasetHandle>(
      H5Dcreate2(current(), name.c_str(), type, space, link_properties_.id(),
                 properties, H5P_DEFAULT),
      "H5Dcreate2");
}

absl::Status GroupPath::AddExternalLink(const std::string& path,
                                        const std::string& holder) {
  ASSIGN_OR_RETURN(std::string name, Enter(path));
  return Check(H5Lcreate_external(
                   holder.c_str(), absl::StrCat("/", path).c_str(), current(),
                   name.c_str(), link_properties_.id(), H5P_DEFAULT),
               "H5Lcreate_external");
}

absl::StatusOr<std::string> GroupPath::Enter(absl::string_view path) {
  std::vector<absl::string_view> names = absl::StrSplit(path, '/');
  const std::string object(names.back());
  names.pop_back();
  size_t same = 0;
  while (same < names.size() && same < groups_.size() &&
         groups_[same].name == names[same]) {
    ++same;
  }
  while (groups_.size() > same) groups_.pop_back();
  for (; same < names.size(); ++same) {
    const std::string name(names[same]);
    ASSIGN_OR_RETURN(auto group,
                     Own<GroupHandle>(H5Gcreate2(current(), name.c_str(),
                                                 link_properties_.id(),
                                                 H5P_DEFAULT, H5P_DEFAULT),
                                      "H5Gcreate2"));
    groups_.push_back({name, std::move(group)});
  }
  return object;
}

}  // namespace varkeep::storage::hdf5
