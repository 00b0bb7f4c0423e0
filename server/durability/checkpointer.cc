// SPDX-License-Identifier: Apache-2.0
#include "server/durability/checkpointer.h"

#include <algorithm>
#include <future>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "server/durability/restore_plan.h"
#include "spdlog/spdlog.h"

namespace varkeep {
namespace {

using storage::CheckpointId;
using storage::CheckpointInfo;
using storage::CheckpointReader;
using storage::CheckpointStore;

// What one thread replays in a second, besides running initializers (./dev
// bench log, recover).
constexpr double kReplayBytesPerSecond = 1e9;
constexpr double kReplayChangesPerSecond = 2e5;

// A save that the length of the log asked for and that failed is tried again
// after this.
constexpr absl::Duration kLogSaveRetry = absl::Seconds(10);

std::vector<CheckpointInfo> ListedOrNone(CheckpointStore* checkpoints) {
  absl::StatusOr<std::vector<CheckpointInfo>> listed = checkpoints->List();
  return listed.ok() ? *std::move(listed) : std::vector<CheckpointInfo>();
}

}  // namespace

Checkpointer::Checkpointer(VariableStore* store, Committer* committer,
                           CheckpointStore* checkpoints, storage::Log* log,
                           Clock* clock, const Options& options)
    : store_(store),
      committer_(committer),
      checkpoints_(checkpoints),
      log_(log),
      clock_(clock),
      options_(options),
      retention_(options.retention, clock->Now(), ListedOrNone(checkpoints)) {
  std::vector<CheckpointInfo> listed = ListedOrNone(checkpoints);
  MutexLock lock(&mutex_);
  if (!listed.empty()) state_.last = listed.back();
  next_save_ = clock->Now() + options.interval;
  logged_when_saved_ = -options.replayed_bytes;
  thread_ = std::thread([this] { Run(); });
}

Checkpointer::~Checkpointer() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
  }
  changed_.NotifyAll();
  thread_.join();
}

void Checkpointer::Save(storage::CheckpointProgress progress, SaveDone done) {
  {
    MutexLock lock(&mutex_);
    waiting_.push_back({std::move(progress), std::move(done)});
  }
  changed_.NotifyAll();
}

absl::StatusOr<CheckpointInfo> Checkpointer::SaveAndWait() {
  std::promise<absl::StatusOr<CheckpointInfo>> saved;
  Save(nullptr, [&](absl::StatusOr<CheckpointInfo> info) {
    saved.set_value(std::move(info));
  });
  return saved.get_future().get();
}

void Checkpointer::Restore(
    const RestoreOptions& options,
    std::function<void(absl::StatusOr<RestoreReport>)> done) {
  Post([this, options, done = std::move(done)] { done(RestoreNow(options)); });
}

void Checkpointer::Describe(
    CheckpointId id, std::function<void(absl::StatusOr<Description>)> done) {
  Post([this, id, done = std::move(done)] { done(DescribeNow(id)); });
}

void Checkpointer::Delete(CheckpointId id,
                          std::function<void(absl::Status)> done) {
  Post([this, id, done = std::move(done)] { done(DeleteNow(id)); });
}

absl::StatusOr<std::vector<CheckpointInfo>> Checkpointer::List() {
  return checkpoints_->List();
}

absl::StatusOr<storage::VerifyReport> Checkpointer::Verify(
    CheckpointId id, const storage::VerifyProgress& progress) {
  ASSIGN_OR_RETURN(CheckpointInfo info, Resolve(id));
  return checkpoints_->Verify(info.id, progress);
}

Checkpointer::State Checkpointer::state() const {
  MutexLock lock(&mutex_);
  return state_;
}

void Checkpointer::Post(std::function<void()> job) {
  {
    MutexLock lock(&mutex_);
    jobs_.push_back(std::move(job));
  }
  changed_.NotifyAll();
}

// True when the interval is over. An unchanged store is not saved again.
bool Checkpointer::SaveIsDue() const {
  const bool interval_over =
      options_.interval > absl::ZeroDuration() && clock_->Now() >= next_save_;
  return interval_over || LogIsLong();
}

bool Checkpointer::LogIsLong() const {
  if (log_ == nullptr || clock_->Now() < next_log_save_) return false;
  const Revision saved = state_.last ? state_.last->revision : 0;
  const Revision published = log_->state().published;
  if (published <= saved) return false;
  const int64_t bytes = log_->state().appended_bytes - logged_when_saved_;
  const absl::Duration replay =
      absl::Seconds(static_cast<double>(bytes) / kReplayBytesPerSecond +
                    static_cast<double>(published - saved) /
                        kReplayChangesPerSecond) +
      store_->usage().initializing - initializing_when_saved_;
  return (options_.log_limit_bytes > 0 && bytes > options_.log_limit_bytes) ||
         replay > options_.log_limit_time;
}

void Checkpointer::WaitForWork() {
  absl::Duration wait = absl::Hours(24);
  if (options_.interval > absl::ZeroDuration()) {
    wait = std::min(wait, next_save_ - clock_->Now());
  }
  if (log_ != nullptr) wait = std::min(wait, options_.log_check_interval);
  changed_.WaitFor(&mutex_, absl::ToDoubleSeconds(wait));
}

void Checkpointer::Run() {
  for (;;) {
    std::vector<Waiter> waiters;
    std::deque<std::function<void()>> jobs;
    bool due = false;
    {
      MutexLock lock(&mutex_);
      if (waiting_.empty() && jobs_.empty() && !stopping_ && !SaveIsDue()) {
        WaitForWork();
      }
      due = SaveIsDue() && !stopping_;
      if (due) next_save_ = clock_->Now() + options_.interval;
      waiters.swap(waiting_);
      jobs.swap(jobs_);
      if (waiters.empty() && jobs.empty() && stopping_) return;
    }
    due = due && !IsSaved();
    for (const auto& job : jobs) job();
    if (!waiters.empty() || due) SaveFor(std::move(waiters));
    MendLog();
  }
}

bool Checkpointer::IsSaved() const {
  MutexLock lock(&mutex_);
  return state_.last && state_.last->revision == store_->usage().revision;
}

void Checkpointer::MendLog() {
  if (log_ == nullptr) return;
  absl::Status broken = log_->state().broken;
  if (log_works_ != broken.ok()) {
    log_works_ = broken.ok();
    if (!log_works_) {
      spdlog::error("the log broke, changes are refused: {}",
                    broken.ToString());
    }
    if (options_.on_log_change) options_.on_log_change(log_works_);
  }
  if (broken.ok()) return;
  // What was acknowledged may be nowhere but in memory.
  if (!IsSaved()) SaveFor({});
  if (!IsSaved()) return;
  absl::Status restarted = log_->Restart();
  if (!restarted.ok()) {
    spdlog::error("the log still does not work: {}", restarted.ToString());
    return;
  }
  log_works_ = true;
  spdlog::warn("the log works again, changes are accepted");
  if (options_.on_log_change) options_.on_log_change(true);
}

// The newest checkpoint may turn out damaged: the log leads from the one before
// to the present as well, if one is kept.
void Checkpointer::CutLog() {
  if (log_ == nullptr) return;
  std::vector<CheckpointInfo> listed = ListedOrNone(checkpoints_);
  const size_t spare = options_.retention.max_to_keep == 1 ? 0 : 1;
  if (listed.size() <= spare) return;
  const Revision kept = listed[listed.size() - 1 - spare].revision;
  absl::Status dropped = log_->DropThrough(kept);
  if (!dropped.ok()) {
    spdlog::warn("cannot drop the log up to revision {}: {}", kept,
                 dropped.ToString());
  }
}

void Checkpointer::SaveFor(std::vector<Waiter> waiters) {
  {
    MutexLock lock(&mutex_);
    state_.saving = true;
  }
  const absl::Time start = clock_->Now();
  const int64_t logged = log_ == nullptr ? 0 : log_->state().appended_bytes;
  const absl::Duration initializing = store_->usage().initializing;
  absl::StatusOr<CheckpointInfo> saved =
      SaveNow([&waiters](int64_t written, int64_t total) {
        for (const Waiter& waiter : waiters) {
          if (waiter.progress) waiter.progress(written, total);
        }
      });
  {
    MutexLock lock(&mutex_);
    state_.saving = false;
    state_.last_error = std::string(saved.status().message());
    if (saved.ok()) {
      state_.last = *saved;
      logged_when_saved_ = logged;
      initializing_when_saved_ = initializing;
    } else {
      next_log_save_ = start + kLogSaveRetry;
    }
  }
  if (saved.ok()) {
    spdlog::info("saved {}: revision {}, {} entries, {} bytes in {}",
                 saved->file, saved->revision, saved->entries,
                 saved->size_bytes,
                 absl::FormatDuration(clock_->Now() - start));
  } else {
    spdlog::error("save failed: {}", saved.status().ToString());
  }
  for (const Waiter& waiter : waiters) waiter.done(saved);
}

absl::StatusOr<CheckpointInfo> Checkpointer::SaveNow(
    const storage::CheckpointProgress& progress) {
  store_->FoldOverlays();
  ASSIGN_OR_RETURN(storage::CheckpointContents contents,
                   EncodeSnapshot(store_->Snapshot()));
  ASSIGN_OR_RETURN(CheckpointInfo info,
                   checkpoints_->Write(std::move(contents), progress));
  store_->FoldOverlays();
  // The new checkpoint is durable: one that cannot be removed is no failure.
  for (CheckpointId id : retention_.ToRemove(ListedOrNone(checkpoints_))) {
    absl::Status removed = checkpoints_->Remove(id);
    if (removed.ok()) {
      spdlog::info("removed checkpoint {}", id);
    } else {
      spdlog::warn("cannot remove checkpoint {}: {}", id, removed.ToString());
    }
  }
  CutLog();
  return info;
}

absl::StatusOr<CheckpointInfo> Checkpointer::Resolve(CheckpointId id) {
  ASSIGN_OR_RETURN(std::vector<CheckpointInfo> listed, checkpoints_->List());
  if (id == 0 && !listed.empty()) return listed.back();
  for (const CheckpointInfo& info : listed) {
    if (info.id == id) return info;
  }
  if (id == 0) return absl::NotFoundError("there is no checkpoint yet");
  return absl::NotFoundError(absl::StrCat("there is no checkpoint ", id));
}

absl::StatusOr<RestoreReport> Checkpointer::RestoreNow(
    const RestoreOptions& options) {
  ASSIGN_OR_RETURN(CheckpointInfo info, Resolve(options.id));
  ASSIGN_OR_RETURN(std::unique_ptr<CheckpointReader> reader,
                   checkpoints_->Open(info.id));
  ASSIGN_OR_RETURN(std::vector<StoredVariable> stored,
                   DecodeVariables(reader.get()));
  ASSIGN_OR_RETURN(std::vector<PlannedRestore> plan,
                   PlanRestore(options, std::move(stored)));
  RestoreReport report;
  report.checkpoint = info;
  RestoreMutation mutation;
  for (PlannedRestore& planned : plan) {
    TensorRef value;
    if (planned.source.has_value && !options.dry_run) {
      ASSIGN_OR_RETURN(value, reader->Read(planned.source.entry));
    }
    const bool exists =
        store_
            ->Find(planned.source.info.container, planned.source.info.spec.name)
            .ok();
    report.items.push_back({planned.checkpoint_name, planned.source.info,
                            !exists, planned.source.has_value});
    mutation.items.push_back(
        {std::move(planned.source.info), std::move(value)});
  }
  if (options.dry_run) {
    RETURN_IF_ERROR(store_->CheckRestorable(mutation));
    return report;
  }
  ASSIGN_OR_RETURN(Applied applied,
                   committer_->Apply(mutation, options.request));
  if (applied.duplicate) report = {};
  report.duplicate = applied.duplicate;
  report.durability = applied.durability;
  report.revision = applied.revision;
  if (report.duplicate) return report;
  spdlog::info("restored {} variables of {} at revision {}",
               report.items.size(), info.file, report.revision);
  return report;
}

absl::StatusOr<Checkpointer::Description> Checkpointer::DescribeNow(
    CheckpointId id) {
  Description description;
  ASSIGN_OR_RETURN(description.checkpoint, Resolve(id));
  ASSIGN_OR_RETURN(std::unique_ptr<CheckpointReader> reader,
                   checkpoints_->Open(description.checkpoint.id));
  ASSIGN_OR_RETURN(std::vector<StoredVariable> stored,
                   DecodeVariables(reader.get()));
  for (StoredVariable& variable : stored) {
    description.variables.push_back(std::move(variable.info));
  }
  return description;
}

absl::Status Checkpointer::DeleteNow(CheckpointId id) {
  ASSIGN_OR_RETURN(CheckpointInfo info, Resolve(id));
  ASSIGN_OR_RETURN(CheckpointInfo newest, Resolve(0));
  if (info.id == newest.id) {
    return absl::FailedPreconditionError(absl::StrCat(
        "checkpoint ", info.id, " is the newest one and is not deleted"));
  }
  return checkpoints_->Remove(info.id);
}

}  // namespace varkeep
