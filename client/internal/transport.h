// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_CLIENT_INTERNAL_TRANSPORT_H_
#define VARKEEP_CLIENT_INTERNAL_TRANSPORT_H_

#include <google/protobuf/io/zero_copy_stream.h>
#include <google/protobuf/message_lite.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/internal/tensor_receiver.h"

namespace varkeep::client {

// One message of an upload: `head` followed by `body`, neither copied.
struct UploadPart {
  std::string head;
  std::span<const std::byte> body;
  bool last = false;
};

// Sends a call once and waits for its end: the client's only way to the
// network. Methods are full names, "/varkeep.v1.VariableService/Assign".
// Thread-safe.
class Transport {
 public:
  virtual ~Transport() = default;

  virtual absl::Status Unary(const std::string& method,
                             const google::protobuf::MessageLite& request,
                             google::protobuf::MessageLite* response,
                             absl::Duration timeout) = 0;

  // Gives each message of the answer to `accept`; an error of `accept` ends the
  // call and is returned. DEADLINE_EXCEEDED when none came for `idle_timeout`.
  // `bytes`: what the answer is thought to have.
  using Accept = absl::FunctionRef<absl::Status(
      google::protobuf::io::ZeroCopyInputStream*)>;
  virtual absl::Status Download(const std::string& method,
                                const google::protobuf::MessageLite& request,
                                absl::Duration idle_timeout, Accept accept,
                                int64_t bytes) = 0;

  // Download of ReadValues, with an encoded ReadValuesRequest: one that was the
  // same before costs less.
  virtual absl::Status ReadValues(const std::string& request,
                                  absl::Duration idle_timeout,
                                  TensorReceiver* receiver, int64_t bytes) = 0;

  // Sends what `next` gives until a part is the last. `owner` keeps the bodies
  // alive, perhaps for longer than the call. DEADLINE_EXCEEDED when none could
  // be sent for `idle_timeout`.
  using NextPart = absl::FunctionRef<UploadPart()>;
  virtual absl::Status Upload(const std::string& method,
                              std::shared_ptr<const void> owner, NextPart next,
                              google::protobuf::MessageLite* response,
                              absl::Duration idle_timeout) = 0;

  // Sleeps after a call that failed with UNAVAILABLE; less long when there is
  // no connection and one is made meanwhile.
  virtual void Pause(absl::Duration duration) = 0;
};

// To a server at "host:port" or "unix:path". INVALID_ARGUMENT for another form.
// Nothing is sent before the first call.
absl::StatusOr<std::unique_ptr<Transport>> NewGrpcTransport(
    const std::string& address);

}  // namespace varkeep::client

#endif  // VARKEEP_CLIENT_INTERNAL_TRANSPORT_H_
