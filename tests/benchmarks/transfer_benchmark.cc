// SPDX-License-Identifier: Apache-2.0
//
// How fast one client reads and assigns a tensor: a real server process over
// loopback, beside a raw TCP socket that moves the same bytes in the same run.
// The ratio is what counts; absolute figures move with the machine.
//
//   transfer_benchmark [--quick] [--json FILE]
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fstream>
#include <iostream>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/client.h"
#include "tests/benchmarks/measure.h"
#include "tests/benchmarks/raw_socket.h"
#include "tests/testing/temp_dir.h"

namespace varkeep::benchmarks {
namespace {

constexpr int64_t kSizes[] = {64,      1 << 10,  64 << 10,
                              1 << 20, 16 << 20, 100'000'000};

template <typename T>
T Must(absl::StatusOr<T> result) {
  if (result.ok()) return *std::move(result);
  std::cerr << result.status() << "\n";
  std::exit(1);
}

// varkeepd without periodic saves, ended at the end.
class ServerUnderTest {
 public:
  ServerUnderTest() : address_(absl::StrCat("127.0.0.1:", FreePort())) {
    pid_ = fork();
    if (pid_ != 0) return;
    execl(VARKEEPD, "varkeepd", "--listen", address_.c_str(), "--data-dir",
          directory_.path().c_str(), "--checkpoint-interval", "0",
          "--log-level", "error", nullptr);
    _exit(127);
  }
  ~ServerUnderTest() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  const std::string& address() const { return address_; }

 private:
  std::string address_;
  TempDir directory_;
  pid_t pid_ = -1;
};

std::string SizeName(int64_t bytes) {
  if (bytes < 1 << 10) return absl::StrCat(bytes, " B");
  if (bytes < 1 << 20) return absl::StrCat(bytes >> 10, " KiB");
  if (bytes < 100'000'000) return absl::StrCat(bytes >> 20, " MiB");
  return absl::StrCat(bytes / 1'000'000, " MB");
}

std::vector<Row> Run(double seconds) {
  // Before any thread: both fork.
  RawSocketPeer peer(static_cast<size_t>(kSizes[std::size(kSizes) - 1]));
  ServerUnderTest server;
  auto connected = Must(client::Client::Connect(server.address()));
  auto session = Must(connected->OpenSession());
  std::vector<Row> rows;
  for (int64_t bytes : kSizes) {
    const Shape shape({bytes / 4});
    client::Variable variable = Must(
        session->GetVariable(absl::StrCat("v", bytes), shape, client::Zeros()));
    Must(session->Initialize());
    std::shared_ptr<Tensor> value =
        Must(Tensor::Create(DType::kFloat32, shape));
    std::span<float> floats = value->mutable_values<float>();
    std::ranges::fill(floats, 1.0f);
    rows.push_back(Compare(
        "ReadValue " + SizeName(bytes), bytes, seconds,
        [&] { Must(variable.ReadInto(floats)); },
        [&] { peer.Receive(value->mutable_bytes()); }));
    std::ranges::fill(floats, 1.0f);
    rows.push_back(Compare(
        "Assign " + SizeName(bytes), bytes, seconds,
        [&] { Must(variable.Assign(TensorRef(value))); },
        [&] { peer.Send(value->bytes()); }));
  }
  return rows;
}

}  // namespace
}  // namespace varkeep::benchmarks

int main(int argc, char** argv) {
  bool quick = false;
  std::string json;
  CLI::App app("Reads and assigns beside a raw TCP socket in the same run.");
  app.add_flag("--quick", quick, "a tenth of the time for each row");
  app.add_option("--json", json, "also write the rows to this file");
  CLI11_PARSE(app, argc, argv);
  std::ifstream control("/proc/sys/net/ipv4/tcp_congestion_control");
  std::string congestion;
  control >> congestion;
  std::cout << "yardstick: raw TCP socket; congestion control: " << congestion
            << "\n";
  const auto rows = varkeep::benchmarks::Run(quick ? 0.2 : 2.0);
  varkeep::benchmarks::Print(rows);
  if (!json.empty()) varkeep::benchmarks::WriteJson(rows, json);
}
