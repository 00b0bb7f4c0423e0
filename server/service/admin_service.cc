// SPDX-License-Identifier: Apache-2.0
//
// AdminService: what an operator asks of a server.
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "server/service/convert.h"
#include "server/service/reactors.h"
#include "server/service/services.h"
#include "server/variables/names.h"
#include "spdlog/spdlog.h"
#include "tensor/buffer_pool.h"
#include "varkeep/v1/admin_service.grpc.pb.h"

namespace varkeep {
namespace {

using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;

std::string LogLevelName() {
  const auto name = spdlog::level::to_string_view(spdlog::get_level());
  return std::string(name.data(), name.size());
}

class AdminService final : public v1::AdminService::CallbackService {
 public:
  explicit AdminService(const ServiceContext* context) : services_(*context) {}

  ServerUnaryReactor* Status(CallbackServerContext* call,
                             const v1::StatusRequest*,
                             v1::StatusResponse* response) override {
    return Answer(call, [&] {
      FillStatus(response);
      return absl::OkStatus();
    });
  }

  ServerUnaryReactor* DeleteVariable(
      CallbackServerContext* call, const v1::DeleteVariableRequest* request,
      v1::DeleteVariableResponse* response) override {
    return AnswerOn(services_.waiters, call, [=, this]() -> absl::Status {
      ASSIGN_OR_RETURN(
          Applied applied,
          services_.committer->Apply(
              DeleteMutation{request->container(),
                             std::string(StripOutput(request->name()))},
              RequestFromProto(*request)));
      response->set_revision(applied.revision);
      response->set_durability(DurabilityToProto(applied.durability));
      response->set_duplicate(applied.duplicate);
      return absl::OkStatus();
    });
  }

  ServerUnaryReactor* ResetContainer(
      CallbackServerContext* call, const v1::ResetContainerRequest* request,
      v1::ResetContainerResponse* response) override {
    return AnswerOn(services_.waiters, call, [=, this]() -> absl::Status {
      ASSIGN_OR_RETURN(Applied applied,
                       services_.committer->Apply(
                           ResetContainerMutation{request->container()},
                           RequestFromProto(*request)));
      response->set_revision(applied.revision);
      response->set_durability(DurabilityToProto(applied.durability));
      response->set_duplicate(applied.duplicate);
      response->set_dropped_variables(applied.count);
      response->set_closed_sessions(services_.sessions->CloseAll());
      spdlog::info("reset container '{}': {} variables dropped",
                   request->container(), applied.count);
      return absl::OkStatus();
    });
  }

  ServerUnaryReactor* ListSessions(
      CallbackServerContext* call, const v1::ListSessionsRequest*,
      v1::ListSessionsResponse* response) override {
    return Answer(call, [&] {
      for (const SessionTable::Entry& entry : services_.sessions->List()) {
        v1::SessionInfo* info = response->add_sessions();
        info->set_session_id(entry.session->id());
        info->set_container(entry.session->options().container);
        info->set_creator(entry.session->options().creator);
        *info->mutable_opened() = TimeToProto(entry.opened);
        *info->mutable_last_used() = TimeToProto(entry.last_used);
        *info->mutable_expires() =
            TimeToProto(entry.last_used + services_.sessions->lease());
        info->set_variables(
            static_cast<int64_t>(entry.session->Declarations().size()));
      }
      return absl::OkStatus();
    });
  }

  ServerUnaryReactor* CloseSession(CallbackServerContext* call,
                                   const v1::CloseSessionRequest* request,
                                   v1::CloseSessionResponse*) override {
    return Answer(
        call, [&] { return services_.sessions->Close(request->session_id()); });
  }

  ServerUnaryReactor* SetLogLevel(CallbackServerContext* call,
                                  const v1::SetLogLevelRequest* request,
                                  v1::SetLogLevelResponse* response) override {
    return Answer(call, [&]() -> absl::Status {
      response->set_previous(LogLevelName());
      // from_str takes an unknown name for "off".
      const auto level = spdlog::level::from_str(request->level());
      if (level == spdlog::level::off) {
        return absl::InvalidArgumentError(
            absl::StrCat("'", Shorten(request->level()),
                         "' is not a log level; the levels are trace, debug, "
                         "info, warn, error"));
      }
      spdlog::set_level(level);
      return absl::OkStatus();
    });
  }

  ServerUnaryReactor* Drain(CallbackServerContext* call,
                            const v1::DrainRequest* request,
                            v1::DrainResponse*) override {
    return Answer(call, [&] {
      services_.committer->SetDraining(!request->resume());
      services_.update_health();
      spdlog::info(request->resume() ? "serving again" : "draining");
      return absl::OkStatus();
    });
  }

 private:
  void FillStatus(v1::StatusResponse* response) {
    const StoreUsage usage = services_.store->usage();
    const StoreLimits& limits = services_.store->limits();
    const Checkpointer::State state = services_.checkpointer->state();
    response->set_version(services_.version);
    *response->mutable_started() = TimeToProto(services_.started);
    response->set_data_directory(services_.data_directory);
    response->set_revision(usage.revision);
    response->set_variables(usage.variables);
    response->set_uninitialized(usage.uninitialized);
    response->set_value_bytes(static_cast<uint64_t>(usage.value_bytes));
    response->set_replaced_value_bytes(
        static_cast<uint64_t>(usage.replaced_value_bytes));
    response->set_memory_limit_bytes(
        static_cast<uint64_t>(limits.memory_limit_bytes));
    response->set_max_variable_bytes(
        static_cast<uint64_t>(limits.max_variable_bytes));
    response->set_call_bytes(
        static_cast<uint64_t>(services_.call_memory->held_bytes()));
    response->set_call_limit_bytes(
        static_cast<uint64_t>(services_.call_memory->limit_bytes()));
    response->set_sessions(
        static_cast<int64_t>(services_.sessions->List().size()));
    response->set_draining(services_.committer->draining());
    response->set_saving(state.saving);
    if (state.last) {
      CheckpointToProto(*state.last, response->mutable_last_checkpoint());
      response->set_last_checkpoint_revision(state.last->revision);
    }
    response->set_last_save_error(state.last_error);
    *response->mutable_checkpoint_interval() =
        DurationToProto(services_.checkpoint_interval);
    response->set_idle_pool_bytes(
        static_cast<uint64_t>(BufferPool::Default()->usage().idle_bytes));
    response->set_log_level(LogLevelName());
    response->set_durability(
        DurabilityToProto(services_.committer->durability()));
    const storage::Log::State log = services_.log->state();
    response->mutable_log()->set_synced_revision(log.synced);
    response->mutable_log()->set_segments(log.segments);
    response->mutable_log()->set_bytes(static_cast<uint64_t>(log.bytes));
    response->mutable_log()->set_error(std::string(log.broken.message()));
  }

  const ServiceContext& services_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeAdminService(const ServiceContext* context) {
  return std::make_unique<AdminService>(context);
}

}  // namespace varkeep
