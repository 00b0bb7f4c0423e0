// SPDX-License-Identifier: Apache-2.0
#include "storage/hdf5/checkpoint_writer.h"

#include <algorithm>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/crc32c.h"
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

// From here on a second thread is worth its start.
constexpr size_t kThreadBytes = 4 << 20;

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

class Writer {
 public:
  Writer(const SharedEntries& shared, absl::Time created,
         const CheckpointProgress& progress, File* file)
      : shared_(shared),
        created_(
            absl::FormatTime(absl::RFC3339_full, created, absl::UTCTimeZone())),
        progress_(progress),
        driver_(file) {}

  absl::StatusOr<std::vector<StoredValue>> Write(CheckpointContents contents) {
    absl::Status status = WriteThroughDriver(std::move(contents));
    // The file's error is the cause, what HDF5 says a consequence.
    RETURN_IF_ERROR(driver_.status());
    RETURN_IF_ERROR(status);
    return std::move(values_);
  }

 private:
  absl::Status WriteThroughDriver(CheckpointContents contents) {
    ASSIGN_OR_RETURN(FileHandle file, driver_.Create());
    RETURN_IF_ERROR(MakeProperties());
    const int64_t all_bytes = ValueBytes(contents);
    int64_t done_bytes = 0;
    for (CheckpointEntry& entry : contents.entries) {
      absl::Status status = WriteEntry(file.id(), entry);
      RETURN_IF_ERROR(
          Annotate(status, absl::StrCat("entry '", entry.path, "'")));
      RETURN_IF_ERROR(driver_.status());
      if (entry.value == nullptr) continue;
      done_bytes += entry.value->size_bytes();
      entry.value = nullptr;
      if (progress_) progress_(done_bytes, all_bytes);
    }
    RETURN_IF_ERROR(WriteRootAttributes(file.id(), contents));
    return Check(file.Close(), "H5Fclose");
  }

  absl::Status MakeProperties() {
    ASSIGN_OR_RETURN(
        link_properties_,
        Own<PropertiesHandle>(H5Pcreate(H5P_LINK_CREATE), "H5Pcreate"));
    RETURN_IF_ERROR(
        Check(H5Pset_create_intermediate_group(link_properties_.id(), 1),
              "H5Pset_create_intermediate_group"));
    RETURN_IF_ERROR(
        Check(H5Pset_char_encoding(link_properties_.id(), H5T_CSET_UTF8),
              "H5Pset_char_encoding"));
    ASSIGN_OR_RETURN(
        dataset_properties_,
        Own<PropertiesHandle>(H5Pcreate(H5P_DATASET_CREATE), "H5Pcreate"));
    RETURN_IF_ERROR(
        Check(H5Pset_fill_time(dataset_properties_.id(), H5D_FILL_TIME_NEVER),
              "H5Pset_fill_time"));
    return Check(H5Pset_obj_track_times(dataset_properties_.id(), false),
                 "H5Pset_obj_track_times");
  }

  absl::Status WriteEntry(hid_t file, const CheckpointEntry& entry) {
    auto shared = shared_.files.find(entry.path);
    if (shared != shared_.files.end()) {
      return WriteExternalLink(file, entry.path, shared->second,
                               link_properties_.id());
    }
    ASSIGN_OR_RETURN(DatatypeHandle type, FileType(entry.dtype));
    ASSIGN_OR_RETURN(DataspaceHandle space, SpaceOf(entry));
    ASSIGN_OR_RETURN(
        auto dataset,
        Own<DatasetHandle>(H5Dcreate2(file, entry.path.c_str(), type.id(),
                                      space.id(), link_properties_.id(),
                                      dataset_properties_.id(), H5P_DEFAULT),
                           "H5Dcreate2"));
    for (const Attribute& attribute : entry.attributes) {
      RETURN_IF_ERROR(WriteAttribute(dataset.id(), attribute));
    }
    RETURN_IF_ERROR(WriteAttribute(
        dataset.id(), {kDType, std::string(DTypeName(entry.dtype))}));
    if (entry.value == nullptr) {
      return WriteShapeAttribute(dataset.id(), entry.shape);
    }
    ASSIGN_OR_RETURN(uint32_t crc, WriteValue(dataset.id(), type.id(), entry));
    RETURN_IF_ERROR(WriteAttribute(dataset.id(), {kCrc32c, uint64_t{crc}}));
    if (entry.value_version == 0 ||
        entry.value->size_bytes() < kSharedValueBytes) {
      return absl::OkStatus();
    }
    return WriteAttribute(dataset.id(), {kValueVersion, entry.value_version});
  }

  // The checksum of the value. That of a large one is taken while it is on its
  // way to the disk.
  absl::StatusOr<uint32_t> WriteValue(hid_t dataset, hid_t type,
                                      const CheckpointEntry& entry) {
    const std::span<const std::byte> bytes = entry.value->bytes();
    uint32_t crc = 0;
    std::thread checksum;
    if (bytes.size() >= kThreadBytes) {
      checksum = std::thread([&] { crc = Crc32c(bytes); });
    } else {
      crc = Crc32c(bytes);
    }
    herr_t written = 0;
    if (!bytes.empty()) {
      written =
          H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data());
    }
    if (checksum.joinable()) checksum.join();
    RETURN_IF_ERROR(Check(written, "H5Dwrite"));
    if (bytes.empty()) return crc;
    const haddr_t offset = H5Dget_offset(dataset);
    if (offset == HADDR_UNDEF) return ErrorFromStack("H5Dget_offset");
    values_.push_back(
        {static_cast<int64_t>(offset), entry.value->size_bytes(), crc});
    return crc;
  }

  absl::Status WriteRootAttributes(hid_t file,
                                   const CheckpointContents& contents) {
    for (const Attribute& attribute : contents.attributes) {
      RETURN_IF_ERROR(WriteAttribute(file, attribute));
    }
    const Attribute own[] = {{kFormat, std::string(kFormatName)},
                             {kFormatVersionName, kFormatVersion},
                             {kRevision, contents.revision},
                             {kCreated, created_}};
    for (const Attribute& attribute : own) {
      RETURN_IF_ERROR(WriteAttribute(file, attribute));
    }
    if (shared_.holders.empty()) return absl::OkStatus();
    std::vector<std::string> holders;
    for (const Holder& holder : shared_.holders) {
      holders.push_back(FormatHolder(holder));
    }
    return WriteAttribute(file, {kHolders, std::move(holders)});
  }

  const SharedEntries& shared_;
  const std::string created_;
  const CheckpointProgress& progress_;
  FileDriver driver_;
  PropertiesHandle link_properties_;
  PropertiesHandle dataset_properties_;
  std::vector<StoredValue> values_;
};

int64_t AttributesSize(const std::vector<Attribute>& attributes) {
  // Message, datatype and dataspace; a string also has a place in a heap.
  constexpr size_t kAttributeBytes = 192;
  constexpr size_t kStringBytes = 64;
  size_t size = 0;
  for (const Attribute& attribute : attributes) {
    size += kAttributeBytes + attribute.name.size();
    if (auto* text = std::get_if<std::string>(&attribute.value)) {
      size += kStringBytes + text->size();
    }
    if (auto* list = std::get_if<std::vector<std::string>>(&attribute.value)) {
      for (const std::string& text : *list) size += kStringBytes + text.size();
    }
  }
  // Heaps and headers grow in steps and leave gaps: twice is enough.
  return static_cast<int64_t>(2 * size);
}

}  // namespace

int64_t EstimateFileSize(const CheckpointContents& contents,
                         const SharedEntries& shared) {
  constexpr int64_t kFileBytes = 128 << 10;
  constexpr int64_t kEntryBytes = (1 << 10) + 512;
  constexpr int64_t kGroupBytes = 2 << 10;
  constexpr int64_t kAlignmentBytes = 4096;
  constexpr int64_t kHolderBytes = 128;
  constexpr int64_t kTrailerEntryBytes = 20;
  int64_t size = kFileBytes + AttributesSize(contents.attributes);
  for (const Holder& holder : shared.holders) {
    size += 2 * kHolderBytes + 2 * static_cast<int64_t>(holder.file.size());
  }
  for (const CheckpointEntry& entry : contents.entries) {
    size += kEntryBytes + AttributesSize(entry.attributes);
    size += 2 * static_cast<int64_t>(entry.path.size());
    size += kTrailerEntryBytes +
            kGroupBytes * std::count(entry.path.begin(), entry.path.end(), '/');
    if (entry.value != nullptr && !shared.files.contains(entry.path)) {
      size += entry.value->size_bytes() + kAlignmentBytes;
    }
  }
  return size;
}

absl::StatusOr<std::vector<StoredValue>> WriteCheckpoint(
    CheckpointContents contents, const SharedEntries& shared,
    absl::Time created, const CheckpointProgress& progress, File* file) {
  RETURN_IF_ERROR(Validate(contents));
  Sort(&contents);
  PrepareThread();
  return Writer(shared, created, progress, file).Write(std::move(contents));
}

}  // namespace varkeep::storage::hdf5
