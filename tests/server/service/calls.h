// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TESTS_SERVER_SERVICE_CALLS_H_
#define VARKEEP_TESTS_SERVER_SERVICE_CALLS_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/grpc_status.h"
#include "proto/tensor_codec.h"
#include "tensor/tensor.h"
#include "tests/testing/in_process_server.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/tensors.h"
#include "varkeep/v1/admin_service.grpc.pb.h"
#include "varkeep/v1/checkpoint_service.grpc.pb.h"
#include "varkeep/v1/variable_service.grpc.pb.h"

namespace varkeep {

// What any gRPC client can do: generated stubs and nothing else.
class Stubs {
 public:
  explicit Stubs(const InProcessServer& server) : Stubs(server.address()) {}
  explicit Stubs(const std::string& address)
      : channel(
            grpc::CreateChannel(address, grpc::InsecureChannelCredentials())),
        variables(v1::VariableService::NewStub(channel)),
        checkpoints(v1::CheckpointService::NewStub(channel)),
        admin(v1::AdminService::NewStub(channel)) {}

  // Calls a unary method: Call(variables.get(), &Stub::GetVariable, request).
  template <typename Stub, typename Request, typename Response>
  static absl::StatusOr<Response> Call(
      Stub* stub,
      grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                   Response*),
      const Request& request) {
    grpc::ClientContext context;
    Response response;
    grpc::Status status = (stub->*method)(&context, request, &response);
    if (!status.ok()) return FromGrpc(status);
    return response;
  }

  // Declares a float32 variable of zeros without a session.
  absl::Status Declare(const std::string& name, const Shape& shape) {
    v1::GetVariableRequest request;
    request.mutable_variable()->set_name(name);
    ShapeToProto(shape, request.mutable_variable()->mutable_shape());
    request.mutable_variable()->mutable_initializer()->mutable_zeros();
    return Call(variables.get(), &v1::VariableService::Stub::GetVariable,
                request)
        .status();
  }

  // Sends `messages` as one Assign call.
  absl::StatusOr<v1::AssignResponse> Assign(
      const std::vector<v1::AssignRequest>& messages) {
    grpc::ClientContext context;
    v1::AssignResponse response;
    auto writer = variables->Assign(&context, &response);
    for (const v1::AssignRequest& message : messages) {
      if (!writer->Write(message)) break;
    }
    writer->WritesDone();
    grpc::Status status = writer->Finish();
    if (!status.ok()) return FromGrpc(status);
    return response;
  }

  // The messages of a ReadValues call.
  absl::StatusOr<std::vector<v1::ReadValuesResponse>> Read(
      const std::vector<std::string>& names) {
    grpc::ClientContext context;
    v1::ReadValuesRequest request;
    for (const std::string& name : names) request.add_names(name);
    auto reader = variables->ReadValues(&context, request);
    std::vector<v1::ReadValuesResponse> messages(1);
    while (reader->Read(&messages.back())) messages.emplace_back();
    messages.pop_back();
    grpc::Status status = reader->Finish();
    if (!status.ok()) return FromGrpc(status);
    return messages;
  }

  // The value of a float32 variable.
  absl::StatusOr<std::vector<float>> ReadFloats(const std::string& name) {
    absl::StatusOr<std::vector<v1::ReadValuesResponse>> messages = Read({name});
    if (!messages.ok()) return messages.status();
    std::string bytes;
    for (const auto& message : *messages) bytes += message.data();
    std::vector<float> values(bytes.size() / sizeof(float));
    std::copy(bytes.begin(), bytes.end(),
              reinterpret_cast<char*>(values.data()));
    return values;
  }

  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<v1::VariableService::Stub> variables;
  std::unique_ptr<v1::CheckpointService::Stub> checkpoints;
  std::unique_ptr<v1::AdminService::Stub> admin;
};

// The one message that assigns `tensor`.
inline v1::AssignRequest AssignMessage(const std::string& name,
                                       const Tensor& tensor) {
  v1::AssignRequest message;
  message.mutable_header()->set_name(name);
  message.mutable_header()->set_dtype(DTypeToProto(tensor.dtype()));
  ShapeToProto(tensor.shape(), message.mutable_header()->mutable_shape());
  message.set_data(tensor.bytes().data(), tensor.bytes().size());
  return message;
}

}  // namespace varkeep

#endif  // VARKEEP_TESTS_SERVER_SERVICE_CALLS_H_
