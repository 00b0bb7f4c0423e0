// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_CLIENT_INTERNAL_GRPC_CALL_STREAM_H_
#define VARKEEP_CLIENT_INTERNAL_GRPC_CALL_STREAM_H_

#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/internal/grpc_queue.h"
#include "client/internal/tensor_receiver.h"
#include "client/internal/transport.h"

namespace varkeep::client {

// A stream of CallService, which makes calls of VariableService one after the
// other, each for half of what a call of its own costs. One thread at a time.
class CallStream {
 public:
  // The field of CallRequest for a method of VariableService; 0: there is none,
  // or a method of this class.
  static int FieldOf(const std::string& method);
  // What comes before a request of so many bytes in a CallRequest.
  static std::string Head(int field, size_t bytes);

  // Both must live longer.
  CallStream(grpc::GenericStub* stub, Idle<Queue>* idle_queues);
  ~CallStream();
  CallStream(const CallStream&) = delete;
  CallStream& operator=(const CallStream&) = delete;

  // False once the stream has ended: the server, or the connection, went.
  bool open() const { return open_; }
  // The same, asking gRPC whether it did since the last call.
  bool IsStillOpen();

  // Sends a CallRequest, and gives what is in the answer to `accept`, whose
  // error is returned. Errors of the call are returned as they are.
  // DEADLINE_EXCEEDED, and the stream has ended, when there is no answer for
  // `timeout`. `quick`: both are so small that the thread had better stay
  // awake. REQUIRES: open().
  absl::Status Call(const grpc::ByteBuffer& request, Transport::Accept accept,
                    absl::Duration timeout, bool quick);

  // The call ReadValues of an encoded ReadValuesRequest; the same that was the
  // last is not sent once more. As Call.
  absl::Status ReadValues(const std::string& request, TensorReceiver* receiver,
                          absl::Duration timeout, bool quick);

 private:
  // Gives what is in the answer to `accept`, with its field of CallResponse,
  // and says whether it is `prepared`.
  using AcceptField = absl::FunctionRef<absl::Status(
      int field, google::protobuf::io::ZeroCopyInputStream*)>;
  absl::Status CallWith(const grpc::ByteBuffer& request, AcceptField accept,
                        absl::Duration timeout, bool quick, bool* prepared);
  absl::Status Accept(AcceptField accept, bool* prepared);
  // The status of the stream, which has ended or was cancelled.
  absl::Status Finish();

  CallQueue queue_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream_;
  grpc::ByteBuffer answer_;
  Operation read_;  // always under way: it sees the stream end
  bool open_ = true;
  // The ReadValuesRequest that the server keeps, and of what its values are.
  std::optional<std::string> prepared_;
  std::vector<TensorReceiver::Type> types_;
};

}  // namespace varkeep::client

#endif  // VARKEEP_CLIENT_INTERNAL_GRPC_CALL_STREAM_H_
