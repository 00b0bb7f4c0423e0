// SPDX-License-Identifier: Apache-2.0
#include "server/durability/scrubber.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "spdlog/spdlog.h"

namespace varkeep {
namespace {

using storage::CheckpointId;
using storage::CheckpointInfo;
using storage::Damage;
using storage::VerifyReport;

std::string Describe(const VerifyReport& report) {
  std::string text;
  for (const Damage& damage : report.damage) {
    absl::StrAppend(&text, text.empty() ? "" : "; ", damage.file);
    if (!damage.entry.empty()) {
      absl::StrAppend(&text, ", entry '", damage.entry, "'");
    }
    absl::StrAppend(&text, ": ", damage.message);
  }
  return text;
}

}  // namespace

Scrubber::Scrubber(storage::CheckpointStore* checkpoints, Clock* clock,
                   const Options& options)
    : checkpoints_(checkpoints), clock_(clock), options_(options) {
  thread_ = std::thread([this] { Run(); });
}

Scrubber::~Scrubber() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
  }
  changed_.NotifyAll();
  thread_.join();
}

void Scrubber::Wake() {
  {
    MutexLock lock(&mutex_);
    woken_ = true;
  }
  changed_.NotifyAll();
}

Scrubber::State Scrubber::state() const {
  MutexLock lock(&mutex_);
  return state_;
}

void Scrubber::Run() {
  for (;;) {
    std::optional<CheckpointId> due = NextDue();
    if (due.has_value()) Verify(*due);
    MutexLock lock(&mutex_);
    if (!due.has_value() && !stopping_) WaitAtMost(options_.poll);
    if (stopping_) return;
  }
}

std::optional<CheckpointId> Scrubber::NextDue() {
  absl::StatusOr<std::vector<CheckpointInfo>> listed = checkpoints_->List();
  if (!listed.ok()) return std::nullopt;
  std::set<CheckpointId> ids;
  for (const CheckpointInfo& info : *listed) ids.insert(info.id);
  const absl::Time now = clock_->Now();
  MutexLock lock(&mutex_);
  std::erase_if(state_.verdicts, [&](const auto& verdict) {
    return !ids.contains(verdict.first);
  });
  std::optional<CheckpointId> due;
  absl::Time oldest = now - options_.interval;
  // The newest first among those not verified yet: it is the one to be loaded.
  for (auto id = ids.rbegin(); id != ids.rend(); ++id) {
    auto verdict = state_.verdicts.find(*id);
    if (verdict == state_.verdicts.end()) return *id;
    if (verdict->second.at > oldest) continue;
    oldest = verdict->second.at;
    due = *id;
  }
  return due;
}

void Scrubber::Verify(CheckpointId id) {
  const absl::Time start = clock_->Now();
  {
    MutexLock lock(&mutex_);
    state_.verifying = id;
  }
  int64_t counted = 0;
  absl::StatusOr<VerifyReport> report =
      checkpoints_->Verify(id, [&](int64_t bytes, int64_t /*all*/) {
        {
          MutexLock lock(&mutex_);
          state_.bytes += bytes - counted;
        }
        counted = bytes;
        return Pace(start, bytes);
      });
  Verdict verdict;
  verdict.at = clock_->Now();
  if (report.ok()) {
    verdict.what = Describe(*report);
    verdict.damaged = !report->damage.empty();
  } else {
    verdict.what = std::string(report.status().message());
  }
  if (verdict.damaged) {
    spdlog::error("checkpoint {} is damaged: {}", id, verdict.what);
  } else if (!report.ok() && !absl::IsNotFound(report.status()) &&
             !absl::IsCancelled(report.status())) {
    spdlog::warn("cannot verify checkpoint {}: {}", id, verdict.what);
  }
  MutexLock lock(&mutex_);
  state_.verifying.reset();
  // Removed meanwhile, or to stop.
  if (absl::IsNotFound(report.status()) || absl::IsCancelled(report.status())) {
    return;
  }
  state_.verdicts[id] = std::move(verdict);
}

bool Scrubber::Pace(absl::Time start, int64_t bytes) {
  const absl::Time may_go_on =
      start + absl::Seconds(static_cast<double>(bytes) /
                            static_cast<double>(options_.bytes_per_second));
  MutexLock lock(&mutex_);
  while (!stopping_) {
    const absl::Duration left = may_go_on - clock_->Now();
    if (left <= absl::ZeroDuration()) return true;
    WaitAtMost(left);
  }
  return false;
}

void Scrubber::WaitAtMost(absl::Duration duration) {
  if (!woken_) {
    changed_.WaitFor(
        &mutex_, absl::ToDoubleSeconds(std::min(duration, absl::Hours(24))));
  }
  woken_ = false;
}

}  // namespace varkeep
