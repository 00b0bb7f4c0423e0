// SPDX-License-Identifier: Apache-2.0
//
// varkeep-import-helper: reads one foreign HDF5 file for the program that
// started it (storage/import/hdf5_import.h) and has no other use. The file is
// descriptor 3, what is in it goes to descriptor 4 as frames. Nothing of the
// file is looked at before the sandbox is closed.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "base/status_macros.h"
#include "storage/hdf5/error.h"
#include "storage/import/frame.h"
#include "storage/import/helper/dataset_finder.h"
#include "storage/import/helper/read_driver.h"
#include "storage/import/helper/read_only_file.h"
#include "storage/import/helper/sandbox.h"
#include "storage/import/helper_process.h"
#include "storage/import/import_stream.h"

namespace varkeep::storage {
namespace {

constexpr int kExitUsage = 2;
constexpr int kExitNoReader = 4;
// For programs, libraries and HDF5's own structures.
constexpr int64_t kMemoryBytes = int64_t{1} << 30;

// What is written is gone for good when this process ends.
void Send(absl::string_view frame) {
  while (!frame.empty()) {
    const ssize_t count = write(kHelperResultFd, frame.data(), frame.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) _exit(kExitNoReader);
    frame.remove_prefix(static_cast<size_t>(count));
  }
}

struct Arguments {
  DatasetSearch search;
  int64_t cpu_seconds = 0;
};

absl::StatusOr<Arguments> Parse(const std::vector<std::string>& words) {
  Arguments arguments;
  ImportLimits& limits = arguments.search.limits;
  int64_t* const kNumbers[] = {&limits.max_objects, &limits.max_depth,
                               &limits.max_tensor_bytes,
                               &limits.max_total_bytes, &arguments.cpu_seconds};
  if (words.size() < std::size(kNumbers)) {
    return absl::InvalidArgumentError("arguments are missing");
  }
  for (size_t i = 0; i < std::size(kNumbers); ++i) {
    if (!absl::SimpleAtoi(words[i], kNumbers[i])) {
      return absl::InvalidArgumentError("an argument is no number");
    }
  }
  arguments.search.only.assign(words.begin() + std::size(kNumbers),
                               words.end());
  struct stat info;
  if (fstat(kHelperFileFd, &info) != 0) {
    return absl::InvalidArgumentError("there is no file");
  }
  arguments.search.file_bytes = info.st_size;
  return arguments;
}

// A value, one chunk of it, and what conversion may need.
int64_t MemoryFor(const DatasetSearch& search) {
  const int64_t most = std::min(search.limits.max_tensor_bytes,
                                ExpansionLimit(search.file_bytes));
  return kMemoryBytes + 2 * std::min(most, INT64_MAX / 4);
}

absl::Status SendAll(const DatasetSearch& search) {
  ReadOnlyFile file(kHelperFileFd, search.file_bytes);
  absl::StatusOr<hdf5::FileHandle> opened = OpenHdf5(&file);
  if (!opened.ok()) return absl::DataLossError(opened.status().message());
  ASSIGN_OR_RETURN(std::vector<FoundDataset> datasets,
                   FindDatasets(opened->id(), search));
  int64_t bytes = 0;
  for (const FoundDataset& dataset : datasets) bytes += dataset.size_bytes;
  Send(EncodeBegin(static_cast<int64_t>(datasets.size()), bytes));
  for (const FoundDataset& dataset : datasets) {
    if (!dataset.has_value) {
      Send(EncodeNoValue(dataset.path));
      continue;
    }
    ASSIGN_OR_RETURN(std::vector<std::byte> value,
                     ReadValue(opened->id(), dataset));
    Send(EncodeTensor(dataset.path, dataset.dtype, dataset.shape));
    for (std::span<const std::byte> rest = value; !rest.empty();) {
      const auto part = rest.first(std::min(rest.size(), kMaxFrameValueBytes));
      Send(EncodeBytes(part));
      rest = rest.subspan(part.size());
    }
  }
  Send(EncodeEnd());
  return absl::OkStatus();
}

absl::Status Run(const std::vector<std::string>& words) {
  ASSIGN_OR_RETURN(Arguments arguments, Parse(words));
  // HDF5 starts, with all it wants from the system, before the door closes.
  hdf5::PrepareThread();
  RETURN_IF_ERROR(
      LimitResources(MemoryFor(arguments.search), arguments.cpu_seconds));
  RETURN_IF_ERROR(EnterSandbox(kHelperFileFd, kHelperResultFd));
  return SendAll(arguments.search);
}

}  // namespace
}  // namespace varkeep::storage

int main(int argc, char** argv) {
  using namespace varkeep::storage;  // NOLINT(google-build-using-namespace)
  std::set_new_handler([] { _exit(kHelperOutOfMemory); });
  const absl::Status status = Run({argv + 1, argv + argc});
  if (!status.ok()) Send(EncodeError(status));
  // What HDF5 and the libraries would do at the end needs more than is allowed.
  _exit(status.ok() ? 0 : kExitUsage);
}
