// SPDX-License-Identifier: Apache-2.0
#include "storage/hdf5/checkpoint_index.h"

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_annotate.h"
#include "base/status_macros.h"
#include "storage/hdf5/attributes.h"
#include "storage/hdf5/datatypes.h"
#include "storage/hdf5/error.h"
#include "storage/hdf5/external_link.h"
#include "storage/hdf5/file_driver.h"
#include "storage/hdf5/format.h"
#include "storage/hdf5/handle.h"

namespace varkeep::storage::hdf5 {
namespace {

constexpr size_t kMaxPathBytes = 16 << 10;

absl::Status Damaged(absl::string_view what) {
  return absl::DataLossError(what);
}

// Takes the attribute `name`, which must be a T, out of the list.
template <typename T>
absl::StatusOr<T> Take(const char* name, std::vector<Attribute>* attributes) {
  auto it = std::find_if(attributes->begin(), attributes->end(),
                         [&](const Attribute& a) { return a.name == name; });
  if (it == attributes->end() || !std::holds_alternative<T>(it->value)) {
    return Damaged(absl::StrCat("the attribute '", name, "' is missing"));
  }
  T value = std::get<T>(std::move(it->value));
  attributes->erase(it);
  return value;
}

bool Has(const char* name, const std::vector<Attribute>& attributes) {
  return std::any_of(attributes.begin(), attributes.end(),
                     [&](const Attribute& a) { return a.name == name; });
}

absl::Status CheckPlainLayout(hid_t dataset) {
  ASSIGN_OR_RETURN(auto properties,
                   Own<PropertiesHandle>(H5Dget_create_plist(dataset),
                                         "H5Dget_create_plist"));
  if (H5Pget_layout(properties.id()) != H5D_CONTIGUOUS ||
      H5Pget_external_count(properties.id()) != 0 ||
      H5Pget_nfilters(properties.id()) != 0) {
    return Damaged("it is not stored contiguously in the file");
  }
  return absl::OkStatus();
}

// The shape of a dataset that has a value.
absl::StatusOr<Shape> ShapeOf(hid_t space) {
  std::array<hsize_t, Shape::kMaxRank> dims{};
  const int rank = H5Sget_simple_extent_ndims(space);
  if (rank < 0 || rank > Shape::kMaxRank) {
    return Damaged(absl::StrCat("it has rank ", rank));
  }
  if (H5Sget_simple_extent_dims(space, dims.data(), nullptr) != rank) {
    return ErrorFromStack("H5Sget_simple_extent_dims");
  }
  std::array<int64_t, Shape::kMaxRank> signed_dims{};
  std::copy(dims.begin(), dims.end(), signed_dims.begin());
  return Shape::Create(std::span(signed_dims).first(static_cast<size_t>(rank)));
}

class IndexReader {
 public:
  explicit IndexReader(File* file) : file_(file), driver_(file) {}

  absl::StatusOr<CheckpointIndex> Read() {
    ASSIGN_OR_RETURN(file_size_, file_->Size());
    absl::Status status = ReadThroughDriver();
    // The file's error is the cause, what HDF5 says a consequence.
    if (!driver_.status().ok() && !absl::IsOutOfRange(driver_.status())) {
      return driver_.status();
    }
    if (absl::IsFailedPrecondition(status)) return status;
    if (!status.ok()) return Damaged(status.message());
    return std::move(index_);
  }

 private:
  absl::Status ReadThroughDriver() {
    ASSIGN_OR_RETURN(FileHandle file, driver_.OpenForRead());
    ASSIGN_OR_RETURN(
        auto root,
        Own<ObjectHandle>(H5Oopen(file.id(), "/", H5P_DEFAULT), "H5Oopen"));
    RETURN_IF_ERROR(ReadRootAttributes(root.id()));
    groups_.push_back("");
    RETURN_IF_ERROR(VisitOnce(root.id()));
    while (!groups_.empty()) {
      std::string path = std::move(groups_.back());
      groups_.pop_back();
      RETURN_IF_ERROR(ReadGroup(file.id(), path));
    }
    SortByPath();
    return absl::OkStatus();
  }

  absl::Status ReadRootAttributes(hid_t root) {
    ASSIGN_OR_RETURN(index_.contents.attributes, ReadAttributes(root));
    std::vector<Attribute>* attributes = &index_.contents.attributes;
    ASSIGN_OR_RETURN(std::string format,
                     Take<std::string>(kFormat, attributes));
    if (format != kFormatName) return Damaged("it is not a checkpoint");
    ASSIGN_OR_RETURN(int64_t version,
                     Take<int64_t>(kFormatVersionName, attributes));
    if (version > kFormatVersion) {
      return absl::FailedPreconditionError(
          absl::StrCat("it has format version ", version,
                       ", this program reads up to ", kFormatVersion));
    }
    ASSIGN_OR_RETURN(index_.contents.revision,
                     Take<uint64_t>(kRevision, attributes));
    ASSIGN_OR_RETURN(std::string created,
                     Take<std::string>(kCreated, attributes));
    std::string error;
    if (!absl::ParseTime(absl::RFC3339_full, created, &index_.created,
                         &error)) {
      return Damaged(absl::StrCat("the attribute 'created': ", error));
    }
    return ReadHolders();
  }

  absl::Status ReadHolders() {
    std::vector<Attribute>* attributes = &index_.contents.attributes;
    if (!Has(kHolders, *attributes)) return absl::OkStatus();
    ASSIGN_OR_RETURN(auto texts,
                     Take<std::vector<std::string>>(kHolders, attributes));
    for (const std::string& text : texts) {
      ASSIGN_OR_RETURN(Holder holder, ParseHolder(text));
      holders_.insert(holder.file);
      index_.shared.holders.push_back(std::move(holder));
    }
    return absl::OkStatus();
  }

  // No object is reached on two ways: no cycles, no work without end.
  absl::Status VisitOnce(hid_t object) {
    H5O_info_t info;
    RETURN_IF_ERROR(
        Check(H5Oget_info2(object, &info, H5O_INFO_BASIC), "H5Oget_info2"));
    if (visited_.insert(info.addr).second) return absl::OkStatus();
    return Damaged("it is linked twice");
  }

  struct Link {
    std::string name;
    H5L_info_t info;
  };

  static herr_t CollectLink(hid_t /*group*/, const char* name,
                            const H5L_info_t* info, void* links) {
    static_cast<std::vector<Link>*>(links)->push_back({name, *info});
    return 0;
  }

  absl::Status ReadGroup(hid_t file, const std::string& path) {
    ASSIGN_OR_RETURN(
        auto group,
        Own<ObjectHandle>(
            H5Oopen(file, absl::StrCat("/", path).c_str(), H5P_DEFAULT),
            "H5Oopen"));
    std::vector<Link> links;
    RETURN_IF_ERROR(Check(H5Literate(group.id(), H5_INDEX_NAME, H5_ITER_INC,
                                     nullptr, CollectLink, &links),
                          "H5Literate"));
    for (const Link& link : links) {
      std::string child =
          path.empty() ? link.name : absl::StrCat(path, "/", link.name);
      absl::Status status = ReadLink(group.id(), link, child);
      RETURN_IF_ERROR(Annotate(status, absl::StrCat("entry '", child, "'")));
    }
    return absl::OkStatus();
  }

  absl::Status ReadLink(hid_t group, const Link& link,
                        const std::string& path) {
    if (path.size() > kMaxPathBytes) return Damaged("its path is too long");
    switch (link.info.type) {
      case H5L_TYPE_HARD:
        return ReadObject(group, link.name, path);
      case H5L_TYPE_EXTERNAL:
        return ReadShared(group, link, path);
      default:
        return Damaged("it is an unexpected kind of link");
    }
  }

  absl::Status ReadShared(hid_t group, const Link& link,
                          const std::string& path) {
    ASSIGN_OR_RETURN(ExternalLink target,
                     ReadExternalLink(group, link.name, link.info.u.val_size));
    if (!holders_.contains(target.file) ||
        target.object != absl::StrCat("/", path)) {
      return Damaged(absl::StrCat("it is a link to '", target.object, "' of '",
                                  target.file, "'"));
    }
    index_.shared.files[path] = std::move(target.file);
    return absl::OkStatus();
  }

  absl::Status ReadObject(hid_t group, const std::string& name,
                          const std::string& path) {
    ASSIGN_OR_RETURN(auto object,
                     Own<ObjectHandle>(
                         H5Oopen(group, name.c_str(), H5P_DEFAULT), "H5Oopen"));
    RETURN_IF_ERROR(VisitOnce(object.id()));
    switch (H5Iget_type(object.id())) {
      case H5I_GROUP:
        groups_.push_back(path);
        return absl::OkStatus();
      case H5I_DATASET:
        return ReadDataset(object.id(), path);
      default:
        return Damaged("it is neither a group nor a dataset");
    }
  }

  absl::Status ReadDataset(hid_t dataset, const std::string& path) {
    CheckpointEntry entry;
    entry.path = path;
    ASSIGN_OR_RETURN(entry.attributes, ReadAttributes(dataset));
    ASSIGN_OR_RETURN(std::string dtype,
                     Take<std::string>(kDType, &entry.attributes));
    ASSIGN_OR_RETURN(entry.dtype, ParseDType(dtype));
    ASSIGN_OR_RETURN(auto type,
                     Own<DatatypeHandle>(H5Dget_type(dataset), "H5Dget_type"));
    ASSIGN_OR_RETURN(DatatypeHandle expected, FileType(entry.dtype));
    if (H5Tequal(type.id(), expected.id()) <= 0) {
      return Damaged(absl::StrCat("its HDF5 type is not that of ", dtype));
    }
    ASSIGN_OR_RETURN(auto space, Own<DataspaceHandle>(H5Dget_space(dataset),
                                                      "H5Dget_space"));
    std::optional<StoredValue> value;
    if (H5Sget_simple_extent_type(space.id()) == H5S_NULL) {
      ASSIGN_OR_RETURN(entry.shape, ReadShapeAttribute(dataset));
    } else {
      ASSIGN_OR_RETURN(entry.shape, ShapeOf(space.id()));
      ASSIGN_OR_RETURN(value, FindValue(dataset, &entry));
    }
    index_.values.push_back(value);
    index_.contents.entries.push_back(std::move(entry));
    return absl::OkStatus();
  }

  absl::StatusOr<StoredValue> FindValue(hid_t dataset, CheckpointEntry* entry) {
    RETURN_IF_ERROR(CheckPlainLayout(dataset));
    if (Has(kValueVersion, entry->attributes)) {
      ASSIGN_OR_RETURN(entry->value_version,
                       Take<uint64_t>(kValueVersion, &entry->attributes));
    }
    StoredValue value;
    ASSIGN_OR_RETURN(uint64_t crc, Take<uint64_t>(kCrc32c, &entry->attributes));
    if (crc > UINT32_MAX) return Damaged("its checksum is no CRC-32C");
    value.crc32c = static_cast<uint32_t>(crc);
    ASSIGN_OR_RETURN(value.size_bytes, SizeBytes(entry->dtype, entry->shape));
    if (value.size_bytes == 0) return value;
    const haddr_t offset = H5Dget_offset(dataset);
    if (offset == HADDR_UNDEF || offset > static_cast<haddr_t>(file_size_) ||
        value.size_bytes > file_size_ - static_cast<int64_t>(offset)) {
      return Damaged("its value is not inside the file");
    }
    value.offset = static_cast<int64_t>(offset);
    return value;
  }

  void SortByPath() {
    std::vector<CheckpointEntry>& entries = index_.contents.entries;
    std::vector<size_t> order(entries.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      return entries[a].path < entries[b].path;
    });
    std::vector<CheckpointEntry> sorted_entries;
    std::vector<std::optional<StoredValue>> sorted_values;
    for (size_t i : order) {
      sorted_entries.push_back(std::move(entries[i]));
      sorted_values.push_back(index_.values[i]);
    }
    entries = std::move(sorted_entries);
    index_.values = std::move(sorted_values);
  }

  File* const file_;
  FileDriver driver_;
  int64_t file_size_ = 0;
  CheckpointIndex index_;
  std::vector<std::string> groups_;  // still to be read
  std::set<haddr_t> visited_;
  std::set<std::string> holders_;
};

}  // namespace

absl::StatusOr<CheckpointIndex> ReadCheckpointIndex(File* file) {
  PrepareThread();
  return IndexReader(file).Read();
}

}  // namespace varkeep::storage::hdf5
