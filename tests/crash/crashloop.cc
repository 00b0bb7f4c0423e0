// SPDX-License-Identifier: Apache-2.0
//
// A server under load that is killed (kill -9) again and again: at any moment,
// during a save, and during the start after a kill. After each start everything
// is compared with what was acknowledged. Exit code 1 when anything is lost,
// duplicated, torn, or does not start.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <future>
#include <random>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "tests/crash/verdict.h"
#include "tests/crash/workload.h"
#include "tests/testing/server_process.h"

namespace varkeep {
namespace {

struct Options {
  int kills = 25;
  std::string policy = "fsync";
  int longest_life = 2000;  // milliseconds
  WorkloadOptions workload;
};

// Not a wait for something to happen: the moment is what is tested.
void PassTime(uint64_t milliseconds) {
  std::promise<void> never;
  never.get_future().wait_for(std::chrono::milliseconds(milliseconds));
}

class CrashLoop {
 public:
  explicit CrashLoop(const Options& options)
      : options_(options),
        random_(options.workload.seed),
        server_({"--durability", options.policy, "--checkpoint-interval", "3s",
                 "--max-to-keep", "3", "--log-limit", "64MB"}) {
    options_.workload.address = server_.address();
    workload_.emplace(options_.workload, &verdict_);
    watcher_.emplace(server_.address(), kWatcher);
  }

  // True when nothing was wrong.
  bool Run() {
    workload_->SetUp();
    workload_->Start();
    bool alive = true;
    for (int i = 0; alive && i < options_.kills; ++i) {
      KillOnce();
      alive = WaitUntilServing();
      if (alive) workload_->Check(&*watcher_);
    }
    if (alive) {
      workload_->Stop();
      workload_->CheckTotals(&*watcher_);
      // Once more, from the disk.
      server_.Kill();
      server_.Start();
      if (WaitUntilServing()) workload_->CheckTotals(&*watcher_);
    }
    Report();
    // Writers wait for a server that does not come back.
    if (!alive) std::_Exit(1);
    return verdict_.first().empty();
  }

 private:
  static constexpr uint64_t kWatcher = 100;
  static constexpr uint64_t kSaver = 101;

  void KillOnce() {
    const uint64_t kind = random_() % 4;
    PassTime(10 + random_() % static_cast<uint64_t>(options_.longest_life));
    std::future<void> saving;
    if (kind == 0) {
      saving = std::async(std::launch::async, [address = server_.address()] {
        RawClient(address, kSaver).Save().IgnoreError();
      });
      PassTime(random_() % 150);
    }
    server_.Kill();
    ++kills_;
    if (HalfWritten() > 0) ++in_saves_;
    server_.Start();
    if (kind != 1) return;
    for (uint64_t again = 1 + random_() % 3; again > 0; --again) {
      PassTime(random_() % 60);
      server_.Kill();
      ++kills_;
      ++in_starts_;
      server_.Start();
    }
  }

  // Files of a save that was interrupted.
  int64_t HalfWritten() const {
    int64_t count = 0;
    for (const auto& file :
         std::filesystem::directory_iterator(server_.data_directory())) {
      if (file.path().extension() == ".tmp") ++count;
    }
    return count;
  }

  bool WaitUntilServing() {
    const absl::Time start = absl::Now();
    while (absl::Now() - start < absl::Minutes(2)) {
      if (!server_.IsRunning()) {
        verdict_.Violate(Verdict::kFailedStart, "the server ended by itself");
        return false;
      }
      absl::Status status = watcher_->Read("pushes").status();
      if (!RawClient::IsUnanswered(status)) {
        slowest_ = std::max(slowest_, absl::Now() - start);
        return true;
      }
      watcher_->WaitForServer();
    }
    verdict_.Violate(Verdict::kFailedStart, "no answer for two minutes");
    return false;
  }

  void Report() {
    const Workload::Counts& counts = workload_->counts();
    absl::PrintF(
        "crashloop: policy %s, seed %d: %d kills (%d during a start, %d during "
        "a save), slowest start %s; %d changes acknowledged, %d sent again, %d "
        "given up, %d reads: %d lost, %d duplicated, %d torn, %d failed "
        "starts, "
        "%d wrong answers\n",
        options_.policy, options_.workload.seed, kills_, in_starts_, in_saves_,
        absl::FormatDuration(absl::Trunc(slowest_, absl::Milliseconds(1))),
        counts.acknowledged.load(), counts.sent_again.load(),
        counts.given_up.load(), counts.reads.load(),
        verdict_.count(Verdict::kLost), verdict_.count(Verdict::kDuplicated),
        verdict_.count(Verdict::kTorn), verdict_.count(Verdict::kFailedStart),
        verdict_.count(Verdict::kWrongAnswer));
    for (const std::string& what : verdict_.first()) {
      absl::PrintF("  %s\n", what);
    }
    std::fflush(stdout);
  }

  Options options_;
  std::mt19937_64 random_;
  Verdict verdict_;
  ServerProcess server_;
  std::optional<Workload> workload_;
  std::optional<RawClient> watcher_;
  int64_t kills_ = 0;
  int64_t in_starts_ = 0;
  int64_t in_saves_ = 0;
  absl::Duration slowest_;
};

}  // namespace
}  // namespace varkeep

int main(int argc, char** argv) {
  varkeep::Options options;
  CLI::App app(
      "Kills a server under load again and again, and looks what it "
      "remembers.");
  app.add_option("--kills", options.kills, "Lives to end")
      ->capture_default_str();
  app.add_option("--policy", options.policy, "Of the server: --durability")
      ->check(CLI::IsMember({"none", "interval", "fsync"}))
      ->capture_default_str();
  app.add_option("--longest-life", options.longest_life,
                 "Milliseconds until a kill, at most")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--seed", options.workload.seed, "Of everything random")
      ->capture_default_str();
  app.add_option("--writers", options.workload.writers, "Workers that write")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--readers", options.workload.readers, "Workers that read")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--max-bytes", options.workload.max_bytes, "Largest value")
      ->transform(CLI::AsSizeValue(/*kb_is_1000=*/false))
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  return varkeep::CrashLoop(options).Run() ? 0 : 1;
}
