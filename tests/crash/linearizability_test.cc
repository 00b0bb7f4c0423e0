// SPDX-License-Identifier: Apache-2.0
//
// Workers call a server that is killed and paused, and note what they saw. Of
// each variable there is one order of all calls that explains it.
//
// VARKEEP_LINEARIZABILITY_SECONDS says how long; 12 for each policy otherwise.
#include "tests/crash/linearizability.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <random>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/crash/pass_time.h"
#include "tests/crash/raw_client.h"
#include "tests/testing/server_process.h"
#include "tests/testing/status_matchers.h"

namespace varkeep {
namespace {

constexpr int kWorkers = 8;
constexpr int kCalls = 120;  // of each worker in a round
constexpr uint64_t kVariables = 4;
constexpr auto kTimeout = absl::Milliseconds(400);

using History = std::vector<RecordedCall>;  // of one variable

absl::Duration Budget() {
  const char* seconds = std::getenv("VARKEEP_LINEARIZABILITY_SECONDS");
  double number = 12;
  if (seconds != nullptr && !absl::SimpleAtod(seconds, &number)) std::abort();
  return absl::Seconds(number);
}

int64_t Now() {
  return std::chrono::steady_clock::now().time_since_epoch().count();
}

std::string NameOf(int round, uint64_t variable) {
  return absl::StrCat("round", round, "/v", variable);
}

// What one worker does in a round, and what it sees.
class Worker {
 public:
  Worker(const std::string& address, int round, uint64_t id)
      : round_(round), random_(id), client_(address, id, kTimeout) {}

  void Run() {
    for (int i = 0; i < kCalls; ++i) DoOne(random_() % kVariables);
  }
  const History& seen(uint64_t variable) const { return seen_[variable]; }

 private:
  void DoOne(uint64_t variable) {
    const std::string name = NameOf(round_, variable);
    RecordedCall call;
    call.kind = static_cast<RecordedCall::Kind>(random_() % 4);
    // Never the same: a value says by whom it is.
    call.argument = static_cast<int64_t>(random_() >> 2);
    call.expected_version = versions_[variable];
    call.began = Now();
    const absl::Status status = Send(name, &call);
    const int64_t ended = Now();
    if (RawClient::IsUnanswered(status)) {
      call.outcome = RecordedCall::kUnanswered;
      client_.WaitForServer();
    } else {
      call.ended = ended;
      if (absl::IsAborted(status)) {
        call.outcome = RecordedCall::kRefused;
      } else {
        EXPECT_OK(status);
        versions_[variable] = call.version;
      }
    }
    seen_[variable].push_back(call);
  }

  absl::Status Send(const std::string& name, RecordedCall* call) {
    if (call->kind == RecordedCall::kRead) {
      absl::StatusOr<RawValue> read = client_.Read(name);
      if (!read.ok()) return read.status();
      call->value = Int64Elements(read->bytes)[0];
      call->version = read->version;
      return absl::OkStatus();
    }
    v1::AssignHeader header = Int64Header(name, 1);
    *header.mutable_request_id() = client_.NextRequestId();
    const std::string bytes = Int64Bytes({call->argument});
    if (call->kind == RecordedCall::kCompareAndSet) {
      header.set_expected_version(call->expected_version);
    }
    absl::StatusOr<uint64_t> version = call->kind == RecordedCall::kAdd
                                           ? client_.AssignAdd(header, bytes)
                                           : client_.Assign(header, bytes);
    if (version.ok()) call->version = *version;
    return version.status();
  }

  const int round_;
  std::mt19937_64 random_;
  RawClient client_;
  uint64_t versions_[kVariables] = {};
  History seen_[kVariables];
};

class LinearizabilityTest : public ::testing::TestWithParam<const char*> {
 protected:
  // The value and version that the variables of a round begin with.
  std::vector<RegisterState> SetUpRound(int round) {
    RawClient client(server_.address(), NextId());
    std::vector<RegisterState> states;
    for (uint64_t i = 0; i < kVariables; ++i) {
      v1::GetVariableRequest declare;
      declare.mutable_variable()->set_name(NameOf(round, i));
      declare.mutable_variable()->set_dtype(v1::DTYPE_INT64);
      *declare.mutable_variable()->mutable_shape() = VectorShape(1);
      declare.mutable_variable()->mutable_initializer()->mutable_zeros();
      EXPECT_OK(client.GetVariable(declare));
      absl::StatusOr<uint64_t> version =
          client.Assign(Int64Header(NameOf(round, i), 1), Int64Bytes({0}));
      EXPECT_OK(version);
      states.push_back({0, version.value_or(0), true});
    }
    return states;
  }

  // A kill and a pause at random moments while the workers run.
  void Disturb() {
    PassTime(random_() % 150);
    if (random_() % 2 == 0) {
      server_.Pause();
      PassTime(random_() % 500);
      server_.Resume();
      PassTime(random_() % 50);
    }
    server_.Kill();
    server_.Start();
  }

  void JudgeRound(int round, const std::vector<RegisterState>& before,
                  const std::vector<std::unique_ptr<Worker>>& workers) {
    for (uint64_t variable = 0; variable < kVariables; ++variable) {
      History history;
      for (const auto& worker : workers) {
        const History& seen = worker->seen(variable);
        history.insert(history.end(), seen.begin(), seen.end());
      }
      for (const RecordedCall& call : history) {
        unanswered_ += call.outcome == RecordedCall::kUnanswered ? 1 : 0;
      }
      calls_ += static_cast<int64_t>(history.size());
      std::optional<RecordedCall> violation =
          FindViolation(before[variable], history);
      if (!violation) continue;
      ADD_FAILURE() << NameOf(round, variable) << " cannot be explained from "
                    << violation->ToString();
      for (const RecordedCall& call : history) {
        ADD_FAILURE() << call.ToString();
      }
    }
  }

  uint64_t NextId() { return ++last_id_; }

  std::mt19937_64 random_{7};
  ServerProcess server_{{"--durability", GetParam(), "--checkpoint-interval",
                         "1s", "--log-limit", "1MB"}};
  uint64_t last_id_ = 0;
  int64_t calls_ = 0;
  int64_t unanswered_ = 0;
};

TEST_P(LinearizabilityTest, OfWhatManyWorkersSeeOfAServerThatIsKilled) {
  const absl::Time end = absl::Now() + Budget();
  int round = 0;
  for (; absl::Now() < end && !HasFailure(); ++round) {
    server_.WaitUntilServing();
    const std::vector<RegisterState> before = SetUpRound(round);
    std::vector<std::unique_ptr<Worker>> workers;
    std::vector<std::thread> threads;
    for (int i = 0; i < kWorkers; ++i) {
      workers.push_back(
          std::make_unique<Worker>(server_.address(), round, NextId()));
      threads.emplace_back([worker = workers.back().get()] { worker->Run(); });
    }
    Disturb();
    for (std::thread& thread : threads) thread.join();
    JudgeRound(round, before, workers);
  }
  RecordProperty("rounds", round);
  std::printf("%d rounds, %ld calls, %ld of them unanswered\n", round, calls_,
              unanswered_);
  EXPECT_GT(unanswered_, 0);
}

INSTANTIATE_TEST_SUITE_P(Policies, LinearizabilityTest,
                         ::testing::Values("interval", "fsync"),
                         [](const auto& policy) {
                           return std::string(policy.param);
                         });

}  // namespace
}  // namespace varkeep
