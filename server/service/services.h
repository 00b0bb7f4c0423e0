// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_SERVICE_SERVICES_H_
#define VARKEEP_SERVER_SERVICE_SERVICES_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "base/thread_pool.h"
#include "server/durability/checkpointer.h"
#include "server/durability/committer.h"
#include "server/durability/scrubber.h"
#include "server/scopes/session_table.h"
#include "server/service/open_streams.h"
#include "server/variables/call_memory.h"
#include "server/variables/variable_store.h"
#include "storage/log/log.h"

namespace grpc {
class Service;
}

namespace varkeep {

// What the services call. They keep no state of their own: decode, call,
// encode. Everything must live longer than the services.
struct ServiceContext {
  VariableStore* store = nullptr;
  Committer* committer = nullptr;
  CallMemory* call_memory = nullptr;
  SessionTable* sessions = nullptr;
  OpenStreams* open_streams = nullptr;
  Checkpointer* checkpointer = nullptr;
  const Scrubber* scrubber = nullptr;
  // Runs what would hold up an RPC thread: long work, and waiting for the disk.
  // As many threads as changes can share one sync.
  ThreadPool* waiters = nullptr;
  std::function<uint64_t()> entropy;

  // For Status and Drain.
  std::string version;
  std::string data_directory;
  absl::Time started;
  absl::Duration checkpoint_interval;
  const storage::Log* log = nullptr;
  std::function<void()> update_health;  // draining changed
};

std::unique_ptr<grpc::Service> MakeVariableService(
    const ServiceContext* context);
std::unique_ptr<grpc::Service> MakeCallService(const ServiceContext* context);
std::unique_ptr<grpc::Service> MakeCheckpointService(
    const ServiceContext* context);
std::unique_ptr<grpc::Service> MakeAdminService(const ServiceContext* context);

}  // namespace varkeep

#endif  // VARKEEP_SERVER_SERVICE_SERVICES_H_
