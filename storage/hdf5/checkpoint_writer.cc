// SPDX-License-Identifier: Apache-2.0
#include "storage/hdf5/checkpoint_writer.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/background_checksum.h"
#include "base/status_annotate.h"
#include "base/status_macros.h"
#include "storage/hdf5/attributes.h"
#include "storage/hdf5/datatypes.h"
#include "storage/hdf5/error.h"
#include "storage/hdf5/file_driver.h"
#include "storage/hdf5/format.h"
#include "storage/hdf5/group_path.h"
#include "storage/hdf5/handle.h"
#include "storage/hdf5/value_stream.h"

namespace varkeep::storage::hdf5 {
namespace {

// HDF5's own data are together in blocks of so many bytes.
constexpr int64_t kMinBlockBytes = 2 << 10;
constexpr int64_t kMaxBlockBytes = 1 << 20;

absl::StatusOr<DataspaceHandle> SpaceOf(const CheckpointEntry& entry) {
  if (entry.value == nullptr) {
    return Own<DataspaceHandle>(H5Screate(H5S_NULL), "H5Screate");
  }
  if (entry.shape.rank() == 0) {
    return Own<DataspaceHandle>(H5Screate(H5S_SCALAR), "H5Screate");
  }
  std::vector<hsize_t> dims(entry.shape.dims().begin(),
                            entry.shape.dims().end());
  return Own<DataspaceHandle>(
      H5Screate_simple(entry.shape.rank(), dims.data(), nullptr),
      "H5Screate_simple");
}

// Tells how far a save is in steps that are worth a message: more often would
// take longer than writing small values.
class Progress {
 public:
  Progress(const CheckpointProgress& report, int64_t all_bytes)
      : report_(report), all_bytes_(all_bytes) {}

  void Add(int64_t bytes) {
    done_bytes_ += bytes;
    if (++entries_ % kEntries == 0 || done_bytes_ >= next_) Report();
  }
  void Report() {
    next_ = done_bytes_ + kBytes;
    if (report_) report_(done_bytes_, all_bytes_);
  }

 private:
  static constexpr int64_t kEntries = 1000;
  static constexpr int64_t kBytes = int64_t{1} << 20;

  const CheckpointProgress& report_;
  const int64_t all_bytes_;
  int64_t done_bytes_ = 0;
  int64_t entries_ = 0;
  int64_t next_ = 0;
};

// For people and tools: one attribute costs HDF5 as much as all of them.
std::string AttributesAsJson(const std::vector<Attribute>& attributes) {
  nlohmann::json json = nlohmann::json::object();
  for (const Attribute& attribute : attributes) {
    std::visit([&](const auto& value) { json[attribute.name] = value; },
               attribute.value);
  }
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

class Writer {
 public:
  Writer(SharedEntries shared, absl::Time created,
         const CheckpointProgress& progress, File* file)
      : progress_(progress), file_(file), stream_(file) {
    index_.shared = std::move(shared);
    index_.created = created;
  }

  absl::StatusOr<CheckpointIndex> Write(CheckpointContents contents,
                                        uint64_t block_bytes) {
    RETURN_IF_ERROR(WriteHdf5(contents, block_bytes));
    RETURN_IF_ERROR(stream_.Finish());
    RETURN_IF_ERROR(driver_.Save(file_));
    // Also when the size is right already: gives back what was reserved.
    RETURN_IF_ERROR(file_->Truncate(driver_.size()));
    index_.contents.revision = contents.revision;
    index_.contents.attributes = std::move(contents.attributes);
    return std::move(index_);
  }

 private:
  absl::Status WriteHdf5(CheckpointContents& contents, uint64_t block_bytes) {
    ASSIGN_OR_RETURN(FileHandle file, driver_.Create(block_bytes));
    RETURN_IF_ERROR(MakeProperties());
    {
      ASSIGN_OR_RETURN(GroupPath group, GroupPath::Create(file.id()));
      RETURN_IF_ERROR(WriteEntries(contents, &group));
    }
    RETURN_IF_ERROR(WriteRootAttributes(file.id(), contents));
    return Check(file.Close(), "H5Fclose");
  }

  absl::Status WriteEntries(CheckpointContents& contents, GroupPath* group) {
    Progress progress(progress_, ValueBytes(contents));
    for (CheckpointEntry& entry : contents.entries) {
      const int64_t bytes =
          entry.value == nullptr ? 0 : entry.value->size_bytes();
      const bool has_value = entry.value != nullptr;
      const std::string path = entry.path;
      absl::Status status = WriteEntry(std::move(entry), group);
      RETURN_IF_ERROR(Annotate(status, absl::StrCat("entry '", path, "'")));
      RETURN_IF_ERROR(stream_.status());
      if (has_value) progress.Add(bytes);
    }
    progress.Report();
    return absl::OkStatus();
  }

  absl::Status MakeProperties() {
    ASSIGN_OR_RETURN(attributes_, AttributeWriter::Create());
    ASSIGN_OR_RETURN(
        dataset_properties_,
        Own<PropertiesHandle>(H5Pcreate(H5P_DATASET_CREATE), "H5Pcreate"));
    const hid_t id = dataset_properties_.id();
    RETURN_IF_ERROR(
        Check(H5Pset_fill_time(id, H5D_FILL_TIME_NEVER), "H5Pset_fill_time"));
    // So that its place is known at once.
    RETURN_IF_ERROR(Check(H5Pset_alloc_time(id, H5D_ALLOC_TIME_EARLY),
                          "H5Pset_alloc_time"));
    return Check(H5Pset_obj_track_times(id, false), "H5Pset_obj_track_times");
  }

  absl::StatusOr<hid_t> TypeOf(DType dtype) {
    DatatypeHandle& type = types_[dtype];
    if (type.id() < 0) {
      ASSIGN_OR_RETURN(type, FileType(dtype));
    }
    return type.id();
  }

  absl::Status WriteEntry(CheckpointEntry entry, GroupPath* group) {
    auto shared = index_.shared.files.find(entry.path);
    if (shared != index_.shared.files.end()) {
      return group->AddExternalLink(entry.path, shared->second);
    }
    ASSIGN_OR_RETURN(hid_t type, TypeOf(entry.dtype));
    ASSIGN_OR_RETURN(DataspaceHandle space, SpaceOf(entry));
    ASSIGN_OR_RETURN(DatasetHandle dataset,
                     group->AddDataset(entry.path, type, space.id(),
                                       dataset_properties_.id()));
    // The type of the others says it.
    if (entry.dtype == DType::kBfloat16) {
      RETURN_IF_ERROR(attributes_->Write(
          dataset.id(), {kDType, std::string(DTypeName(entry.dtype))}));
    }
    if (!entry.attributes.empty()) {
      RETURN_IF_ERROR(attributes_->Write(
          dataset.id(), {kAttributes, AttributesAsJson(entry.attributes)}));
    }
    if (entry.value == nullptr) {
      entry.value_version = 0;
      RETURN_IF_ERROR(attributes_->WriteShape(dataset.id(), entry.shape));
      index_.values.emplace_back();
    } else {
      RETURN_IF_ERROR(WriteValue(dataset.id(), &entry));
    }
    index_.contents.entries.push_back(std::move(entry));
    return absl::OkStatus();
  }

  absl::Status WriteValue(hid_t dataset, CheckpointEntry* entry) {
    StoredValue stored;
    stored.size_bytes = entry->value->size_bytes();
    const bool small = stored.size_bytes < kSharedValueBytes;
    if (small) entry->value_version = 0;
    TensorRef value = std::move(entry->value);
    const std::span<const std::byte> bytes = value->bytes();
    if (!bytes.empty()) {
      const haddr_t offset = H5Dget_offset(dataset);
      if (offset == HADDR_UNDEF) return ErrorFromStack("H5Dget_offset");
      stored.offset = static_cast<int64_t>(offset);
      stream_.Write(stored.offset, value);
      // Of a large one while it is on its way to the disk.
      stored.crc32c = checksum_.Sum(bytes);
    }
    index_.values.emplace_back(stored);
    // Of small ones, which may be many, it is in the index alone.
    if (small) return absl::OkStatus();
    RETURN_IF_ERROR(
        attributes_->Write(dataset, {kCrc32c, uint64_t{stored.crc32c}}));
    if (entry->value_version == 0) return absl::OkStatus();
    return attributes_->Write(dataset, {kValueVersion, entry->value_version});
  }

  absl::Status WriteRootAttributes(hid_t file,
                                   const CheckpointContents& contents) {
    for (const Attribute& attribute : contents.attributes) {
      RETURN_IF_ERROR(attributes_->Write(file, attribute));
    }
    const Attribute own[] = {
        {kFormat, std::string(kFormatName)},
        {kFormatVersion, kCheckpointFormatVersion},
        {kRevision, contents.revision},
        {kCreated, absl::FormatTime(absl::RFC3339_full, index_.created,
                                    absl::UTCTimeZone())}};
    for (const Attribute& attribute : own) {
      RETURN_IF_ERROR(attributes_->Write(file, attribute));
    }
    if (index_.shared.holders.empty()) return absl::OkStatus();
    std::vector<std::string> holders;
    for (const Holder& holder : index_.shared.holders) {
      holders.push_back(FormatHolder(holder));
    }
    return attributes_->Write(file, {kHolders, std::move(holders)});
  }

  const CheckpointProgress& progress_;
  File* const file_;
  FileDriver driver_;
  ValueStream stream_;
  BackgroundChecksum checksum_;
  std::optional<AttributeWriter> attributes_;
  std::map<DType, DatatypeHandle> types_;
  PropertiesHandle dataset_properties_;
  CheckpointIndex index_;
};

int64_t AttributesSize(const std::vector<Attribute>& attributes) {
  // Message, datatype and dataspace; a string also has a place in a heap.
  constexpr size_t kAttributeBytes = 256;
  constexpr size_t kStringBytes = 64;
  // Once in HDF5, where JSON may make six of a byte, once in the index. Heaps
  // and headers grow in steps and leave gaps.
  constexpr size_t kCopies = 8;
  size_t size = 0;
  for (const Attribute& attribute : attributes) {
    size += kAttributeBytes + kCopies * attribute.name.size();
    if (auto* text = std::get_if<std::string>(&attribute.value)) {
      size += kStringBytes + kCopies * text->size();
    }
    if (auto* list = std::get_if<std::vector<std::string>>(&attribute.value)) {
      for (const std::string& text : *list) {
        size += kStringBytes + kCopies * text.size();
      }
    }
  }
  return static_cast<int64_t>(size);
}

int64_t EstimateIndexSize(const CheckpointContents& contents,
                          const SharedEntries& shared) {
  constexpr int64_t kFileBytes = 128 << 10;
  constexpr int64_t kEntryBytes = 2 << 10;
  constexpr int64_t kGroupBytes = 2 << 10;
  constexpr int64_t kHolderBytes = 256;
  int64_t size = kFileBytes + AttributesSize(contents.attributes);
  for (const Holder& holder : shared.holders) {
    size += kHolderBytes + 3 * static_cast<int64_t>(holder.file.size());
  }
  for (const CheckpointEntry& entry : contents.entries) {
    size += kEntryBytes + AttributesSize(entry.attributes);
    size += 3 * static_cast<int64_t>(entry.path.size());
    size += kGroupBytes * std::count(entry.path.begin(), entry.path.end(), '/');
  }
  return size;
}

// What a block does not use up between values is lost.
int64_t BlockBytes(int64_t index_bytes) {
  return std::clamp(index_bytes / 64, kMinBlockBytes, kMaxBlockBytes);
}

}  // namespace

int64_t EstimateFileSize(const CheckpointContents& contents,
                         const SharedEntries& shared) {
  constexpr int64_t kAlignmentBytes = 4096;
  const int64_t index_bytes = EstimateIndexSize(contents, shared);
  int64_t size = index_bytes + BlockBytes(index_bytes);
  for (const CheckpointEntry& entry : contents.entries) {
    if (entry.value != nullptr && !shared.files.contains(entry.path)) {
      size += entry.value->size_bytes() + kAlignmentBytes;
    }
  }
  return size;
}

absl::StatusOr<CheckpointIndex> WriteCheckpoint(
    CheckpointContents contents, SharedEntries shared, absl::Time created,
    const CheckpointProgress& progress, File* file) {
  RETURN_IF_ERROR(Validate(contents));
  Sort(&contents);
  PrepareThread();
  const int64_t block_bytes = BlockBytes(EstimateIndexSize(contents, shared));
  return Writer(std::move(shared), created, progress, file)
      .Write(std::move(contents), static_cast<uint64_t>(block_bytes));
}

}  // namespace varkeep::storage::hdf5
