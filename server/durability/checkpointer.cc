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

std::vector<CheckpointInfo> ListedOrNone(CheckpointStore* checkpoints) {
  absl::StatusOr<std::vector<CheckpointInfo>> listed = checkpoints->List();
  return listed.ok() ? *std::move(listed) : std::vector<CheckpointInfo>();
}

}  // namespace

Checkpointer::Checkpointer(VariableStore* store, Committer* committer,
                           CheckpointStore* checkpoints, Clock* clock,
                           const Options& options)
    : store_(store),
      committer_(committer),
      checkpoints_(checkpoints),
      clock_(clock),
      options_(options),
      retention_(options.retention, clock->Now(), ListedOrNone(checkpoints)) {
  std::vector<CheckpointInfo> listed = ListedOrNone(checkpoints);
  MutexLock lock(&mutex_);
  if (!listed.empty()) state_.last = listed.back();
  next_save_ = clock->Now() + options.interval;
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
  return options_.interval > absl::ZeroDuration() &&
         clock_->Now() >= next_save_;
}

void Checkpointer::Run() {
  for (;;) {
    std::vector<Waiter> waiters;
    std::deque<std::function<void()>> jobs;
    bool periodic = false;
    {
      MutexLock lock(&mutex_);
      while (waiting_.empty() && jobs_.empty() && !stopping_ && !SaveIsDue()) {
        if (options_.interval > absl::ZeroDuration()) {
          const absl::Duration left = next_save_ - clock_->Now();
          changed_.WaitFor(
              &mutex_, absl::ToDoubleSeconds(std::min(left, absl::Hours(24))));
        } else {
          changed_.Wait(&mutex_);
        }
      }
      periodic = SaveIsDue() && !stopping_;
      if (periodic) next_save_ = clock_->Now() + options_.interval;
      waiters.swap(waiting_);
      jobs.swap(jobs_);
      if (waiters.empty() && jobs.empty() && stopping_) return;
      const bool changed =
          !state_.last || state_.last->revision != store_->usage().revision;
      periodic = periodic && changed;
    }
    for (const auto& job : jobs) job();
    if (!waiters.empty() || periodic) SaveFor(std::move(waiters));
  }
}

void Checkpointer::SaveFor(std::vector<Waiter> waiters) {
  {
    MutexLock lock(&mutex_);
    state_.saving = true;
  }
  const absl::Time start = clock_->Now();
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
    if (saved.ok()) state_.last = *saved;
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
  ASSIGN_OR_RETURN(
      CheckpointInfo info,
      checkpoints_->Write(EncodeSnapshot(store_->Snapshot()), progress));
  // The new checkpoint is durable: one that cannot be removed is no failure.
  for (CheckpointId id : retention_.ToRemove(ListedOrNone(checkpoints_))) {
    absl::Status removed = checkpoints_->Remove(id);
    if (removed.ok()) {
      spdlog::info("removed checkpoint {}", id);
    } else {
      spdlog::warn("cannot remove checkpoint {}: {}", id, removed.ToString());
    }
  }
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
  ASSIGN_OR_RETURN(Applied applied, committer_->Apply(mutation));
  report.revision = applied.revision;
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
