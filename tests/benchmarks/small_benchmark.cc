// SPDX-License-Identifier: Apache-2.0
//
// What a small call costs, and what helps: calls under way at once, many values
// in one call, asking only for what is newer. Beside Redis over loopback, in
// the same run.
//
//   small_benchmark [--quick] [--json FILE]
#include <algorithm>
#include <barrier>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/keep_freed_memory.h"
#include "client/client.h"
#include "tests/benchmarks/measure.h"
#include "tests/benchmarks/redis_peer.h"
#include "tests/benchmarks/server_process.h"

namespace varkeep::benchmarks {
namespace {

constexpr int64_t kBytes = 64;
constexpr int64_t kElements = kBytes / 4;
constexpr int kMany = 1000;
constexpr int kCallsAtOnce = 20;  // of each thread in one measurement

using Floats = std::vector<float>;

// Threads that make calls together. Measured runs begin with all of them there.
class Crowd {
 public:
  // call(i) is thread i's.
  Crowd(int threads, const std::function<void(int)>& call)
      : begin_(threads + 1), end_(threads + 1) {
    for (int i = 0; i < threads; ++i) {
      threads_.emplace_back([this, call, i] {
        for (begin_.arrive_and_wait(); !stopping_; begin_.arrive_and_wait()) {
          for (int n = 0; n < kCallsAtOnce; ++n) call(i);
          end_.arrive_and_wait();
        }
      });
    }
  }
  ~Crowd() {
    stopping_ = true;
    begin_.arrive_and_wait();
    for (std::thread& thread : threads_) thread.join();
  }
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  void Run() {
    begin_.arrive_and_wait();
    end_.arrive_and_wait();
  }

 private:
  std::barrier<> begin_;
  std::barrier<> end_;
  bool stopping_ = false;  // written before a barrier, read behind it
  std::vector<std::thread> threads_;
};

class SmallCalls {
 public:
  // Without `redis`: without its rows.
  SmallCalls(const Options& options, const RedisPeer* redis,
             const ServerProcess* server)
      : seconds_(options.seconds),
        redis_(redis),
        client_(Must(client::Client::Connect(server->address()))),
        session_(Must(client_->OpenSession())) {
    for (int i = 0; i < kMany; ++i) {
      keys_.push_back(absl::StrCat("small", i));
      variables_.push_back(Must(session_->GetVariable(
          keys_.back(), Shape({kElements}), client::Ones())));
    }
    Must(session_->Initialize());
    if (redis_ == nullptr) return;
    RedisClient setter = redis_->Connect();
    for (const std::string& key : keys_) setter.Set(key, Bytes(value_));
  }

  void InFlight(int threads, double goal) {
    if (redis_ == nullptr) return;
    std::vector<RedisClient> connections;
    for (int i = 0; i < threads; ++i) {
      connections.push_back(redis_->Connect());
    }
    std::vector<Floats> memory(static_cast<size_t>(threads), value_);
    auto at = [](auto& list, int i) -> auto& {
      return list[static_cast<size_t>(i)];
    };
    const std::string suffix = absl::StrCat(" 64 B, ", threads, " in flight");
    Add(
        "ReadValue" + suffix + " / Redis GET", threads, goal,
        [&](int i) {
          Must(at(variables_, i).ReadInto(std::span(at(memory, i))));
        },
        [&](int i) { at(connections, i).Get(at(keys_, i), kBytes); });
    Add(
        "Assign" + suffix + " / Redis SET", threads, goal,
        [&](int i) {
          Must(at(variables_, i).Assign(std::span<const float>(at(memory, i))));
        },
        [&](int i) { at(connections, i).Set(at(keys_, i), Bytes(value_)); });
  }

  void Batches() {
    Floats memory = value_;
    auto batch = [&] { Must(session_->ReadSnapshot(variables_)); };
    Add("ReadValues 1,000 x 64 B / 1,000 ReadValue", 100, batch, [&] {
      for (const client::Variable& variable : variables_) {
        Must(variable.ReadInto(std::span(memory)));
      }
    });
    if (redis_ == nullptr) return;
    RedisClient connection = redis_->Connect();
    Add("ReadValues 1,000 x 64 B / Redis MGET", 1, batch,
        [&] { connection.GetAll(keys_); });
  }

  void NotNewer() {
    client::Variable large = Must(
        session_->GetVariable("large", Shape({25'000'000}), client::Ones()));
    Must(session_->Initialize());
    const uint64_t version = Must(large.ReadVersioned()).version;
    Floats memory = value_;
    Add(
        "ReadIfNewer 100 MB, is not / ReadValue 64 B", 0.9,
        [&] { Must(large.ReadIfNewer(version)); },
        [&] { Must(variables_[0].ReadInto(std::span(memory))); });
  }

  std::vector<Row> TakeRows() { return std::move(rows_); }

 private:
  static std::span<const std::byte> Bytes(const Floats& floats) {
    return std::as_bytes(std::span(floats));
  }

  void Add(const std::string& name, double goal,
           const std::function<void()>& subject,
           const std::function<void()>& yardstick) {
    rows_.push_back(Compare(name, 0, seconds_, subject, yardstick, goal));
  }
  void Add(const std::string& name, int threads, double goal,
           const std::function<void(int)>& subject,
           const std::function<void(int)>& yardstick) {
    Crowd subjects(threads, subject);
    Crowd yardsticks(threads, yardstick);
    Add(
        absl::StrCat(name, " (x", threads * kCallsAtOnce, ")"), goal,
        [&] { subjects.Run(); }, [&] { yardsticks.Run(); });
  }

  const double seconds_;
  const RedisPeer* const redis_;
  const Floats value_ = Floats(kElements, 1.0f);
  std::shared_ptr<client::Client> client_;
  std::shared_ptr<client::Session> session_;
  std::vector<std::string> keys_;
  std::vector<client::Variable> variables_;
  std::vector<Row> rows_;
};

Results Measure(const Options& options) {
  KeepFreedMemory();
  const auto redis = RedisPeer::StartIfInstalled();
  ServerProcess server;
  SmallCalls calls(options, redis.get(), &server);
  calls.InFlight(1, 0.65);
  calls.InFlight(8, 0);
  calls.InFlight(64, 0.65);
  calls.Batches();
  calls.NotNewer();
  return {calls.TakeRows(), {}};
}

}  // namespace
}  // namespace varkeep::benchmarks

int main(int argc, char** argv) {
  return varkeep::benchmarks::Main(
      argc, argv, "Small calls: latency, rate and batches, beside Redis.",
      varkeep::benchmarks::Measure);
}
