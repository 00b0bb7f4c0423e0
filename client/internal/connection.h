// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_CLIENT_INTERNAL_CONNECTION_H_
#define VARKEEP_CLIENT_INTERNAL_CONNECTION_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/durability.h"
#include "client/internal/shared_changes.h"
#include "client/internal/shared_reads.h"
#include "client/internal/tensor_receiver.h"
#include "client/internal/transport.h"
#include "client/retry_policy.h"
#include "tensor/tensor.h"
#include "varkeep/v1/variable_service.pb.h"

namespace varkeep::client {

// One server: sends calls and repeats them as the policy says. Thread-safe.
class Connection {
 public:
  Connection(std::unique_ptr<Transport> transport, const RetryPolicy& policy);

  const RetryPolicy& policy() const { return policy_; }

  // Short names of methods are those of VariableService; others are full.
  // Sends the call once.
  absl::Status CallOnce(const std::string& method,
                        const google::protobuf::MessageLite& request,
                        google::protobuf::MessageLite* response,
                        absl::Duration timeout);
  // Repeats it. REQUIRES: sending it twice does what sending it once does. A
  // request that can have an id gets one. An attempt may take `longest`, or
  // what is left of the policy's time-out when that is unset.
  template <typename Request>
  absl::Status Call(const std::string& method, Request request,
                    google::protobuf::MessageLite* response,
                    std::optional<absl::Duration> longest = std::nullopt) {
    return CallWith(method, request, IdOf(&request), response, longest);
  }

  struct Values {
    uint64_t revision = 0;
    std::vector<TensorReceiver::Value> values;
  };
  // `bytes`: what the values are expected to have; small ones travel faster.
  // `into`: memory for the one value. `progress` may be null.
  absl::StatusOr<Values> Read(
      const v1::ReadValueRequest& request, int64_t bytes,
      std::optional<std::span<std::byte>> into = std::nullopt,
      const TensorReceiver::Progress& progress = nullptr);
  absl::StatusOr<Values> Read(absl::string_view container,
                              std::vector<absl::string_view> names,
                              int64_t bytes);
  absl::StatusOr<Values> Read(const v1::GatherRequest& request, int64_t bytes);

  // The whole value of a small variable, together with what other threads want
  // at this time.
  absl::StatusOr<SharedReads::Value> ReadSmall(const std::string& container,
                                               const std::string& name) {
    return shared_reads_.Read({container, name});
  }

  // What changes ask for that ask for nothing themselves; unset: as the server
  // is set. Before the first call.
  void SetDurability(std::optional<Durability> durability) {
    durability_ = durability;
  }
  v1::Durability Wanted(std::optional<Durability> durability) const;

  // Streams the operations of a transaction and their tensors, in order; the
  // request's id is filled in. Returns its revision.
  absl::StatusOr<uint64_t> Commit(v1::TransactionRequest request,
                                  const std::vector<TensorRef>& tensors);

  // Streams the tensor to Assign, AssignAdd or AssignSub. Returns the
  // variable's new version.
  absl::StatusOr<uint64_t> Upload(
      const SharedChanges::Change& change,
      const TensorReceiver::Progress& progress = nullptr);
  // The same for a small tensor and without conditions, together with what
  // other threads change at this time.
  absl::StatusOr<uint64_t> ChangeSmall(const SharedChanges::Change& change) {
    return shared_changes_.Make(change);
  }

  // Where a mutation has its id; null for other requests.
  template <typename Request>
  static v1::RequestId* IdOf(Request* request) {
    if constexpr (requires { request->mutable_request_id(); }) {
      return request->mutable_request_id();
    } else {
      return nullptr;
    }
  }
  // To be called before each attempt of a mutation: gives it an id the first
  // time, so that it is applied once however often it is sent. Null is ignored.
  absl::Status Identify(v1::RequestId* id, absl::Duration timeout);

  // After an attempt that failed: true when it may be repeated and there is
  // time for that, after a pause. `session_lost`: that is a reason too.
  bool Repeat(const absl::Status& status, Backoff* backoff,
              bool session_lost = false);

  static constexpr int64_t kManyBytes = std::numeric_limits<int64_t>::max();
  // For a call that is sent once: messages go to `accept`. `bytes`: what they
  // are expected to have.
  absl::Status DownloadOnce(const std::string& method,
                            const google::protobuf::MessageLite& request,
                            absl::Duration timeout, Transport::Accept accept,
                            int64_t bytes = kManyBytes);

 private:
  absl::Status CallWith(const std::string& method,
                        const google::protobuf::MessageLite& request,
                        v1::RequestId* id,
                        google::protobuf::MessageLite* response,
                        std::optional<absl::Duration> longest);
  // The server was at this revision, or above.
  void Saw(uint64_t revision);
  absl::Status LearnRevision(absl::Duration timeout);

  // What `attempt` gives the receiver of these values.
  absl::StatusOr<Values> Receive(
      const std::vector<absl::string_view>& names,
      std::optional<std::span<std::byte>> into,
      const TensorReceiver::Progress& progress,
      absl::FunctionRef<absl::Status(TensorReceiver*)> attempt);
  absl::StatusOr<Values> Download(const std::string& method,
                                  const google::protobuf::MessageLite& request,
                                  absl::string_view name, int64_t bytes,
                                  std::optional<std::span<std::byte>> into,
                                  const TensorReceiver::Progress& progress);

  absl::StatusOr<std::vector<SharedReads::Value>> ReadAll(
      const std::string& container, const std::vector<std::string>& names);
  absl::StatusOr<uint64_t> ChangeAll(
      const std::vector<const SharedChanges::Change*>& changes);

  const std::unique_ptr<Transport> transport_;
  const RetryPolicy policy_;
  const uint64_t client_id_;
  std::optional<Durability> durability_;
  std::atomic<uint64_t> sequence_ = 0;
  std::atomic<uint64_t> seen_ = 0;  // the highest revision; 0: none yet
  SharedReads shared_reads_;
  SharedChanges shared_changes_;
};

// "foo/v" of "foo/v:0": names travel without the output number.
std::string OpName(const std::string& name);

}  // namespace varkeep::client

#endif  // VARKEEP_CLIENT_INTERNAL_CONNECTION_H_
