// SPDX-License-Identifier: Apache-2.0
#include "storage/import/helper/dataset_finder.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status_annotate.h"
#include "base/status_macros.h"
#include "storage/hdf5/datatypes.h"
#include "storage/hdf5/error.h"
#include "storage/import/dataset_path.h"
#include "storage/import/helper/dataset_check.h"

namespace varkeep::storage {
namespace {

using hdf5::Check;
using hdf5::Own;

absl::Status Refused(absl::string_view why) {
  return absl::InvalidArgumentError(why);
}

// What HDF5 cannot make sense of is damage.
absl::Status AsDataLoss(const absl::Status& status) {
  return absl::IsInternal(status) ? absl::DataLossError(status.message())
                                  : status;
}

bool IsBeneath(absl::string_view path, absl::string_view above) {
  return absl::StartsWith(path, above) &&
         (path.size() == above.size() || path[above.size()] == '/');
}

struct Link {
  std::string name;
  H5L_type_t type;
};

struct Links {
  std::vector<Link> links;
  size_t room;  // more are not collected
  bool too_many = false;
};

herr_t CollectLink(hid_t /*group*/, const char* name, const H5L_info_t* info,
                   void* data) {
  auto* collected = static_cast<Links*>(data);
  if (collected->links.size() >= collected->room) {
    collected->too_many = true;
    return 1;  // no further
  }
  collected->links.push_back({name, info->type});
  return 0;
}

class Finder {
 public:
  Finder(hid_t file, const DatasetSearch& search)
      : file_(file), search_(search) {}

  absl::StatusOr<std::vector<FoundDataset>> Find() {
    groups_.push_back("");
    ASSIGN_OR_RETURN(
        auto root,
        Own<hdf5::ObjectHandle>(H5Oopen(file_, "/", H5P_DEFAULT), "H5Oopen"));
    RETURN_IF_ERROR(VisitOnce(root.id()));
    while (!groups_.empty()) {
      const std::string path = std::move(groups_.back());
      groups_.pop_back();
      RETURN_IF_ERROR(SearchGroup(path));
    }
    std::sort(found_.begin(), found_.end(),
              [](const FoundDataset& a, const FoundDataset& b) {
                return a.path < b.path;
              });
    return std::move(found_);
  }

 private:
  absl::Status SearchGroup(const std::string& path) {
    ASSIGN_OR_RETURN(
        auto group,
        Own<hdf5::ObjectHandle>(
            H5Oopen(file_, absl::StrCat("/", path).c_str(), H5P_DEFAULT),
            "H5Oopen"));
    Links links{{}, ObjectsLeft(), false};
    RETURN_IF_ERROR(Check(H5Literate(group.id(), H5_INDEX_NAME, H5_ITER_INC,
                                     nullptr, CollectLink, &links),
                          "H5Literate"));
    if (links.too_many) return TooManyObjects();
    for (const Link& link : links.links) {
      const std::string child =
          path.empty() ? link.name : absl::StrCat(path, "/", link.name);
      RETURN_IF_ERROR(CheckDatasetPath(child));
      if (!LeadsToWanted(child)) continue;
      RETURN_IF_ERROR(Annotate(FollowLink(group.id(), link, child),
                               absl::StrCat("'", child, "'")));
    }
    return absl::OkStatus();
  }

  size_t ObjectsLeft() const {
    const auto most = static_cast<size_t>(search_.limits.max_objects);
    return most - std::min(most, visited_.size());
  }
  absl::Status TooManyObjects() const {
    return absl::ResourceExhaustedError(absl::StrCat(
        "it has more than ", search_.limits.max_objects, " objects"));
  }

  bool IsWanted(absl::string_view path) const {
    return search_.only.empty() ||
           std::any_of(
               search_.only.begin(), search_.only.end(),
               [&](const std::string& only) { return IsBeneath(path, only); });
  }
  bool LeadsToWanted(absl::string_view path) const {
    return IsWanted(path) ||
           std::any_of(
               search_.only.begin(), search_.only.end(),
               [&](const std::string& only) { return IsBeneath(only, path); });
  }

  absl::Status FollowLink(hid_t group, const Link& link,
                          const std::string& path) {
    if (link.type == H5L_TYPE_EXTERNAL) {
      return Refused("it is a link into another file");
    }
    if (link.type != H5L_TYPE_HARD) {
      return Refused("it is a soft link; only objects themselves are read");
    }
    if (std::count(path.begin(), path.end(), '/') >= search_.limits.max_depth) {
      return absl::ResourceExhaustedError(absl::StrCat(
          "it is more than ", search_.limits.max_depth, " groups deep"));
    }
    ASSIGN_OR_RETURN(
        auto object,
        Own<hdf5::ObjectHandle>(H5Oopen(group, link.name.c_str(), H5P_DEFAULT),
                                "H5Oopen"));
    RETURN_IF_ERROR(VisitOnce(object.id()));
    switch (H5Iget_type(object.id())) {
      case H5I_GROUP:
        groups_.push_back(path);
        return absl::OkStatus();
      case H5I_DATASET:
        return IsWanted(path) ? AddDataset(object.id(), path)
                              : absl::OkStatus();
      case H5I_DATATYPE:
        return absl::OkStatus();
      default:
        return Refused("it is of an unknown kind");
    }
  }

  // No object is reached on two ways: no cycles, no work without end.
  absl::Status VisitOnce(hid_t object) {
    H5O_info_t info;
    RETURN_IF_ERROR(
        Check(H5Oget_info2(object, &info, H5O_INFO_BASIC), "H5Oget_info2"));
    if (!visited_.insert(info.addr).second) {
      return Refused(
          "it is a hard link to what has another name too, or to a group that "
          "it is in");
    }
    return absl::OkStatus();
  }

  absl::Status AddDataset(hid_t dataset, const std::string& path) {
    FoundDataset found;
    found.path = path;
    ASSIGN_OR_RETURN(auto space, Own<hdf5::DataspaceHandle>(
                                     H5Dget_space(dataset), "H5Dget_space"));
    found.has_value = H5Sget_simple_extent_type(space.id()) != H5S_NULL;
    if (found.has_value) {
      ASSIGN_OR_RETURN(found.dtype, DTypeOfDataset(dataset));
      ASSIGN_OR_RETURN(found.shape, ShapeOfDataset(space.id()));
      ASSIGN_OR_RETURN(found.size_bytes, SizeBytes(found.dtype, found.shape));
      RETURN_IF_ERROR(CheckStorage(dataset, found.size_bytes,
                                   search_.file_bytes, search_.limits));
      const int64_t left = search_.limits.max_total_bytes - total_bytes_;
      if (found.size_bytes > left) {
        return absl::ResourceExhaustedError(
            absl::StrCat("with it the file has more than ",
                         search_.limits.max_total_bytes, " bytes of values"));
      }
      total_bytes_ += found.size_bytes;
    }
    found_.push_back(std::move(found));
    return absl::OkStatus();
  }

  const hid_t file_;
  const DatasetSearch& search_;
  std::vector<std::string> groups_;  // still to be searched
  std::set<haddr_t> visited_;
  int64_t total_bytes_ = 0;
  std::vector<FoundDataset> found_;
};

absl::StatusOr<std::vector<std::byte>> Read(hid_t file,
                                            const FoundDataset& found) {
  ASSIGN_OR_RETURN(
      auto dataset,
      Own<hdf5::DatasetHandle>(
          H5Dopen2(file, absl::StrCat("/", found.path).c_str(), H5P_DEFAULT),
          "H5Dopen2"));
  ASSIGN_OR_RETURN(hdf5::DatatypeHandle type, hdf5::FileType(found.dtype));
  std::vector<std::byte> value(static_cast<size_t>(found.size_bytes));
  if (value.empty()) return value;
  RETURN_IF_ERROR(Check(H5Dread(dataset.id(), type.id(), H5S_ALL, H5S_ALL,
                                H5P_DEFAULT, value.data()),
                        "H5Dread"));
  return value;
}

}  // namespace

absl::StatusOr<std::vector<FoundDataset>> FindDatasets(
    hid_t file, const DatasetSearch& search) {
  absl::StatusOr<std::vector<FoundDataset>> found = Finder(file, search).Find();
  if (!found.ok()) return AsDataLoss(found.status());
  return found;
}

absl::StatusOr<std::vector<std::byte>> ReadValue(hid_t file,
                                                 const FoundDataset& dataset) {
  absl::StatusOr<std::vector<std::byte>> value = Read(file, dataset);
  if (value.ok()) return value;
  return Annotate(AsDataLoss(value.status()),
                  absl::StrCat("'", dataset.path, "'"));
}

}  // namespace varkeep::storage
