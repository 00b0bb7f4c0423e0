// SPDX-License-Identifier: Apache-2.0
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <memory>
#include <thread>

#include "base/standard_streams.h"
#include "server/server.h"
#include "server/server_options.h"
#include "spdlog/sinks/stdout_color_sinks.h"
#include "spdlog/spdlog.h"

namespace {

// Before the initializers of the libraries: one of them opens an eventfd.
[[gnu::section(".preinit_array"),
  gnu::used]] void (*const kFirstOfAll)() = varkeep::ReplaceClosedStreams;

constexpr int kExitError = 1;
constexpr int kExitDataLoss = 5;

// Blocked before any thread starts, so that only main waits for them.
sigset_t BlockStopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

int WaitForSignal(const sigset_t& signals) {
  int signal = 0;
  sigwait(&signals, &signal);
  return signal;
}

}  // namespace

int main(int argc, char** argv) {
  const sigset_t signals = BlockStopSignals();
  signal(SIGPIPE, SIG_IGN);
  // Past a file-size limit a write fails as on a full disk.
  signal(SIGXFSZ, SIG_IGN);
  auto parsed = varkeep::ParseServerOptions(argc, argv);
  if (const int* exit_code = std::get_if<int>(&parsed)) return *exit_code;
  const auto& options = std::get<varkeep::ServerOptions>(parsed);
  spdlog::set_default_logger(spdlog::stderr_color_mt("varkeepd"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v");
  spdlog::set_level(spdlog::level::from_str(options.log_level));

  absl::StatusOr<std::unique_ptr<varkeep::Server>> server =
      varkeep::Server::Start(options);
  if (!server.ok()) {
    spdlog::error("cannot start: {}", server.status().ToString());
    return absl::IsDataLoss(server.status()) ? kExitDataLoss : kExitError;
  }
  spdlog::info("signal {}", WaitForSignal(signals));
  std::thread([&signals] {
    WaitForSignal(signals);
    _exit(kExitError);
  }).detach();
  absl::Status stopped = (*server)->Stop();
  if (!stopped.ok()) {
    spdlog::error("{}", stopped.ToString());
    return kExitError;
  }
  return 0;
}
