// SPDX-License-Identifier: Apache-2.0
//
// A server under load that is killed (kill -9) again and again: at any moment,
// during a save, and during the start after a kill. After each kill the
// directory is examined, after each start everything is compared with what was
// acknowledged. Exit code 1 when anything is lost, duplicated, torn, damaged or
// does not start; or when it was not shown what a kill during a save does.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <random>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "tests/crash/directory_witness.h"
#include "tests/crash/pass_time.h"
#include "tests/crash/slow_save.h"
#include "tests/crash/verdict.h"
#include "tests/crash/workload.h"
#include "tests/crash/workload_options.h"
#include "tests/testing/server_process.h"

namespace varkeep {
namespace {

struct Options {
  int kills = 25;
  std::string policy = "fsync";
  int longest_life = 2000;  // milliseconds
  WorkloadOptions workload;
};

class CrashLoop {
 public:
  explicit CrashLoop(const Options& options)
      : options_(options),
        random_(options.workload.seed),
        server_({"--durability", options.policy, "--checkpoint-interval", "3s",
                 "--max-to-keep", "3", "--log-limit", "64MB"}),
        witness_(server_.data_directory(), &verdict_) {
    options_.workload.address = server_.address();
    workload_.emplace(options_.workload, &verdict_);
    watcher_.emplace(server_.address(), kWatcher);
    saver_.emplace(server_.address(), kSaver);
  }

  // True when nothing was wrong.
  bool Run() {
    workload_->SetUp();
    PrepareSaves();
    workload_->Start();
    bool alive = true;
    for (int i = 0; alive && i < options_.kills; ++i) {
      EndLife(i);
      alive = WaitUntilServing();
      if (alive) {
        witness_.ExamineAlive();
        workload_->Check(&*watcher_);
      }
    }
    if (alive) {
      workload_->Stop();
      workload_->CheckTotals(&*watcher_);
      // Once more, from the disk.
      server_.Kill();
      server_.Start();
      if (WaitUntilServing()) workload_->CheckTotals(&*watcher_);
    }
    const bool proved = Report();
    // Writers wait for a server that does not come back.
    if (!alive) std::_Exit(1);
    return proved;
  }

 private:
  static constexpr uint64_t kWatcher = 100;
  static constexpr uint64_t kSaver = 101;
  // With so many kills, those that aim at a save have hit one.
  static constexpr int64_t kManyKills = 20;

  void PrepareSaves() {
    absl::Status status = saver_->SetUp();
    if (status.ok()) status = saver_->Run();
    if (status.ok()) return;
    verdict_.Violate(Verdict::kWrongAnswer,
                     absl::StrCat("the first save: ", status.ToString()));
  }

  // Of six lives two end in a save, and one is followed by some that end while
  // they start.
  void EndLife(int life) {
    PassTime(10 + random_() % static_cast<uint64_t>(options_.longest_life));
    if (life % 3 == 0) {
      KillInSave();
    } else {
      Kill();
    }
    if (witness_.ExamineDead()) ++in_saves_;
    server_.Start();
    if (life % 6 != 1) return;
    for (uint64_t again = 1 + random_() % 3; again > 0; --again) {
      PassTime(random_() % 60);
      Kill();
      ++in_starts_;
      witness_.ExamineDead();
      server_.Start();
    }
  }

  // While values are written, or in what follows: it is verified, synced, named
  // and listed.
  void KillInSave() {
    const double part = std::uniform_real_distribution<>(0, 1.25)(random_);
    const uint64_t later = random_() % 60;
    bool killed = false;
    saver_
        ->Run([&](double written) {
          if (killed || written < std::min(part, 1.0)) return;
          if (part > 1) PassTime(later);
          Kill();
          killed = true;
        })
        .IgnoreError();
    if (!killed) Kill();
  }

  void Kill() {
    server_.Kill();
    ++kills_;
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

  // True when nothing was wrong.
  bool Report() {
    const Workload::Counts& counts = workload_->counts();
    absl::PrintF(
        "crashloop: policy %s, seed %d: %d kills (%d during a start, %d during "
        "a save), slowest start %s; %d changes acknowledged, %d sent again, %d "
        "given up, %d reads: %d lost, %d duplicated, %d torn, %d failed "
        "starts, %d bad directories, %d wrong answers\n",
        options_.policy, options_.workload.seed, kills_, in_starts_, in_saves_,
        absl::FormatDuration(absl::Trunc(slowest_, absl::Milliseconds(1))),
        counts.acknowledged.load(), counts.sent_again.load(),
        counts.given_up.load(), counts.reads.load(),
        verdict_.count(Verdict::kLost), verdict_.count(Verdict::kDuplicated),
        verdict_.count(Verdict::kTorn), verdict_.count(Verdict::kFailedStart),
        verdict_.count(Verdict::kBadDirectory),
        verdict_.count(Verdict::kWrongAnswer));
    for (const std::string& what : verdict_.first()) {
      absl::PrintF("  %s\n", what);
    }
    const bool missed = in_saves_ == 0 && kills_ >= kManyKills;
    if (missed) {
      absl::PrintF("  no kill came during a save, so nothing is shown of it\n");
    }
    std::fflush(stdout);
    return verdict_.first().empty() && !missed;
  }

  Options options_;
  std::mt19937_64 random_;
  Verdict verdict_;
  ServerProcess server_;
  DirectoryWitness witness_;
  std::optional<Workload> workload_;
  std::optional<RawClient> watcher_;
  std::optional<SlowSave> saver_;
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
  varkeep::AddWorkloadOptions(&app, &options.workload);
  CLI11_PARSE(app, argc, argv);
  return varkeep::CrashLoop(options).Run() ? 0 : 1;
}
