// SPDX-License-Identifier: Apache-2.0
//
// CheckpointService: hands each call to the Checkpointer, whose thread answers.
#include <memory>
#include <string>
#include <utility>

#include "base/status_macros.h"
#include "server/service/convert.h"
#include "server/service/progress_stream.h"
#include "server/service/reactors.h"
#include "server/service/services.h"
#include "varkeep/v1/checkpoint_service.grpc.pb.h"

namespace varkeep {
namespace {

using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;

class CheckpointService final : public v1::CheckpointService::CallbackService {
 public:
  explicit CheckpointService(const ServiceContext* context)
      : services_(*context) {}

  grpc::ServerWriteReactor<v1::SaveResponse>* Save(
      CallbackServerContext*, const v1::SaveRequest*) override {
    auto* stream = new ProgressStream<v1::SaveResponse>();
    auto reporter = stream->reporter();
    services_.checkpointer->Save(
        [reporter](int64_t written, int64_t total) {
          reporter->Report([&](v1::SaveResponse* response) {
            response->set_written_bytes(static_cast<uint64_t>(written));
            response->set_total_bytes(static_cast<uint64_t>(total));
          });
        },
        [reporter](const absl::StatusOr<storage::CheckpointInfo>& info) {
          reporter->Finish(
              ToGrpc(info.status()), [&](v1::SaveResponse* response) {
                CheckpointToProto(*info, response->mutable_checkpoint());
              });
        });
    return stream;
  }

  grpc::ServerWriteReactor<v1::VerifyResponse>* Verify(
      CallbackServerContext*, const v1::VerifyRequest* request) override {
    auto* stream = new ProgressStream<v1::VerifyResponse>();
    services_.waiters->Schedule([this, id = request->id(),
                                 reporter = stream->reporter()] {
      absl::StatusOr<storage::VerifyReport> report =
          services_.checkpointer->Verify(id, [&](int64_t done, int64_t total) {
            return reporter->Report([&](v1::VerifyResponse* response) {
              response->set_done_bytes(static_cast<uint64_t>(done));
              response->set_total_bytes(static_cast<uint64_t>(total));
            });
          });
      reporter->Finish(ToGrpc(report.status()),
                       [&](v1::VerifyResponse* response) {
                         Encode(*report, response->mutable_report());
                       });
    });
    return stream;
  }

  ServerUnaryReactor* Restore(CallbackServerContext* call,
                              const v1::RestoreRequest* request,
                              v1::RestoreResponse* response) override {
    RestoreOptions options;
    options.id = request->id();
    options.container = request->container();
    options.names.assign(request->names().begin(), request->names().end());
    options.name_map.insert(request->name_map().begin(),
                            request->name_map().end());
    options.dry_run = request->dry_run();
    options.request = RequestFromProto(*request);
    ServerUnaryReactor* reactor = call->DefaultReactor();
    services_.checkpointer->Restore(
        options, [reactor, response](absl::StatusOr<RestoreReport> report) {
          if (report.ok()) Encode(*report, response);
          reactor->Finish(ToGrpc(report.status()));
        });
    return reactor;
  }

  ServerUnaryReactor* List(CallbackServerContext* call,
                           const v1::ListCheckpointsRequest*,
                           v1::ListCheckpointsResponse* response) override {
    return Answer(call, [&]() -> absl::Status {
      ASSIGN_OR_RETURN(std::vector<storage::CheckpointInfo> listed,
                       services_.checkpointer->List());
      const Scrubber::State scrubbed = services_.scrubber->state();
      for (const storage::CheckpointInfo& info : listed) {
        v1::Checkpoint* checkpoint = response->add_checkpoints();
        CheckpointToProto(info, checkpoint);
        const auto verdict = scrubbed.verdicts.find(info.id);
        if (verdict == scrubbed.verdicts.end()) continue;
        *checkpoint->mutable_verified() = TimeToProto(verdict->second.at);
        checkpoint->set_damage(verdict->second.what);
      }
      return absl::OkStatus();
    });
  }

  ServerUnaryReactor* Describe(
      CallbackServerContext* call, const v1::DescribeCheckpointRequest* request,
      v1::DescribeCheckpointResponse* response) override {
    ServerUnaryReactor* reactor = call->DefaultReactor();
    services_.checkpointer->Describe(
        request->id(),
        [reactor, response](absl::StatusOr<Checkpointer::Description> found) {
          if (found.ok()) {
            CheckpointToProto(found->checkpoint,
                              response->mutable_checkpoint());
            for (const VariableInfo& info : found->variables) {
              VariableToProto(info, response->add_variables());
            }
          }
          reactor->Finish(ToGrpc(found.status()));
        });
    return reactor;
  }

  ServerUnaryReactor* Delete(CallbackServerContext* call,
                             const v1::DeleteCheckpointRequest* request,
                             v1::DeleteCheckpointResponse*) override {
    ServerUnaryReactor* reactor = call->DefaultReactor();
    services_.checkpointer->Delete(request->id(),
                                   [reactor](const absl::Status& status) {
                                     reactor->Finish(ToGrpc(status));
                                   });
    return reactor;
  }

 private:
  static void Encode(const storage::VerifyReport& report,
                     v1::VerifyReport* out) {
    out->set_bytes(static_cast<uint64_t>(report.bytes));
    out->set_values(report.values);
    for (const storage::Damage& damage : report.damage) {
      v1::Damage* item = out->add_damage();
      item->set_file(damage.file);
      item->set_entry(damage.entry);
      item->set_offset(damage.offset);
      item->set_message(damage.message);
    }
  }

  static void Encode(const RestoreReport& report,
                     v1::RestoreResponse* response) {
    response->set_revision(report.revision);
    response->set_durability(DurabilityToProto(report.durability));
    response->set_duplicate(report.duplicate);
    if (report.duplicate) return;
    CheckpointToProto(report.checkpoint, response->mutable_checkpoint());
    for (const RestoreReport::Item& item : report.items) {
      v1::RestoredVariable* out = response->add_variables();
      v1::VariableInfo info;
      VariableToProto(item.variable, &info);
      out->set_checkpoint_name(item.checkpoint_name);
      out->set_name(info.op_name());
      out->set_container(info.container());
      out->set_declared(item.declared);
      out->set_has_value(item.has_value);
      out->set_size_bytes(info.size_bytes());
    }
  }

  const ServiceContext& services_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeCheckpointService(
    const ServiceContext* context) {
  return std::make_unique<CheckpointService>(context);
}

}  // namespace varkeep
