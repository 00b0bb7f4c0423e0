// SPDX-License-Identifier: Apache-2.0
#include "storage/import/import_stream.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_annotate.h"
#include "base/status_macros.h"
#include "storage/import/dataset_path.h"

namespace varkeep::storage {
namespace {

using Kind = ImportFrame::Kind;

absl::Status Bad(absl::string_view what) {
  return absl::DataLossError(
      absl::StrCat("the program that reads the file ", what));
}

// Any other byte in a C++ bool is undefined behaviour.
absl::Status CheckBools(std::span<const std::byte> bytes) {
  for (std::byte value : bytes) {
    if (value > std::byte{1}) {
      return absl::DataLossError(
          absl::StrCat("it holds ", std::to_integer<int>(value),
                       " where 0 (false) or 1 (true) must be"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

int64_t ExpansionLimit(int64_t stored) {
  constexpr int64_t kMost = INT64_MAX - kExpansionSlack;
  if (stored > kMost / kMaxExpansion) return kMost;
  return stored * kMaxExpansion + kExpansionSlack;
}

ImportStream::ImportStream(
    const ImportOptions& options, int64_t file_bytes,
    const std::function<absl::Status(const ImportedDataset&)>& visit)
    : options_(options), file_bytes_(file_bytes), visit_(visit) {}

absl::Status ImportStream::Handle(const ImportFrame& frame) {
  if (frame.kind == Kind::kError) {
    return absl::Status(frame.error.code(), Printable(frame.error.message()));
  }
  if (frame.kind == Kind::kBegin) return Begin(frame);
  if (frame.kind == Kind::kBytes) return AddBytes(frame.bytes);
  if (state_ != State::kBetween) return Bad("sent what was not expected");
  switch (frame.kind) {
    case Kind::kTensor:
      return BeginTensor(frame);
    case Kind::kNoValue:
      RETURN_IF_ERROR(CheckPath(frame.path));
      return Visit({frame.path, nullptr});
    default:
      return End();
  }
}

absl::Status ImportStream::Begin(const ImportFrame& frame) {
  if (state_ != State::kNew) return Bad("began twice");
  if (frame.datasets < 0 || frame.datasets > options_.limits.max_objects ||
      frame.value_bytes < 0 ||
      frame.value_bytes > options_.limits.max_total_bytes) {
    return Bad("announced more than the limits");
  }
  announced_datasets_ = frame.datasets;
  total_bytes_ = frame.value_bytes;
  state_ = State::kBetween;
  return absl::OkStatus();
}

absl::Status ImportStream::BeginTensor(const ImportFrame& frame) {
  RETURN_IF_ERROR(CheckPath(frame.path));
  auto bytes = SizeBytes(frame.dtype, frame.shape);
  if (!bytes.ok() || *bytes > total_bytes_ - received_bytes_ ||
      *bytes > options_.limits.max_tensor_bytes ||
      *bytes > ExpansionLimit(file_bytes_)) {
    return Bad("sent a larger value than it announced");
  }
  ASSIGN_OR_RETURN(tensor_, Tensor::Create(frame.dtype, frame.shape));
  filled_ = 0;
  state_ = State::kInTensor;
  return *bytes == 0 ? FinishTensor() : absl::OkStatus();
}

absl::Status ImportStream::AddBytes(std::span<const std::byte> bytes) {
  if (state_ != State::kInTensor || bytes.empty()) {
    return Bad("sent bytes of no value");
  }
  const auto count = static_cast<int64_t>(bytes.size());
  if (count > tensor_->size_bytes() - filled_) {
    return Bad("sent more bytes than the value has");
  }
  std::memcpy(tensor_->mutable_bytes().data() + filled_, bytes.data(),
              bytes.size());
  filled_ += count;
  received_bytes_ += count;
  if (options_.progress) options_.progress(received_bytes_, total_bytes_);
  return filled_ == tensor_->size_bytes() ? FinishTensor() : absl::OkStatus();
}

// The order of the paths is also what tells that none comes twice.
absl::Status ImportStream::CheckPath(const std::string& path) {
  RETURN_IF_ERROR(CheckDatasetPath(path));
  if (++datasets_ > announced_datasets_ || path <= path_) {
    return Bad("sent a dataset that it did not announce");
  }
  path_ = path;
  return absl::OkStatus();
}

absl::Status ImportStream::FinishTensor() {
  state_ = State::kBetween;
  if (tensor_->dtype() == DType::kBool) {
    RETURN_IF_ERROR(
        Annotate(CheckBools(tensor_->bytes()), absl::StrCat("'", path_, "'")));
  }
  return Visit({path_, std::exchange(tensor_, nullptr)});
}

absl::Status ImportStream::End() {
  if (datasets_ != announced_datasets_ || received_bytes_ != total_bytes_) {
    return Bad("ended before it had sent everything");
  }
  state_ = State::kEnded;
  return absl::OkStatus();
}

absl::Status ImportStream::Visit(const ImportedDataset& dataset) {
  visit_error_ = visit_(dataset);
  return visit_error_;
}

}  // namespace varkeep::storage
