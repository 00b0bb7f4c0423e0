// SPDX-License-Identifier: Apache-2.0
//
// CheckpointService: hands each call to the Checkpointer, whose thread answers.
#include <memory>
#include <string>
#include <utility>

#include "base/mutex.h"
#include "base/status_macros.h"
#include "server/service/convert.h"
#include "server/service/reactors.h"
#include "server/service/services.h"
#include "varkeep/v1/checkpoint_service.grpc.pb.h"

namespace varkeep {
namespace {

using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;

// Streams the progress of one save. At most one message is under way; progress
// that comes meanwhile replaces what was not sent yet. Deletes itself.
class SaveReactor : public grpc::ServerWriteReactor<v1::SaveResponse> {
 public:
  // Held by the checkpointer's callbacks too, which may come after the client
  // is gone.
  struct Shared {
    Mutex mutex;
    SaveReactor* reactor ABSL_GUARDED_BY(mutex) = nullptr;  // null: gone
  };

  explicit SaveReactor(Checkpointer* checkpointer) {
    {
      MutexLock lock(&shared_->mutex);
      shared_->reactor = this;
    }
    checkpointer->Save(
        [shared = shared_](int64_t written, int64_t total) {
          MutexLock lock(&shared->mutex);
          if (shared->reactor == nullptr) return;
          shared->reactor->Progress(written, total);
        },
        [shared =
             shared_](const absl::StatusOr<storage::CheckpointInfo>& info) {
          MutexLock lock(&shared->mutex);
          if (shared->reactor == nullptr) return;
          shared->reactor->Saved(info);
        });
  }

  void OnWriteDone(bool ok) override {
    MutexLock lock(&shared_->mutex);
    writing_ = false;
    if (ok) {
      Continue();
    } else {
      End(grpc::Status::CANCELLED);
    }
  }
  void OnDone() override {
    {
      MutexLock lock(&shared_->mutex);
      shared_->reactor = nullptr;
    }
    delete this;
  }

 private:
  // All of these hold the shared mutex.
  void Progress(int64_t written, int64_t total) {
    next_.set_written_bytes(static_cast<uint64_t>(written));
    next_.set_total_bytes(static_cast<uint64_t>(total));
    pending_ = true;
    Continue();
  }
  void Saved(const absl::StatusOr<storage::CheckpointInfo>& info) {
    finished_ = true;
    status_ = ToGrpc(info.status());
    if (info.ok()) {
      CheckpointToProto(*info, next_.mutable_checkpoint());
      pending_ = true;
    }
    Continue();
  }
  void Continue() {
    if (writing_ || ended_) return;
    if (pending_) {
      pending_ = false;
      writing_ = true;
      sent_ = next_;
      StartWrite(&sent_);
    } else if (finished_) {
      End(status_);
    }
  }
  void End(const grpc::Status& status) {
    if (ended_) return;
    ended_ = true;
    Finish(status);
  }

  const std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
  v1::SaveResponse next_;
  v1::SaveResponse sent_;
  bool pending_ = false;   // next_ was not sent yet
  bool writing_ = false;   // sent_ is under way
  bool finished_ = false;  // the save is over
  bool ended_ = false;
  grpc::Status status_;
};

class CheckpointService final : public v1::CheckpointService::CallbackService {
 public:
  explicit CheckpointService(const ServiceContext* context)
      : services_(*context) {}

  grpc::ServerWriteReactor<v1::SaveResponse>* Save(
      CallbackServerContext*, const v1::SaveRequest*) override {
    return new SaveReactor(services_.checkpointer);
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
      for (const storage::CheckpointInfo& info : listed) {
        CheckpointToProto(info, response->add_checkpoints());
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
  static void Encode(const RestoreReport& report,
                     v1::RestoreResponse* response) {
    CheckpointToProto(report.checkpoint, response->mutable_checkpoint());
    response->set_revision(report.revision);
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
