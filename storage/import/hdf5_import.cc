// SPDX-License-Identifier: Apache-2.0
#include "storage/import/hdf5_import.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/status_annotate.h"
#include "base/status_macros.h"
#include "storage/import/dataset_path.h"
#include "storage/import/frame.h"
#include "storage/import/helper_process.h"
#include "storage/import/import_stream.h"
#include "storage/import/preflight.h"
#include "storage/import/unique_fd.h"

namespace varkeep::storage {
namespace {

constexpr int64_t kBytesPerSecond = int64_t{16} << 20;

absl::Status SystemError(absl::string_view doing, int error) {
  absl::StatusCode code = absl::StatusCode::kInternal;
  if (error == ENOENT || error == ENOTDIR) code = absl::StatusCode::kNotFound;
  if (error == EACCES) code = absl::StatusCode::kPermissionDenied;
  return absl::Status(
      code, absl::StrCat(doing, ": ", std::generic_category().message(error)));
}

struct OpenedFile {
  UniqueFd fd;
  int64_t bytes = 0;
};

// Does not wait for the other end when it is a pipe.
absl::StatusOr<OpenedFile> Open(const std::string& path,
                                const ImportLimits& limits) {
  OpenedFile file;
  file.fd = UniqueFd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.fd.get() < 0) return SystemError("cannot open it", errno);
  struct stat info;
  if (fstat(file.fd.get(), &info) != 0) {
    return SystemError("cannot look at it", errno);
  }
  if (!S_ISREG(info.st_mode)) {
    return absl::InvalidArgumentError("it is not a regular file");
  }
  file.bytes = info.st_size;
  if (file.bytes > limits.max_file_bytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "it has ", file.bytes, " bytes, the limit is ", limits.max_file_bytes));
  }
  return file;
}

absl::Status Preflight(const OpenedFile& file) {
  std::array<std::byte, kPreflightBytes> head;
  size_t there = 0;
  while (there < head.size()) {
    const ssize_t count = pread(file.fd.get(), head.data() + there,
                                head.size() - there, static_cast<off_t>(there));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError("cannot read it", errno);
    if (count == 0) break;
    there += static_cast<size_t>(count);
  }
  return CheckHdf5Header(std::span(head).first(there), file.bytes);
}

absl::Duration TimeFor(const ImportLimits& limits, int64_t bytes) {
  return limits.timeout + absl::Seconds(bytes / kBytesPerSecond);
}

std::vector<std::string> Arguments(const ImportOptions& options,
                                   int64_t file_bytes) {
  const ImportLimits& limits = options.limits;
  const int64_t most =
      std::min(limits.max_total_bytes, ExpansionLimit(file_bytes));
  // The backstop: how long it may take is what Receive() watches.
  const int64_t cpu_seconds =
      2 + absl::ToInt64Seconds(TimeFor(limits, file_bytes) +
                               absl::Seconds(most / kBytesPerSecond));
  std::vector<std::string> arguments = {
      absl::StrCat(limits.max_objects), absl::StrCat(limits.max_depth),
      absl::StrCat(limits.max_tensor_bytes),
      absl::StrCat(limits.max_total_bytes), absl::StrCat(cpu_seconds)};
  arguments.insert(arguments.end(), options.only.begin(), options.only.end());
  return arguments;
}

// Reads what the helper says until it has said everything. Counts only time in
// which the helper is waited for, not what `visit` takes.
class Receiver {
 public:
  Receiver(HelperProcess* helper, ImportStream* stream,
           const ImportLimits& limits, int64_t file_bytes)
      : helper_(helper),
        stream_(stream),
        limits_(limits),
        file_bytes_(file_bytes) {}

  absl::Status Run() {
    while (!stream_->complete()) {
      absl::StatusOr<std::optional<ImportFrame>> frame = decoder_.Next();
      RETURN_IF_ERROR(frame.status());
      RETURN_IF_ERROR(frame->has_value() ? stream_->Handle(**frame)
                                         : ReadMore());
    }
    return absl::OkStatus();
  }

 private:
  absl::Status ReadMore() {
    RETURN_IF_ERROR(WaitForBytes());
    const std::span<std::byte> room = decoder_.Room();
    const ssize_t count = read(helper_->results(), room.data(), room.size());
    if (count < 0 && errno == EINTR) return absl::OkStatus();
    if (count < 0) return SystemError("cannot read a pipe", errno);
    if (count == 0) return helper_->WhyItEnded();
    decoder_.Received(static_cast<size_t>(count));
    return absl::OkStatus();
  }

  absl::Status WaitForBytes() {
    const absl::Duration allowed =
        TimeFor(limits_, file_bytes_ + stream_->received_bytes());
    for (;;) {
      const absl::Time begin = Clock::Steady()->Now();
      const absl::Duration left = allowed - waited_;
      if (left <= absl::ZeroDuration()) {
        return absl::DeadlineExceededError(absl::StrCat(
            "reading it takes longer than ", absl::FormatDuration(allowed)));
      }
      const int64_t ms =
          std::clamp<int64_t>(absl::ToInt64Milliseconds(left) + 1, 1, 60'000);
      pollfd results{helper_->results(), POLLIN, 0};
      const int ready = poll(&results, 1, static_cast<int>(ms));
      waited_ += Clock::Steady()->Now() - begin;
      if (ready > 0) return absl::OkStatus();
      if (ready < 0 && errno != EINTR) {
        return SystemError("cannot wait for a pipe", errno);
      }
    }
  }

  HelperProcess* const helper_;
  ImportStream* const stream_;
  const ImportLimits& limits_;
  const int64_t file_bytes_;
  FrameDecoder decoder_;
  absl::Duration waited_;
};

absl::Status CheckOnly(const std::vector<std::string>& only) {
  for (const std::string& path : only) RETURN_IF_ERROR(CheckDatasetPath(path));
  return absl::OkStatus();
}

absl::StatusOr<ImportSummary> Import(
    const std::string& path, const ImportOptions& options,
    const std::function<absl::Status(const ImportedDataset&)>& visit,
    absl::Status* visit_error) {
  RETURN_IF_ERROR(CheckOnly(options.only));
  ASSIGN_OR_RETURN(OpenedFile file, Open(path, options.limits));
  RETURN_IF_ERROR(Preflight(file));
  std::string program = options.helper;
  if (program.empty()) {
    ASSIGN_OR_RETURN(program, HelperBesideThisProgram());
  }
  ASSIGN_OR_RETURN(std::unique_ptr<HelperProcess> helper,
                   HelperProcess::Start(program, Arguments(options, file.bytes),
                                        file.fd.get()));
  ImportStream stream(options, file.bytes, visit);
  absl::Status status =
      Receiver(helper.get(), &stream, options.limits, file.bytes).Run();
  *visit_error = stream.visit_error();
  RETURN_IF_ERROR(status);
  return stream.summary();
}

}  // namespace

absl::StatusOr<ImportSummary> ImportHdf5(
    const std::string& path, const ImportOptions& options,
    const std::function<absl::Status(const ImportedDataset&)>& visit) {
  absl::Status visit_error;
  absl::StatusOr<ImportSummary> summary =
      Import(path, options, visit, &visit_error);
  if (!visit_error.ok()) return visit_error;
  if (summary.ok()) return summary;
  return Annotate(summary.status(), absl::StrCat("file '", path, "'"));
}

}  // namespace varkeep::storage
