// SPDX-License-Identifier: Apache-2.0
#include "server/server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/impl/service_type.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/keep_freed_memory.h"
#include "base/loopback_tcp.h"
#include "base/mutex.h"
#include "base/status_annotate.h"
#include "base/status_macros.h"
#include "base/usable_memory.h"
#include "proto/grpc_lifetime.h"
#include "server/durability/recovery.h"
#include "server/durability/run_marker.h"
#include "server/durability/scrubber.h"
#include "server/metrics/metrics.h"
#include "server/scopes/entropy.h"
#include "server/service/services.h"
#include "server/version.h"
#include "spdlog/spdlog.h"
#include "storage/directory_checkpoint_store.h"
#include "storage/posix_file_system.h"

namespace varkeep {
namespace {

constexpr int kWaiters = 64;
// What a client may send of a call before the server takes it: a message, or
// the way there and back at 2 GB/s over 2 ms. gRPC's own estimate grows to 21
// MB, and is no faster: what is queued in it is cold when it is read.
constexpr int kReceiveWindowBytes = 4 << 20;
constexpr int kReceiveFrameBytes = 1 << 20;

int ThreadCount(int wanted) {
  if (wanted > 0) return wanted;
  return static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

// What is 0 gets its default.
ServerOptions WithMemoryLimits(ServerOptions options) {
  const int64_t usable = UsableMemory();
  if (options.call_memory_limit_bytes == 0) {
    options.call_memory_limit_bytes = usable / 2;
    if (options.memory_limit_bytes > 0) {
      options.call_memory_limit_bytes =
          std::min(options.call_memory_limit_bytes, options.memory_limit_bytes);
    }
  }
  if (options.memory_limit_bytes == 0) {
    options.memory_limit_bytes = usable / 5 * 4;
  }
  return options;
}

// Says once in a while how far this is, from its first call on, and how long it
// will take.
std::function<void(int64_t, int64_t)> ReportProgress(const std::string& what) {
  return [what, start = absl::InfiniteFuture(), next = absl::InfinitePast()](
             int64_t done, int64_t total) mutable {
    const absl::Time now = absl::Now();
    if (start == absl::InfiniteFuture()) {
      start = now;
      next = now + absl::Seconds(2);
    }
    if (now < next || done == 0) return;
    next = now + absl::Seconds(2);
    const absl::Duration left =
        (now - start) *
        (static_cast<double>(total - done) / static_cast<double>(done));
    spdlog::info("{}: {} of {} bytes, {} to go", what, done, total,
                 absl::FormatDuration(absl::Trunc(left, absl::Seconds(1))));
  };
}

// "localhost:0" with the port that was taken.
std::string WithPort(const std::string& address, int port) {
  if (absl::StartsWith(address, "unix:")) return address;
  return absl::StrCat(address.substr(0, address.rfind(':')), ":", port);
}

}  // namespace

// In the order they are built; destroyed in the opposite order.
struct Server::Parts {
  explicit Parts(const ServerOptions& server_options)
      : options(WithMemoryLimits(server_options)),
        workers(ThreadCount(options.threads)),
        store({options.max_variable_bytes, options.memory_limit_bytes},
              &workers),
        call_memory(options.call_memory_limit_bytes),
        committer(&store, options.durability),
        sessions(&committer, Clock::Steady(), options.session_lease),
        marker(&file_system, options.data_directory, SystemBootId()),
        waiters(kWaiters) {}

  absl::Status OpenDirectory();
  absl::Status Recover();
  void Report(const Recovered& recovered, const RunMarker::Begun& before,
              absl::Duration took) const;
  void StartCheckpointer(const Recovered& recovered);
  absl::Status ServeMetrics();
  absl::Status Serve();
  void UpdateHealth();
  absl::Status Stop();

  const ServerOptions options;
  storage::PosixFileSystem file_system;
  ThreadPool workers;  // for arithmetic
  VariableStore store;
  CallMemory call_memory;
  Committer committer;
  SessionTable sessions;
  RunMarker marker;
  std::atomic<bool> log_works = true;
  Mutex health_mutex;
  grpc::HealthCheckServiceInterface* health ABSL_GUARDED_BY(health_mutex) =
      nullptr;  // while grpc_server lives
  std::unique_ptr<storage::DirectoryCheckpointStore> checkpoints;
  std::unique_ptr<storage::Log> log;
  std::unique_ptr<Checkpointer> checkpointer;
  std::unique_ptr<Scrubber> scrubber;
  std::unique_ptr<MetricsEndpoint> metrics;
  std::string metrics_address;
  ThreadPool waiters;  // for RPCs that wait
  OpenStreams open_streams;
  ServiceContext context;
  std::vector<std::unique_ptr<grpc::Service>> services;
  std::unique_ptr<grpc::Server> grpc_server;
  std::vector<std::string> addresses;
};

absl::Status Server::Parts::OpenDirectory() {
  ASSIGN_OR_RETURN(
      checkpoints,
      storage::DirectoryCheckpointStore::Open(
          &file_system, options.data_directory, Clock::Real(),
          options.max_to_keep == 1 ? storage::Sharing::kWithNewest
                                   : storage::Sharing::kWithSpare));
  for (const std::string& notice : checkpoints->notices()) {
    spdlog::warn("{}", notice);
  }
  return absl::OkStatus();
}

absl::Status Server::Parts::Recover() {
  const absl::Time start = absl::Now();
  ASSIGN_OR_RETURN(RunMarker::Begun before, marker.Find());
  RecoveryOptions recovery;
  recovery.log.directory = options.data_directory + "/log";
  recovery.log.sync_interval = options.sync_interval;
  recovery.allow_fallback = options.allow_fallback;
  recovery.after_power_cut = before.after_power_cut;
  recovery.load_progress = ReportProgress("loading the checkpoint");
  recovery.progress = ReportProgress("replaying the log");
  ASSIGN_OR_RETURN(
      Recovered recovered,
      varkeep::Recover(checkpoints.get(), &file_system, recovery, &store));
  RETURN_IF_ERROR(marker.Begin(recovered.replayed.begun));
  log = std::move(recovered.log);
  committer.SetLog(log.get());
  Report(recovered, before, absl::Now() - start);
  StartCheckpointer(recovered);
  return absl::OkStatus();
}

void Server::Parts::Report(const Recovered& recovered,
                           const RunMarker::Begun& before,
                           absl::Duration took) const {
  for (const std::string& damaged : recovered.damaged) {
    spdlog::error("passed over the damaged checkpoint {}", damaged);
  }
  if (const auto& torn = recovered.replayed.torn) {
    spdlog::warn(
        "{}: left out {} bytes at offset {} that were not written to "
        "their end: {}",
        torn->file, torn->bytes, torn->offset, torn->reason);
  }
  if (before.after_crash) {
    spdlog::warn(
        "the server before did not stop cleanly{}",
        before.after_power_cut ? ", and the machine was restarted" : "");
  }
  if (!recovered.replayed.begun) {
    spdlog::warn("the disk is full: changes are refused until there is room");
  }
  if (store.usage().value_bytes > options.memory_limit_bytes) {
    spdlog::warn(
        "the values have {} bytes, more than the memory limit of {}: changes "
        "that need more memory are refused",
        store.usage().value_bytes, options.memory_limit_bytes);
  }
  spdlog::info(
      "recovered {} variables, {} bytes, revision {} in {}: {}, {} changes "
      "({} bytes) from the log",
      store.usage().variables, store.usage().value_bytes,
      store.usage().revision, absl::FormatDuration(took),
      recovered.from ? recovered.from->file : "no checkpoint",
      recovered.replayed.records, recovered.replayed.bytes);
}

void Server::Parts::StartCheckpointer(const Recovered& recovered) {
  Checkpointer::Options checkpointing;
  checkpointing.interval = options.checkpoint_interval;
  checkpointing.retention = {options.max_to_keep,
                             options.keep_checkpoint_every};
  checkpointing.log_limit_bytes = options.log_limit_bytes;
  checkpointing.log_limit_time = options.log_limit_time;
  checkpointing.replayed_bytes = recovered.replayed.bytes;
  checkpointing.on_log_change = [this](bool works) {
    log_works = works;
    UpdateHealth();
  };
  checkpointer =
      std::make_unique<Checkpointer>(&store, &committer, checkpoints.get(),
                                     log.get(), Clock::Steady(), checkpointing);
  Scrubber::Options scrubbing;
  scrubbing.interval = options.scrub_interval;
  scrubber =
      std::make_unique<Scrubber>(checkpoints.get(), Clock::Steady(), scrubbing);
}

// Whether changes are accepted; reads are answered in any case.
void Server::Parts::UpdateHealth() {
  MutexLock lock(&health_mutex);
  if (health == nullptr) return;
  health->SetServingStatus(log_works && !committer.draining());
}

absl::Status Server::Parts::ServeMetrics() {
  if (options.metrics_listen.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(
      metrics,
      MetricsEndpoint::Start(options.metrics_listen,
                             {&store, &call_memory, &committer,
                              checkpointer.get(), scrubber.get(), log.get()}));
  metrics_address = WithPort(options.metrics_listen, metrics->port());
  spdlog::info("metrics at http://{}/metrics", metrics_address);
  return absl::OkStatus();
}

absl::Status Server::Parts::Serve() {
  context.store = &store;
  context.committer = &committer;
  context.call_memory = &call_memory;
  context.sessions = &sessions;
  context.open_streams = &open_streams;
  context.checkpointer = checkpointer.get();
  context.waiters = &waiters;
  context.entropy = SystemEntropy;
  context.version = kVersion;
  context.data_directory = options.data_directory;
  context.started = absl::Now();
  context.checkpoint_interval = options.checkpoint_interval;
  context.scrubber = scrubber.get();
  context.log = log.get();
  context.update_health = [this] { UpdateHealth(); };
  services.push_back(MakeVariableService(&context));
  services.push_back(MakeCallService(&context));
  services.push_back(MakeCheckpointService(&context));
  services.push_back(MakeAdminService(&context));

  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  // Two servers on one port would share its calls between them.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES,
                             kReceiveWindowBytes);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_FRAME_SIZE, kReceiveFrameBytes);
  std::vector<int> ports(options.listen.size(), 0);
  for (size_t i = 0; i < options.listen.size(); ++i) {
    builder.AddListeningPort(options.listen[i],
                             grpc::InsecureServerCredentials(), &ports[i]);
  }
  for (const auto& service : services) builder.RegisterService(service.get());
  grpc_server = builder.BuildAndStart();
  for (size_t i = 0; i < options.listen.size(); ++i) {
    if (grpc_server == nullptr || ports[i] == 0) {
      return absl::UnavailableError(
          absl::StrCat("cannot listen on ", options.listen[i],
                       ": the address is in use or not this machine's"));
    }
    addresses.push_back(WithPort(options.listen[i], ports[i]));
    spdlog::info("listening on {}", addresses.back());
  }
  UnpaceLoopbackListeners();
  {
    MutexLock lock(&health_mutex);
    health = grpc_server->GetHealthCheckService();
  }
  UpdateHealth();
  return absl::OkStatus();
}

// The last save has every change: none is accepted after SetDraining, and those
// under way end with the shutdown.
absl::Status Server::Parts::Stop() {
  if (grpc_server == nullptr) return absl::OkStatus();
  spdlog::info("stopping: up to {} for the calls under way",
               absl::FormatDuration(options.grace));
  committer.SetDraining(true);
  UpdateHealth();
  {
    MutexLock lock(&health_mutex);
    health = nullptr;
  }
  open_streams.CloseAll();
  grpc_server->Shutdown(absl::ToChronoTime(absl::Now() + options.grace));
  grpc_server.reset();
  const Checkpointer::State state = checkpointer->state();
  const Revision saved = state.last ? state.last->revision : 0;
  if (saved != store.usage().revision) {
    RETURN_IF_ERROR(
        Annotate(checkpointer->SaveAndWait().status(), "the last save failed"));
  }
  RETURN_IF_ERROR(marker.End());
  spdlog::info("stopped");
  return absl::OkStatus();
}

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Server::~Server() {
  absl::Status stopped = Stop();
  if (!stopped.ok()) spdlog::error("{}", stopped.ToString());
}

absl::StatusOr<std::unique_ptr<Server>> Server::Start(
    const ServerOptions& options) {
  KeepFreedMemory();
  KeepGrpcRunning();
  auto parts = std::make_unique<Parts>(options);
  RETURN_IF_ERROR(parts->OpenDirectory());
  RETURN_IF_ERROR(parts->Recover());
  RETURN_IF_ERROR(parts->ServeMetrics());
  RETURN_IF_ERROR(parts->Serve());
  return std::unique_ptr<Server>(new Server(std::move(parts)));
}

const std::vector<std::string>& Server::addresses() const {
  return parts_->addresses;
}

const std::string& Server::metrics_address() const {
  return parts_->metrics_address;
}

absl::Status Server::Stop() { return parts_->Stop(); }

}  // namespace varkeep
