// SPDX-License-Identifier: Apache-2.0
#include "client/client.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "client/admin_client.h"
#include "client/internal/connection.h"
#include "client/internal/info_codec.h"
#include "client/internal/session_core.h"
#include "proto/tensor_codec.h"

namespace varkeep::client {

Client::Client(std::shared_ptr<Connection> connection)
    : connection_(std::move(connection)) {}

absl::StatusOr<std::shared_ptr<Client>> Client::Connect(
    const std::string& address, const ClientOptions& options) {
  ASSIGN_OR_RETURN(std::unique_ptr<Transport> transport,
                   NewGrpcTransport(address));
  auto connection =
      std::make_shared<Connection>(std::move(transport), options.retry);
  connection->SetDurability(options.durability);
  return std::make_shared<Client>(std::move(connection));
}

absl::StatusOr<std::shared_ptr<Session>> Client::OpenSession(
    const SessionOptions& options) {
  v1::OpenSessionRequest request;
  request.set_container(options.container);
  if (options.graph_seed) request.set_graph_seed(*options.graph_seed);
  request.set_creator(options.creator);
  ASSIGN_OR_RETURN(std::shared_ptr<SessionCore> core,
                   SessionCore::Open(connection_, std::move(request)));
  return std::make_shared<Session>(std::move(core));
}

absl::StatusOr<Variable> Client::FindVariable(const std::string& name,
                                              const std::string& container) {
  AdminClient admin(*this);
  std::string op_name = OpName(name);
  ASSIGN_OR_RETURN(std::vector<VariableInfo> infos,
                   admin.ListVariables(container, op_name));
  // In order of name: the variable itself comes before those under it.
  if (infos.empty() || infos[0].op_name != op_name) {
    return absl::NotFoundError(absl::StrCat("variable '", op_name,
                                            "' does not exist in container '",
                                            container, "'"));
  }
  return Variable(connection_, nullptr, std::move(infos[0]));
}

absl::StatusOr<Variable> Client::GetVariable(const std::string& name,
                                             const std::optional<Shape>& shape,
                                             const VariableOptions& options,
                                             Reuse reuse,
                                             const std::string& container) {
  v1::GetVariableRequest request;
  request.set_container(container);
  request.mutable_scope()->set_reuse(ReuseToProto(reuse));
  *request.mutable_variable() = ArgumentsToProto(options);
  request.mutable_variable()->set_name(OpName(name));
  if (shape) ShapeToProto(*shape, request.mutable_variable()->mutable_shape());
  v1::GetVariableResponse response;
  RETURN_IF_ERROR(connection_->Call("GetVariable", request, &response));
  ASSIGN_OR_RETURN(VariableInfo info, InfoFromProto(response.variable()));
  return Variable(connection_, nullptr, std::move(info));
}

absl::StatusOr<std::vector<std::string>> Client::Initialize(
    const Selection& selection, bool force, const std::string& container) {
  v1::InitializeRequest request;
  request.set_container(container);
  *request.mutable_selection() = SelectionToProto(selection);
  request.set_force(force);
  v1::InitializeResponse response;
  RETURN_IF_ERROR(connection_->Call("Initialize", request, &response));
  return std::vector<std::string>(response.initialized().begin(),
                                  response.initialized().end());
}

}  // namespace varkeep::client
