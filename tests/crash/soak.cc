// SPDX-License-Identifier: Apache-2.0
//
// A server under load for long, that saves every few seconds: memory,
// descriptors and disk must not grow. The first quarter of the time is for
// warming up; the last is compared with the second. Exit code 1 when something
// grew, or a value was wrong.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "client/admin_client.h"
#include "client/client.h"
#include "tests/crash/pass_time.h"
#include "tests/crash/resource_use.h"
#include "tests/crash/verdict.h"
#include "tests/crash/workload.h"
#include "tests/crash/workload_options.h"
#include "tests/testing/server_process.h"

namespace varkeep {
namespace {

constexpr int64_t kMebibyte = 1 << 20;
constexpr int64_t kSegmentBytes = 64 * kMebibyte;

struct Options {
  double minutes = 10;
  int interval = 5;  // seconds
  int keep = 5;
  int64_t log_limit = 64 * kMebibyte;
  std::string policy = "interval";
  WorkloadOptions workload;
};

class Soak {
 public:
  explicit Soak(const Options& options)
      : options_(options),
        server_({"--durability", options.policy, "--checkpoint-interval",
                 absl::StrCat(options.interval, "s"), "--max-to-keep",
                 absl::StrCat(options.keep), "--log-limit",
                 absl::StrCat(options.log_limit, "b")}),
        client_(client::Client::Connect(server_.address()).value()),
        admin_(*client_) {
    options_.workload.address = server_.address();
    workload_.emplace(options_.workload, &verdict_);
  }

  // True when nothing grew and nothing was wrong.
  bool Run() {
    workload_->SetUp();
    workload_->Start();
    PrintHead();
    std::vector<ResourceSummary> quarters;
    for (int i = 1; i <= 4; ++i) {
      quarters.push_back(RunQuarter());
      PrintQuarter(i, quarters.back());
    }
    workload_->Stop();
    RawClient reader(server_.address(), kReader);
    workload_->CheckTotals(&reader);
    for (const std::string& what : verdict_.first()) {
      absl::PrintF("  %s\n", what);
    }
    return Judge(quarters[1], quarters[3]) && verdict_.first().empty();
  }

 private:
  static constexpr uint64_t kReader = 100;

  ResourceSummary RunQuarter() {
    const absl::Time end = absl::Now() + absl::Minutes(options_.minutes / 4);
    std::vector<ResourceUse> samples;
    do {
      PassTime(1000);
      samples.push_back(ResourceUseOf(server_.pid(), server_.data_directory()));
      absl::StatusOr<client::ServerStatus> status = admin_.Status();
      if (!status.ok() || !status->last_save_error.empty()) {
        verdict_.Violate(
            Verdict::kWrongAnswer,
            absl::StrCat("status: ", status.status().ToString(), " ",
                         status.ok() ? status->last_save_error : ""));
        continue;
      }
      values_ = std::max(values_, static_cast<int64_t>(status->value_bytes));
      if (status->last_checkpoint) saves_ = status->last_checkpoint->id;
      const auto log_bytes = static_cast<int64_t>(status->log_bytes);
      logged_ = std::max(logged_, log_bytes - log_bytes_);
      log_bytes_ = log_bytes;
    } while (absl::Now() < end);
    return Summarize(samples);
  }

  void PrintHead() {
    absl::PrintF(
        "soak: %g minutes, policy %s, a checkpoint every %d s, %d kept\n"
        "         changes  checkpoints   resident MiB   descriptors   disk "
        "MiB    log MiB\n"
        "quarter                        median   peak   median peak      "
        "peak       peak\n",
        options_.minutes, options_.policy, options_.interval, options_.keep);
    std::fflush(stdout);
  }

  void PrintQuarter(int number, const ResourceSummary& use) {
    absl::PrintF("%7d %8d %12d %8.1f %6.1f %8d %4d %9.1f %10.1f\n", number,
                 workload_->counts().acknowledged.load(), saves_,
                 Mebibytes(use.median.resident_bytes),
                 Mebibytes(use.peak.resident_bytes), use.median.descriptors,
                 use.peak.descriptors, Mebibytes(use.peak.disk_bytes),
                 Mebibytes(use.peak.log_bytes));
    std::fflush(stdout);
  }

  bool Judge(const ResourceSummary& early, const ResourceSummary& late) {
    // A mebibyte an hour; half of the run lies between the two. The 5% are for
    // freed memory that is kept (base/keep_freed_memory.h); docs/roadmap.md has
    // what is open here.
    const double hours = options_.minutes / 60 / 2;
    const double resident = Mebibytes(early.median.resident_bytes);
    bool good =
        AtMost("median of resident MiB", Mebibytes(late.median.resident_bytes),
               resident * 1.05 + hours);
    good &= AtMost("peak of resident MiB", Mebibytes(late.peak.resident_bytes),
                   Mebibytes(early.peak.resident_bytes) * 1.1);
    // Segments and checkpoints come and go.
    good &= AtMost("median of descriptors",
                   static_cast<double>(late.median.descriptors),
                   static_cast<double>(early.median.descriptors) + 2);
    // It goes back to the checkpoint before the newest. A save begins a second
    // after the limit was reached and takes its time.
    const double log =
        2 * Mebibytes(options_.log_limit + 2 * logged_ + kSegmentBytes);
    good &= AtMost("peak of log MiB", Mebibytes(late.peak.log_bytes), log);
    good &= AtMost("peak of checkpoints MiB",
                   Mebibytes(late.peak.disk_bytes - late.peak.log_bytes),
                   (options_.keep + 1) * (Mebibytes(values_) * 1.05 + 1));
    return good;
  }

  static bool AtMost(const char* what, double value, double limit) {
    absl::PrintF("%-28s %8.1f, at most %8.1f: %s\n", what, value, limit,
                 value <= limit ? "good" : "TOO MUCH");
    return value <= limit;
  }

  static double Mebibytes(int64_t bytes) {
    return static_cast<double>(bytes) / kMebibyte;
  }

  Options options_;
  Verdict verdict_;
  ServerProcess server_;
  std::shared_ptr<client::Client> client_;
  client::AdminClient admin_;
  std::optional<Workload> workload_;
  int64_t values_ = 0;  // bytes of all values, at most
  int64_t saves_ = 0;
  int64_t log_bytes_ = 0;
  int64_t logged_ = 0;  // bytes in a second, at most
};

}  // namespace
}  // namespace varkeep

int main(int argc, char** argv) {
  varkeep::Options options;
  options.workload.max_bytes = varkeep::kMebibyte / 4;
  options.workload.writers = 2;
  options.workload.readers = 1;
  CLI::App app("Runs a server under load and looks whether it grows.");
  app.add_option("--minutes", options.minutes, "How long")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--interval", options.interval, "Seconds between checkpoints")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--keep", options.keep, "Checkpoints to keep")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--policy", options.policy, "Of the server: --durability")
      ->check(CLI::IsMember({"none", "interval", "fsync"}))
      ->capture_default_str();
  varkeep::AddWorkloadOptions(&app, &options.workload);
  CLI11_PARSE(app, argc, argv);
  return varkeep::Soak(options).Run() ? 0 : 1;
}
