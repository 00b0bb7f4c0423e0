// SPDX-License-Identifier: Apache-2.0
#include "storage/checkpoint.h"

#include <algorithm>
#include <initializer_list>
#include <set>
#include <type_traits>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/status_annotate.h"
#include "base/status_macros.h"

namespace varkeep::storage {
namespace {

constexpr size_t kMaxAttributeBytes = 32 << 10;
constexpr size_t kListItemBytes = 16;
constexpr size_t kMaxPathBytes = 16 << 10;
constexpr int kMaxPathComponents = 256;

bool HasNul(absl::string_view text) {
  return text.find('\0') != absl::string_view::npos;
}

absl::Status ValidateText(absl::string_view text) {
  if (!HasNul(text)) return absl::OkStatus();
  return absl::InvalidArgumentError("its text holds a NUL character");
}

// The size of an attribute's value, its text checked.
absl::StatusOr<size_t> ValidatedSize(const Attribute& attribute) {
  return std::visit(
      [](const auto& value) -> absl::StatusOr<size_t> {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, std::string>) {
          RETURN_IF_ERROR(ValidateText(value));
          return value.size();
        } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
          size_t size = 0;
          for (const std::string& item : value) {
            RETURN_IF_ERROR(ValidateText(item));
            size += item.size() + kListItemBytes;
          }
          return size;
        } else {
          return sizeof(T);
        }
      },
      attribute.value);
}

absl::Status ValidateAttributes(
    const std::vector<Attribute>& attributes,
    std::initializer_list<absl::string_view> reserved) {
  std::set<absl::string_view> names;
  for (const Attribute& attribute : attributes) {
    const std::string& name = attribute.name;
    if (name.empty() || HasNul(name)) {
      return absl::InvalidArgumentError(
          "an attribute's name is empty or holds a NUL character");
    }
    if (std::find(reserved.begin(), reserved.end(), name) != reserved.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat("the attribute name '", name, "' is reserved"));
    }
    if (!names.insert(name).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("the attribute '", name, "' is given twice"));
    }
    absl::StatusOr<size_t> size = ValidatedSize(attribute);
    if (!size.ok()) {
      return Annotate(size.status(), absl::StrCat("attribute '", name, "'"));
    }
    if (*size + name.size() > kMaxAttributeBytes) {
      return absl::InvalidArgumentError(
          absl::StrCat("the attribute '", name, "' has ", *size + name.size(),
                       " bytes, at most ", kMaxAttributeBytes, " are allowed"));
    }
  }
  return absl::OkStatus();
}

absl::Status ValidatePath(absl::string_view path) {
  if (path.size() > kMaxPathBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("the path has ", path.size(), " bytes, at most ",
                     kMaxPathBytes, " are allowed"));
  }
  if (HasNul(path)) {
    return absl::InvalidArgumentError("the path holds a NUL character");
  }
  int components = 0;
  for (size_t begin = 0; begin <= path.size(); ++components) {
    size_t end = std::min(path.find('/', begin), path.size());
    absl::string_view component = path.substr(begin, end - begin);
    if (component.empty() || component == "." || component == "..") {
      return absl::InvalidArgumentError(
          absl::StrCat("the path has a component '", component, "'"));
    }
    begin = end + 1;
  }
  if (components > kMaxPathComponents) {
    return absl::InvalidArgumentError(
        absl::StrCat("the path has ", components, " components, at most ",
                     kMaxPathComponents, " are allowed"));
  }
  return absl::OkStatus();
}

absl::Status ValidateEntry(const CheckpointEntry& entry) {
  RETURN_IF_ERROR(ValidatePath(entry.path));
  RETURN_IF_ERROR(SizeBytes(entry.dtype, entry.shape).status());
  if (entry.value != nullptr && (entry.value->dtype() != entry.dtype ||
                                 entry.value->shape() != entry.shape)) {
    return absl::InvalidArgumentError(
        absl::StrCat("its value is ", DTypeName(entry.value->dtype()),
                     entry.value->shape().ToString(), ", the entry says ",
                     DTypeName(entry.dtype), entry.shape.ToString()));
  }
  return ValidateAttributes(entry.attributes,
                            {"dtype", "shape", "crc32c", "value_version"});
}

// No two entries at one path, none inside another.
absl::Status ValidateTree(const std::vector<CheckpointEntry>& entries) {
  std::set<absl::string_view> paths;
  for (const CheckpointEntry& entry : entries) {
    if (!paths.insert(entry.path).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("the entry '", entry.path, "' is given twice"));
    }
  }
  for (absl::string_view path : paths) {
    for (size_t slash = path.find('/'); slash != absl::string_view::npos;
         slash = path.find('/', slash + 1)) {
      if (paths.contains(path.substr(0, slash))) {
        return absl::InvalidArgumentError(
            absl::StrCat("the entry '", path, "' is inside the entry '",
                         path.substr(0, slash), "'"));
      }
    }
  }
  return absl::OkStatus();
}

void SortByName(std::vector<Attribute>* attributes) {
  std::sort(
      attributes->begin(), attributes->end(),
      [](const Attribute& a, const Attribute& b) { return a.name < b.name; });
}

}  // namespace

absl::Status Validate(const CheckpointContents& contents) {
  RETURN_IF_ERROR(ValidateAttributes(
      contents.attributes,
      {"format", "format_version", "revision", "created", "holders"}));
  for (const CheckpointEntry& entry : contents.entries) {
    absl::Status status = ValidateEntry(entry);
    if (!status.ok()) {
      return Annotate(status, absl::StrCat("entry '", entry.path, "'"));
    }
  }
  return ValidateTree(contents.entries);
}

void Sort(CheckpointContents* contents) {
  SortByName(&contents->attributes);
  for (CheckpointEntry& entry : contents->entries) {
    SortByName(&entry.attributes);
  }
  std::sort(contents->entries.begin(), contents->entries.end(),
            [](const CheckpointEntry& a, const CheckpointEntry& b) {
              return a.path < b.path;
            });
}

int64_t ValueBytes(const CheckpointContents& contents) {
  int64_t bytes = 0;
  for (const CheckpointEntry& entry : contents.entries) {
    if (entry.value != nullptr) bytes += entry.value->size_bytes();
  }
  return bytes;
}

}  // namespace varkeep::storage
