// SPDX-License-Identifier: Apache-2.0
//
// How fast one client reads and assigns a tensor: a real server process over
// loopback or a unix socket, beside a raw socket of the same kind, Redis and
// the naive way to use gRPC, which move the same bytes in the same run. The
// ratio is what counts; absolute figures move with the machine.
//
//   transfer_benchmark [--quick] [--json FILE]
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/keep_freed_memory.h"
#include "client/client.h"
#include "tensor/tensor_ops.h"
#include "tests/benchmarks/measure.h"
#include "tests/benchmarks/naive_peer.h"
#include "tests/benchmarks/raw_socket.h"
#include "tests/benchmarks/redis_peer.h"
#include "tests/benchmarks/server_process.h"

namespace varkeep::benchmarks {
namespace {

// What is wanted of a size: the least ratios, 0 for none.
struct Size {
  int64_t bytes;
  double socket_read;
  double socket_assign;
  double redis;
  bool naive = false;
  bool unix_socket = false;
};
constexpr Size kSizes[] = {
    {64, 0, 0, 0.65, true},      {1 << 10, 1 / 1.6, 0, 0, false, true},
    {64 << 10, 0, 0, 0.75},      {1 << 20, 0.65, 0, 0.75, true, true},
    {16 << 20, 0, 0, 3},         {100'000'000, 0.85, 0.85, 3, true, true},
    {1'000'000'000, 0.9, 0.9, 0}};
constexpr int64_t kLargestForRedis = 100'000'000;
constexpr int64_t kLargestForUnixSocket = 100'000'000;

std::string SizeName(int64_t bytes) {
  if (bytes < 1 << 10) return absl::StrCat(bytes, " B");
  if (bytes < 1 << 20) return absl::StrCat(bytes >> 10, " KiB");
  if (bytes < 100'000'000) return absl::StrCat(bytes >> 20, " MiB");
  return absl::StrCat(bytes / 1'000'000, " MB");
}

// Writes bytes to a file on the log's disk as the log has to at least: behind
// those before, into memory of the page cache that had none of it.
class PlainFile {
 public:
  explicit PlainFile(const std::string& name) : name_(name) {}
  ~PlainFile() { close(file_); }
  PlainFile(const PlainFile&) = delete;
  PlainFile& operator=(const PlainFile&) = delete;

  void Append(std::span<const std::byte> bytes) {
    if (file_ < 0 || written_ > kLargest) Begin();
    written_ += static_cast<int64_t>(bytes.size());
    while (!bytes.empty()) {
      const ssize_t put = write(file_, bytes.data(), bytes.size());
      if (put <= 0) std::exit(1);
      bytes = bytes.subspan(static_cast<size_t>(put));
    }
  }

 private:
  static constexpr int64_t kLargest = int64_t{4} << 30;

  void Begin() {
    close(file_);
    unlink(name_.c_str());
    file_ = open(name_.c_str(), O_CREAT | O_WRONLY, 0600);
    written_ = 0;
  }

  const std::string name_;
  int file_ = -1;
  int64_t written_ = 0;
};

// The processes that are compared.
struct Peers {
  explicit Peers(size_t largest) : socket(SocketKind::kTcp, largest) {}

  RawSocketPeer socket;
  RawSocketPeer unix_socket{SocketKind::kUnix, kLargestForUnixSocket};
  NaivePeer naive;
  std::unique_ptr<RedisPeer> redis = RedisPeer::StartIfInstalled();
  ServerProcess server;
};

class Transfers {
 public:
  Transfers(const Options& options, Peers* peers)
      : seconds_(options.seconds),
        peers_(peers),
        file_(peers->server.NeighbourFile()),
        client_(Must(client::Client::Connect(peers->server.address()))),
        unix_client_(
            Must(client::Client::Connect(peers->server.unix_address()))),
        session_(Must(client_->OpenSession())) {
    if (peers->redis != nullptr) redis_ = peers->redis->Connect();
  }

  void Measure(const Size& size) {
    bytes_ = size.bytes;
    const Shape shape({size.bytes / 4});
    const std::string name = SizeName(size.bytes);
    const std::string key = absl::StrCat("v", size.bytes);
    client::Variable variable =
        Must(session_->GetVariable(key, shape, client::Zeros()));
    Must(session_->Initialize());
    const auto value = Must(Tensor::Create(DType::kFloat32, shape));
    std::ranges::fill(value->mutable_values<float>(), 1.0f);
    const std::span<std::byte> bytes = value->mutable_bytes();
    auto read = [&] {
      Must(variable.ReadInto(value->mutable_values<float>()));
    };
    auto assign = [&] { Must(variable.Assign(TensorRef(value))); };
    auto send = [&] { peers_->socket.Send(bytes); };

    Add(
        "ReadValue " + name + " / socket", read,
        [&] { peers_->socket.Receive(bytes); }, size.socket_read);
    if (size.unix_socket) {
      client::Variable same = Must(unix_client_->FindVariable(key));
      Add(
          "ReadValue " + name + ", unix socket / raw unix socket",
          [&] { Must(same.ReadInto(value->mutable_values<float>())); },
          [&] { peers_->unix_socket.Receive(bytes); }, 0);
    }
    Add("Assign " + name + " / socket", assign, send, 0);
    Add(
        "Assign " + name + " / socket, then write", assign,
        [&] {
          send();
          file_.Append(bytes);
        },
        0);
    // The log cannot be switched off: this is the way of the bytes alone.
    client::AssignOptions another;
    another.expected_version = 1;
    Add(
        "Assign " + name + ", refused / socket",
        [&] {
          auto refused = variable.Assign(TensorRef(value), another);
          if (!absl::IsAborted(refused.status())) std::exit(1);
        },
        send, size.socket_assign);
    if (redis_.has_value() && size.bytes <= kLargestForRedis) {
      redis_->Set(key, bytes);
      Add(
          "ReadValue " + name + " / Redis GET", read,
          [&] { redis_->Get(key, bytes.size()); }, size.redis);
      Add(
          "Assign " + name + " / Redis SET", assign,
          [&] { redis_->Set(key, bytes); }, size.redis);
      redis_->Set(key, {});
    }
    if (size.naive) {
      auto naive_read = [&] { peers_->naive.Read(); };
      auto naive_assign = [&] { peers_->naive.Assign(bytes.size()); };
      naive_assign();
      Add("ReadValue " + name + " / naive gRPC", read, naive_read, 0);
      Add("Assign " + name + " / naive gRPC", assign, naive_assign, 0);
    }
    if (size.bytes == kLargestForRedis) AddUpdate(variable, value);
  }

  Results TakeResults() { return std::move(results_); }

 private:
  void Add(const std::string& name, const std::function<void()>& subject,
           const std::function<void()>& yardstick, double goal) {
    TouchFreeMemory(size_t{3} << 30);  // about what a row appends to the log
    results_.rows.push_back(
        Compare(name, bytes_, seconds_, subject, yardstick, goal));
  }

  // The log cannot be switched off. Without it an AssignAdd is a transfer, as
  // of one that is refused, and the addition.
  void AddUpdate(const client::Variable& variable, const TensorRef& delta) {
    client::AssignOptions interval;
    interval.durability = Durability::kInterval;
    client::AssignOptions refused;
    refused.expected_version = 1;
    const auto sum = Must(Tensor::Create(delta->dtype(), delta->shape()));
    std::ranges::copy(delta->bytes(), sum->mutable_bytes().begin());
    Add(
        "AssignAdd 100 MB, interval / without a log",
        [&] { Must(variable.AssignAdd(delta, interval)); },
        [&] {
          auto status = variable.AssignAdd(delta, refused).status();
          if (!absl::IsAborted(status)) std::exit(1);
          UpdateInPlace(UpdateOp::kAdd, *delta, sum.get(), nullptr);
        },
        0.5);
    Add(
        "AssignAdd 100 MB, interval / write alone",
        [&] { Must(variable.AssignAdd(delta, interval)); },
        [&] { file_.Append(delta->bytes()); }, 0);
  }

  const double seconds_;
  int64_t bytes_ = 0;  // of the size that is measured now
  Peers* const peers_;
  PlainFile file_;
  std::optional<RedisClient> redis_;
  std::shared_ptr<client::Client> client_;
  std::shared_ptr<client::Client> unix_client_;
  std::shared_ptr<client::Session> session_;
  Results results_;
};

Results Measure(const Options& options) {
  std::vector<Size> sizes(std::begin(kSizes), std::end(kSizes));
  if (options.quick) sizes.pop_back();
  Peers peers(static_cast<size_t>(sizes.back().bytes));
  KeepFreedMemory();  // after the naive peer was forked
  Transfers transfers(options, &peers);
  for (const Size& size : sizes) transfers.Measure(size);
  return transfers.TakeResults();
}

}  // namespace
}  // namespace varkeep::benchmarks

int main(int argc, char** argv) {
  return varkeep::benchmarks::Main(
      argc, argv,
      "Reads and assigns of one client beside raw sockets, Redis and "
      "naive gRPC.",
      varkeep::benchmarks::Measure);
}
