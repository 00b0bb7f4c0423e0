// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_SERVICE_TRANSACTION_UPLOAD_H_
#define VARKEEP_SERVER_SERVICE_TRANSACTION_UPLOAD_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/variables/call_memory.h"
#include "server/variables/variable_store.h"
#include "varkeep/v1/variable_service.pb.h"

namespace varkeep {

// Puts the messages of one Transaction call together into a mutation. One
// thread at a time.
class TransactionUpload {
 public:
  static constexpr size_t kMaxOperations = 10'000;

  // `memory`, which the tensors count in, must live longer.
  TransactionUpload(const StoreLimits& limits, CallMemory* memory)
      : limits_(limits), held_(memory) {}

  // INVALID_ARGUMENT for operations after data, for an unknown kind, dtype or
  // shape, and for more bytes than were announced; RESOURCE_EXHAUSTED when the
  // tensors have more bytes together than the largest variable, or than the
  // memory of calls has room for.
  absl::Status Add(const v1::TransactionRequest& message);

  // After the last message. INVALID_ARGUMENT when bytes are missing. A single
  // operation is given as what it is alone.
  absl::StatusOr<Mutation> Finish();
  // After the mutation was applied and let go: it is no memory of a call any
  // more.
  void Release() { held_.Release(); }
  const Request& request() const { return request_; }
  int64_t bytes() const { return bytes_; }

 private:
  absl::Status AddOperation(const v1::Operation& operation);
  absl::StatusOr<std::shared_ptr<Tensor>> Expect(const v1::TensorSpec& spec);
  absl::Status AddData(absl::string_view data);

  const StoreLimits limits_;
  CallMemory::Hold held_;
  TransactionMutation mutation_;
  Request request_;
  bool first_ = true;
  // What data goes into, in order, and how far it has come.
  std::vector<std::shared_ptr<Tensor>> tensors_;
  size_t current_ = 0;
  size_t offset_ = 0;
  int64_t bytes_ = 0;  // of all tensors
};

}  // namespace varkeep

#endif  // VARKEEP_SERVER_SERVICE_TRANSACTION_UPLOAD_H_
