// SPDX-License-Identifier: Apache-2.0
#include "client/admin_client.h"

#include <google/protobuf/empty.pb.h>
#include <google/protobuf/wrappers.pb.h>

#include <utility>

#include "base/status_macros.h"
#include "client/client.h"
#include "client/internal/connection.h"
#include "client/internal/info_codec.h"
#include "varkeep/v1/admin_service.pb.h"
#include "varkeep/v1/checkpoint_service.pb.h"

namespace varkeep::client {
namespace {

// An older server says nothing: it has no log.
Durability DurabilityFromProto(v1::Durability durability) {
  switch (durability) {
    case v1::DURABILITY_FSYNC:
      return Durability::kFsync;
    case v1::DURABILITY_INTERVAL:
      return Durability::kInterval;
    default:
      return Durability::kNone;
  }
}

constexpr char kAdmin[] = "/varkeep.v1.AdminService/";
constexpr char kCheckpoints[] = "/varkeep.v1.CheckpointService/";

absl::Time TimeFromProto(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) +
         absl::Nanoseconds(time.nanos());
}

CheckpointInfo CheckpointFromProto(const v1::Checkpoint& message) {
  return {.id = message.id(),
          .revision = message.revision(),
          .file = message.file(),
          .size_bytes = message.size_bytes(),
          .crc32c = message.crc32c(),
          .created = TimeFromProto(message.created()),
          .entries = message.entries(),
          .shared_bytes = message.shared_bytes(),
          .verified = message.has_verified()
                          ? std::optional(TimeFromProto(message.verified()))
                          : std::nullopt,
          .damage = message.damage()};
}

template <typename Messages>
absl::Status AppendInfos(const Messages& messages,
                         std::vector<VariableInfo>* infos) {
  for (const v1::VariableInfo& message : messages) {
    ASSIGN_OR_RETURN(VariableInfo info, InfoFromProto(message));
    infos->push_back(std::move(info));
  }
  return absl::OkStatus();
}

template <typename Message>
absl::Status Parse(google::protobuf::io::ZeroCopyInputStream* input,
                   Message* message) {
  if (message->ParseFromZeroCopyStream(input)) return absl::OkStatus();
  return absl::InternalError("the server's answer cannot be decoded");
}

}  // namespace

AdminClient::AdminClient(const Client& client)
    : connection_(client.connection()) {}

absl::StatusOr<std::vector<VariableInfo>> AdminClient::ListVariables(
    const std::optional<std::string>& container, const std::string& scope) {
  v1::ListVariablesRequest request;
  request.set_all_containers(!container.has_value());
  request.set_container(container.value_or(""));
  request.set_scope(OpName(scope));
  Backoff backoff(connection_->policy());
  while (true) {
    std::vector<VariableInfo> infos;
    absl::Status status = connection_->DownloadOnce(
        "ListVariables", request, backoff.remaining(), [&](auto* input) {
          v1::ListVariablesResponse response;
          RETURN_IF_ERROR(Parse(input, &response));
          return AppendInfos(response.variables(), &infos);
        });
    if (status.ok()) return infos;
    if (!connection_->Repeat(status, &backoff)) return status;
  }
}

absl::StatusOr<std::vector<VariableInfo>> AdminClient::Collection(
    const std::string& container, const std::string& key) {
  v1::GetCollectionRequest request;
  request.set_container(container);
  request.set_key(key);
  v1::GetCollectionResponse response;
  RETURN_IF_ERROR(connection_->Call("GetCollection", request, &response));
  std::vector<VariableInfo> infos;
  RETURN_IF_ERROR(AppendInfos(response.variables(), &infos));
  return infos;
}

absl::Status AdminClient::DeleteVariable(const std::string& container,
                                         const std::string& name) {
  v1::DeleteVariableRequest request;
  request.set_container(container);
  request.set_name(OpName(name));
  request.set_durability(connection_->Wanted(std::nullopt));
  v1::DeleteVariableResponse response;
  return connection_->Call(std::string(kAdmin) + "DeleteVariable", request,
                           &response);
}

absl::StatusOr<AdminClient::Dropped> AdminClient::ResetContainer(
    const std::string& container) {
  v1::ResetContainerRequest request;
  request.set_container(container);
  request.set_durability(connection_->Wanted(std::nullopt));
  v1::ResetContainerResponse response;
  RETURN_IF_ERROR(connection_->Call(std::string(kAdmin) + "ResetContainer",
                                    request, &response));
  return Dropped{response.dropped_variables(), response.closed_sessions()};
}

absl::StatusOr<CheckpointInfo> AdminClient::Save(
    const std::function<void(int64_t, int64_t)>& progress) {
  v1::SaveResponse response;
  auto accept = [&](google::protobuf::io::ZeroCopyInputStream* input) {
    response.Clear();
    absl::Status status = Parse(input, &response);
    if (status.ok() && progress) {
      progress(static_cast<int64_t>(response.written_bytes()),
               static_cast<int64_t>(response.total_bytes()));
    }
    return status;
  };
  RETURN_IF_ERROR(connection_->DownloadOnce(std::string(kCheckpoints) + "Save",
                                            v1::SaveRequest(),
                                            absl::InfiniteDuration(), accept));
  if (!response.has_checkpoint()) {
    return absl::InternalError("the server's answer has no checkpoint");
  }
  return CheckpointFromProto(response.checkpoint());
}

absl::StatusOr<VerifyReport> AdminClient::VerifyCheckpoint(
    int64_t id, const std::function<void(int64_t, int64_t)>& progress) {
  v1::VerifyRequest request;
  request.set_id(id);
  v1::VerifyResponse response;
  auto accept = [&](google::protobuf::io::ZeroCopyInputStream* input) {
    response.Clear();
    absl::Status status = Parse(input, &response);
    if (status.ok() && progress) {
      progress(static_cast<int64_t>(response.done_bytes()),
               static_cast<int64_t>(response.total_bytes()));
    }
    return status;
  };
  RETURN_IF_ERROR(
      connection_->DownloadOnce(std::string(kCheckpoints) + "Verify", request,
                                absl::InfiniteDuration(), accept));
  if (!response.has_report()) {
    return absl::InternalError("the server's answer has no report");
  }
  VerifyReport report;
  report.bytes = response.report().bytes();
  report.values = response.report().values();
  for (const v1::Damage& damage : response.report().damage()) {
    report.damage.push_back(
        {damage.file(), damage.entry(), damage.offset(), damage.message()});
  }
  return report;
}

absl::StatusOr<RestoreReport> AdminClient::Restore(
    const RestoreOptions& options) {
  v1::RestoreRequest request;
  request.set_id(options.id);
  for (const std::string& name : options.names) request.add_names(OpName(name));
  request.set_container(options.container);
  for (const auto& [from, to] : options.name_map) {
    (*request.mutable_name_map())[OpName(from)] = OpName(to);
  }
  request.set_dry_run(options.dry_run);
  request.set_durability(connection_->Wanted(std::nullopt));
  v1::RestoreResponse response;
  RETURN_IF_ERROR(connection_->Call(std::string(kCheckpoints) + "Restore",
                                    request, &response,
                                    absl::InfiniteDuration()));
  RestoreReport report{.checkpoint = CheckpointFromProto(response.checkpoint()),
                       .revision = response.revision(),
                       .duplicate = response.duplicate(),
                       .variables = {}};
  for (const v1::RestoredVariable& item : response.variables()) {
    report.variables.push_back({.checkpoint_name = item.checkpoint_name(),
                                .name = item.name(),
                                .container = item.container(),
                                .declared = item.declared(),
                                .has_value = item.has_value(),
                                .size_bytes = item.size_bytes()});
  }
  return report;
}

absl::StatusOr<std::vector<CheckpointInfo>> AdminClient::ListCheckpoints() {
  v1::ListCheckpointsResponse response;
  RETURN_IF_ERROR(connection_->Call(std::string(kCheckpoints) + "List",
                                    v1::ListCheckpointsRequest(), &response));
  std::vector<CheckpointInfo> result;
  for (const v1::Checkpoint& message : response.checkpoints()) {
    result.push_back(CheckpointFromProto(message));
  }
  return result;
}

absl::StatusOr<std::vector<VariableInfo>> AdminClient::DescribeCheckpoint(
    int64_t id) {
  v1::DescribeCheckpointRequest request;
  request.set_id(id);
  v1::DescribeCheckpointResponse response;
  RETURN_IF_ERROR(connection_->Call(std::string(kCheckpoints) + "Describe",
                                    request, &response));
  std::vector<VariableInfo> infos;
  RETURN_IF_ERROR(AppendInfos(response.variables(), &infos));
  return infos;
}

absl::Status AdminClient::DeleteCheckpoint(int64_t id) {
  v1::DeleteCheckpointRequest request;
  request.set_id(id);
  v1::DeleteCheckpointResponse response;
  return connection_->CallOnce(std::string(kCheckpoints) + "Delete", request,
                               &response, connection_->policy().timeout);
}

absl::StatusOr<ServerStatus> AdminClient::Status() {
  v1::StatusResponse m;
  RETURN_IF_ERROR(connection_->Call(std::string(kAdmin) + "Status",
                                    v1::StatusRequest(), &m));
  ServerStatus status{
      .version = m.version(),
      .started = TimeFromProto(m.started()),
      .data_directory = m.data_directory(),
      .revision = m.revision(),
      .variables = m.variables(),
      .uninitialized = m.uninitialized(),
      .value_bytes = m.value_bytes(),
      .replaced_value_bytes = m.replaced_value_bytes(),
      .call_bytes = m.call_bytes(),
      .call_limit_bytes = m.call_limit_bytes(),
      .memory_limit_bytes = m.memory_limit_bytes(),
      .max_variable_bytes = m.max_variable_bytes(),
      .sessions = m.sessions(),
      .draining = m.draining(),
      .saving = m.saving(),
      .last_checkpoint = std::nullopt,
      .last_checkpoint_revision = m.last_checkpoint_revision(),
      .last_save_error = m.last_save_error(),
      .checkpoint_interval = absl::Seconds(m.checkpoint_interval().seconds()) +
                             absl::Nanoseconds(m.checkpoint_interval().nanos()),
      .idle_pool_bytes = m.idle_pool_bytes(),
      .log_level = m.log_level()};
  status.durability = DurabilityFromProto(m.durability());
  status.synced_revision = m.log().synced_revision();
  status.log_segments = m.log().segments();
  status.log_bytes = m.log().bytes();
  status.log_error = m.log().error();
  if (m.has_last_checkpoint()) {
    status.last_checkpoint = CheckpointFromProto(m.last_checkpoint());
  }
  return status;
}

absl::StatusOr<std::string> AdminClient::Health() {
  // HealthCheckRequest with nothing set is an empty message, and the one field
  // of HealthCheckResponse is the enum `status = 1`, on the wire an Int32Value:
  // neither needs generated code of its own.
  google::protobuf::Int32Value response;
  RETURN_IF_ERROR(connection_->Call("/grpc.health.v1.Health/Check",
                                    google::protobuf::Empty(), &response));
  switch (response.value()) {
    case 1:
      return "SERVING";
    case 2:
      return "NOT_SERVING";
    default:
      return "UNKNOWN";
  }
}

absl::StatusOr<std::vector<SessionInfo>> AdminClient::ListSessions() {
  v1::ListSessionsResponse response;
  RETURN_IF_ERROR(connection_->Call(std::string(kAdmin) + "ListSessions",
                                    v1::ListSessionsRequest(), &response));
  std::vector<SessionInfo> sessions;
  for (const v1::SessionInfo& message : response.sessions()) {
    sessions.push_back({.id = message.session_id(),
                        .container = message.container(),
                        .creator = message.creator(),
                        .opened = TimeFromProto(message.opened()),
                        .last_used = TimeFromProto(message.last_used()),
                        .expires = TimeFromProto(message.expires()),
                        .variables = message.variables()});
  }
  return sessions;
}

absl::Status AdminClient::CloseSession(const std::string& id) {
  v1::CloseSessionRequest request;
  request.set_session_id(id);
  v1::CloseSessionResponse response;
  return connection_->CallOnce(std::string(kAdmin) + "CloseSession", request,
                               &response, connection_->policy().timeout);
}

absl::StatusOr<std::string> AdminClient::SetLogLevel(const std::string& level) {
  v1::SetLogLevelRequest request;
  request.set_level(level);
  v1::SetLogLevelResponse response;
  RETURN_IF_ERROR(connection_->Call(std::string(kAdmin) + "SetLogLevel",
                                    request, &response));
  return response.previous();
}

absl::Status AdminClient::Drain() {
  v1::DrainResponse response;
  return connection_->Call(std::string(kAdmin) + "Drain", v1::DrainRequest(),
                           &response);
}

absl::Status AdminClient::Resume() {
  v1::DrainRequest request;
  request.set_resume(true);
  v1::DrainResponse response;
  return connection_->Call(std::string(kAdmin) + "Drain", request, &response);
}

}  // namespace varkeep::client
