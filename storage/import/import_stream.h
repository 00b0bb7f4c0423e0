// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_IMPORT_IMPORT_STREAM_H_
#define VARKEEP_STORAGE_IMPORT_IMPORT_STREAM_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "storage/import/frame.h"
#include "storage/import/hdf5_import.h"

namespace varkeep::storage {

// How many times more bytes than its file has a dataset may have.
inline constexpr int64_t kMaxExpansion = 1000;
// What is never too much.
inline constexpr int64_t kExpansionSlack = 64 << 10;

// The most bytes that datasets stored in `stored` bytes may have.
int64_t ExpansionLimit(int64_t stored);

// Makes datasets of the frames of a process that may have been taken over by
// the file it reads: trusts none of them.
class ImportStream {
 public:
  // `options` and `visit` are borrowed.
  ImportStream(
      const ImportOptions& options, int64_t file_bytes,
      const std::function<absl::Status(const ImportedDataset&)>& visit);

  // An error ends the stream. What `visit` returned is in visit_error() too.
  absl::Status Handle(const ImportFrame& frame);

  bool complete() const { return state_ == State::kEnded; }
  const absl::Status& visit_error() const { return visit_error_; }
  int64_t received_bytes() const { return received_bytes_; }
  ImportSummary summary() const { return {announced_datasets_, total_bytes_}; }

 private:
  enum class State { kNew, kBetween, kInTensor, kEnded };

  absl::Status Begin(const ImportFrame& frame);
  absl::Status BeginTensor(const ImportFrame& frame);
  absl::Status AddBytes(std::span<const std::byte> bytes);
  absl::Status End();
  absl::Status CheckPath(const std::string& path);
  absl::Status FinishTensor();
  absl::Status Visit(const ImportedDataset& dataset);

  const ImportOptions& options_;
  const int64_t file_bytes_;
  const std::function<absl::Status(const ImportedDataset&)>& visit_;
  absl::Status visit_error_;

  State state_ = State::kNew;
  int64_t announced_datasets_ = 0;
  int64_t total_bytes_ = 0;
  int64_t datasets_ = 0;
  int64_t received_bytes_ = 0;
  std::string path_;  // of the last dataset
  std::shared_ptr<Tensor> tensor_;
  int64_t filled_ = 0;
};

}  // namespace varkeep::storage

#endif  // VARKEEP_STORAGE_IMPORT_IMPORT_STREAM_H_
