// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TESTS_CRASH_RAW_CLIENT_H_
#define VARKEEP_TESTS_CRASH_RAW_CLIENT_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "varkeep/v1/admin_service.pb.h"
#include "varkeep/v1/variable_service.pb.h"

namespace varkeep {

// A value as raw bytes and the revision that made it.
struct RawValue {
  std::string bytes;
  uint64_t version = 0;
};

// A vector of bytes, or of int64, as a message speaks of it.
v1::Shape VectorShape(int64_t elements);
v1::AssignHeader ByteHeader(const std::string& name, int64_t bytes);
v1::AssignHeader Int64Header(const std::string& name, int64_t elements);
std::string Int64Bytes(const std::vector<int64_t>& elements);
std::vector<int64_t> Int64Elements(const std::string& bytes);

// One worker that sees every answer of the server as it is: nothing is sent
// again unless it says so, and then with the same request id. One thread at a
// time.
class RawClient {
 public:
  // `id` names it to the server; unique among those of the same data. Every
  // call ends after `timeout`.
  RawClient(const std::string& address, uint64_t id,
            absl::Duration timeout = absl::InfiniteDuration());
  ~RawClient();

  // True for an error that does not tell whether the change happened.
  static bool IsUnanswered(const absl::Status& status);
  // Sends what `call` sends, until it is answered or `give_up` says so. Waits
  // for the server between attempts. `attempts`, unless null, counts them.
  absl::Status UntilAnswered(const std::function<absl::Status()>& call,
                             const std::function<bool()>& give_up,
                             int* attempts = nullptr);
  // Returns when the server can be reached, or after a while.
  void WaitForServer();

  v1::RequestId NextRequestId();

  absl::Status GetVariable(const v1::GetVariableRequest& request);
  absl::Status Initialize(const v1::InitializeRequest& request);
  absl::Status Delete(const v1::DeleteVariableRequest& request);
  // Each gives the new version.
  absl::StatusOr<uint64_t> Assign(const v1::AssignHeader& header,
                                  const std::string& bytes);
  absl::StatusOr<uint64_t> AssignAdd(const v1::AssignHeader& header,
                                     const std::string& bytes);
  absl::StatusOr<uint64_t> Transaction(v1::TransactionRequest request,
                                       const std::string& bytes);
  absl::StatusOr<RawValue> Read(const std::string& name);
  // All at one revision, in the order of the names.
  absl::StatusOr<std::vector<RawValue>> ReadCut(
      const std::vector<std::string>& names);
  // `progress`, which may be empty, is told which part is written, up to 1. It
  // may end the server.
  absl::Status Save(const std::function<void(double)>& progress = nullptr);

 private:
  struct Stubs;

  const uint64_t id_;
  const absl::Duration timeout_;
  uint64_t sequence_ = 0;
  const std::unique_ptr<Stubs> stubs_;
};

}  // namespace varkeep

#endif  // VARKEEP_TESTS_CRASH_RAW_CLIENT_H_
