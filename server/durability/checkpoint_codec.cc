// SPDX-License-Identifier: Apache-2.0
#include "server/durability/checkpoint_codec.h"

#include <map>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/status_annotate.h"
#include "base/status_macros.h"
#include "server/variables/names.h"

namespace varkeep {
namespace {

using storage::Attribute;
using storage::CheckpointContents;
using storage::CheckpointEntry;
using storage::CheckpointReader;

constexpr char kRequestsPath[] = "requests";
constexpr char kInitialValues[] = "initial_values/";
// Groups that a name makes at most; storage has a limit for them.
constexpr size_t kMaxGroups = 128;

// Names hold no '%', so these escapes cannot be mistaken.
std::string EscapeComponent(absl::string_view component) {
  if (component.empty()) return "%";
  if (component == ".") return "%2E";
  if (component == "..") return "%2E%2E";
  return std::string(component);
}

bool IsVariablePath(absl::string_view path) {
  return absl::StartsWith(path, "variables/") ||
         absl::StartsWith(path, "containers/");
}

std::vector<Attribute> EncodeInfo(const VariableInfo& info) {
  const VariableSpec& spec = info.spec;
  return {{"name", spec.name},
          {"container", info.container},
          {"version", info.version},
          {"declared", info.declared},
          {"run", info.run},
          {"trainable", spec.trainable},
          {"collections", spec.collections},
          {"initializer", InitializerToJson(spec.initializer)},
          {"seed", spec.seeds.seed},
          {"seed2", spec.seeds.seed2},
          {"regularizer", spec.regularizer},
          {"caching_device", spec.caching_device},
          {"constraint", spec.constraint},
          {"creator", spec.creator}};
}

// Takes attributes out of an entry by name and type.
class AttributeReader {
 public:
  explicit AttributeReader(const CheckpointEntry& entry) : entry_(entry) {}

  template <typename T>
  absl::Status Get(absl::string_view name, T* out) const {
    for (const Attribute& attribute : entry_.attributes) {
      if (attribute.name != name) continue;
      const T* value = std::get_if<T>(&attribute.value);
      if (value == nullptr) return Error(name, "has another type");
      *out = *value;
      return absl::OkStatus();
    }
    return Error(name, "is missing");
  }

 private:
  absl::Status Error(absl::string_view name, absl::string_view what) const {
    return absl::DataLossError(absl::StrCat(
        "entry '", entry_.path, "': attribute '", name, "' ", what));
  }

  const CheckpointEntry& entry_;
};

absl::StatusOr<VariableInfo> DecodeInfo(const CheckpointEntry& entry,
                                        TensorRef initial_value) {
  VariableInfo info;
  VariableSpec& spec = info.spec;
  spec.dtype = entry.dtype;
  spec.shape = entry.shape;
  AttributeReader read(entry);
  std::string initializer;
  RETURN_IF_ERROR(read.Get("name", &spec.name));
  RETURN_IF_ERROR(read.Get("container", &info.container));
  RETURN_IF_ERROR(read.Get("version", &info.version));
  RETURN_IF_ERROR(read.Get("declared", &info.declared));
  RETURN_IF_ERROR(read.Get("run", &info.run));
  RETURN_IF_ERROR(read.Get("trainable", &spec.trainable));
  RETURN_IF_ERROR(read.Get("collections", &spec.collections));
  RETURN_IF_ERROR(read.Get("initializer", &initializer));
  RETURN_IF_ERROR(read.Get("seed", &spec.seeds.seed));
  RETURN_IF_ERROR(read.Get("seed2", &spec.seeds.seed2));
  RETURN_IF_ERROR(read.Get("regularizer", &spec.regularizer));
  RETURN_IF_ERROR(read.Get("caching_device", &spec.caching_device));
  RETURN_IF_ERROR(read.Get("constraint", &spec.constraint));
  RETURN_IF_ERROR(read.Get("creator", &spec.creator));
  absl::StatusOr<InitializerSpec> parsed =
      ParseInitializer(initializer, std::move(initial_value));
  if (!parsed.ok()) {
    return Annotate(parsed.status(), absl::StrCat("entry '", entry.path, "'"));
  }
  spec.initializer = *std::move(parsed);
  // So no variable is there twice, and what is written next has valid paths.
  if (VariablePath(info.container, spec.name) != entry.path) {
    return absl::DataLossError(absl::StrCat(
        "entry '", entry.path, "': variable '", Shorten(spec.name),
        "' of container '", Shorten(info.container), "' has another path"));
  }
  return info;
}

// One row of three numbers for each request: client, sequence, revision. A row
// for client 0 has the revision up to which clients were forgotten.
absl::StatusOr<TensorRef> EncodeRequests(
    const RequestWindow::Contents& requests) {
  std::vector<uint64_t> rows;
  if (requests.forgotten != 0) rows = {0, 0, requests.forgotten};
  for (const RequestWindow::Entry& entry : requests.entries) {
    rows.insert(rows.end(),
                {entry.id.client, entry.id.sequence, entry.revision});
  }
  return MakeTensor<uint64_t>({static_cast<int64_t>(rows.size() / 3), 3}, rows);
}

absl::StatusOr<RequestWindow::Contents> DecodeRequests(CheckpointReader* reader,
                                                       size_t index) {
  ASSIGN_OR_RETURN(TensorRef tensor, reader->Read(index));
  if (tensor->dtype() != DType::kUint64 || tensor->shape().rank() != 2 ||
      tensor->shape().dim(1) != 3) {
    return absl::DataLossError("entry 'requests' is not a table of requests");
  }
  RequestWindow::Contents requests;
  std::span<const uint64_t> rows = tensor->values<uint64_t>();
  for (size_t i = 0; i + 2 < rows.size(); i += 3) {
    if (rows[i] == 0) {
      requests.forgotten = rows[i + 2];
    } else {
      requests.entries.push_back({{rows[i], rows[i + 1]}, rows[i + 2]});
    }
  }
  return requests;
}

}  // namespace

std::string VariablePath(absl::string_view container, absl::string_view name) {
  std::string path = "variables/";
  if (!container.empty()) {
    path = absl::StrCat(
        "containers/",
        EscapeComponent(absl::StrReplaceAll(container, {{"/", "%2F"}})),
        "/variables/");
  }
  const std::string dataset = absl::StrCat(name, ":0");
  absl::string_view rest = dataset;
  for (size_t groups = 0; groups < kMaxGroups; ++groups) {
    const size_t slash = rest.find('/');
    if (slash == absl::string_view::npos) break;
    absl::StrAppend(&path, EscapeComponent(rest.substr(0, slash)), "/");
    rest.remove_prefix(slash + 1);
  }
  return path + absl::StrReplaceAll(rest, {{"/", "%2F"}});
}

absl::StatusOr<CheckpointContents> EncodeSnapshot(StoreSnapshot snapshot) {
  CheckpointContents contents;
  contents.revision = snapshot.revision;
  for (StoreSnapshot::Variable& variable : snapshot.variables) {
    const VariableSpec& spec = variable.info.spec;
    CheckpointEntry entry;
    entry.path = VariablePath(variable.info.container, spec.name);
    entry.dtype = spec.dtype;
    entry.shape = spec.shape;
    entry.value = std::move(variable.value);
    if (variable.overlay != nullptr) {
      const TensorView view(*entry.value, variable.overlay.get());
      ASSIGN_OR_RETURN(entry.value, view.Copy());
    }
    entry.attributes = EncodeInfo(variable.info);
    entry.value_version = variable.info.version;
    if (TensorRef initial = InitializerValue(spec.initializer)) {
      contents.entries.push_back({absl::StrCat(kInitialValues, entry.path),
                                  initial->dtype(),
                                  initial->shape(),
                                  initial,
                                  {},
                                  variable.info.declared});
    }
    contents.entries.push_back(std::move(entry));
  }
  if (!snapshot.requests.entries.empty()) {
    ASSIGN_OR_RETURN(TensorRef requests, EncodeRequests(snapshot.requests));
    contents.entries.push_back(
        {kRequestsPath, DType::kUint64, requests->shape(), requests, {}, 0});
  }
  return contents;
}

absl::StatusOr<std::vector<StoredVariable>> DecodeVariables(
    CheckpointReader* reader) {
  const std::vector<CheckpointEntry>& entries = reader->contents().entries;
  std::map<std::string, size_t> initial_values;
  for (size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].path.starts_with(kInitialValues)) {
      initial_values[entries[i].path.substr(sizeof(kInitialValues) - 1)] = i;
    }
  }
  std::vector<StoredVariable> variables;
  for (size_t i = 0; i < entries.size(); ++i) {
    if (!IsVariablePath(entries[i].path)) continue;
    TensorRef initial_value;
    if (auto found = initial_values.find(entries[i].path);
        found != initial_values.end()) {
      ASSIGN_OR_RETURN(initial_value, reader->Read(found->second));
    }
    StoredVariable variable;
    ASSIGN_OR_RETURN(variable.info, DecodeInfo(entries[i], initial_value));
    variable.entry = i;
    variable.has_value = reader->HasValue(i);
    variable.info.initialized = variable.has_value;
    variables.push_back(std::move(variable));
  }
  return variables;
}

absl::StatusOr<StoreSnapshot> DecodeSnapshot(
    CheckpointReader* reader, const storage::CheckpointProgress& progress) {
  StoreSnapshot snapshot;
  snapshot.revision = reader->contents().revision;
  ASSIGN_OR_RETURN(std::vector<StoredVariable> variables,
                   DecodeVariables(reader));
  int64_t total = 0;
  for (const StoredVariable& stored : variables) {
    const VariableSpec& spec = stored.info.spec;
    if (stored.has_value) {
      total += spec.shape.num_elements() * ItemSize(spec.dtype);
    }
  }
  int64_t done = 0;
  for (StoredVariable& stored : variables) {
    TensorRef value;
    if (stored.has_value) {
      if (progress) progress(done, total);
      ASSIGN_OR_RETURN(value, reader->Read(stored.entry));
      done += value->size_bytes();
    }
    snapshot.variables.push_back({std::move(stored.info), std::move(value)});
  }
  const std::vector<CheckpointEntry>& entries = reader->contents().entries;
  for (size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].path != kRequestsPath) continue;
    ASSIGN_OR_RETURN(snapshot.requests, DecodeRequests(reader, i));
  }
  return snapshot;
}

}  // namespace varkeep
