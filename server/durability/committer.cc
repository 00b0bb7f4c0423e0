// SPDX-License-Identifier: Apache-2.0
#include "server/durability/committer.h"

#include "base/status_macros.h"
#include "server/durability/mutation_codec.h"

namespace varkeep {
namespace {

// Writing this many bytes takes longer than handing the work to a thread.
constexpr int64_t kLargeBytes = 256 << 10;

int64_t BytesOf(const storage::LogEntry& entry) {
  auto bytes = static_cast<int64_t>(entry.body.size());
  for (const TensorRef& tensor : entry.tensors) bytes += tensor->size_bytes();
  return bytes;
}

// Counts while it lives.
class Counting {
 public:
  Counting(std::atomic<int>* counter, bool counts)
      : counter_(counts ? counter : nullptr) {
    if (counter_ != nullptr) ++*counter_;
  }
  ~Counting() {
    if (counter_ != nullptr) --*counter_;
  }
  Counting(const Counting&) = delete;
  Counting& operator=(const Counting&) = delete;

 private:
  std::atomic<int>* const counter_;
};

}  // namespace

// Writes one mutation to the log.
class Committer::LoggedCommit final : public Journal {
 public:
  LoggedCommit(Committer* committer, const Mutation& mutation,
               const Request& request, storage::LogDraft* draft)
      : committer_(committer),
        mutation_(mutation),
        request_(request),
        draft_(draft),
        reached_(committer->Wanted(request)) {}

  absl::Status Commit(uint64_t revisions,
                      absl::FunctionRef<void(Revision)> publish) override {
    storage::LogEntry entry = EncodeMutation(mutation_, request_.id);
    entry.revisions = revisions;
    entry.draft = draft_;
    Counting counting(&committer_->large_commits_,
                      BytesOf(entry) > kLargeBytes);
    absl::StatusOr<Durability> reached =
        committer_->log_->Append(entry, reached_, publish);
    committer_->CountRefusal(reached.status());
    RETURN_IF_ERROR(reached.status());
    reached_ = *reached;
    committed_ = true;
    return absl::OkStatus();
  }

  bool committed() const { return committed_; }
  Durability reached() const { return reached_; }

 private:
  Committer* const committer_;
  const Mutation& mutation_;
  const Request& request_;
  storage::LogDraft* const draft_;
  Durability reached_;
  bool committed_ = false;
};

absl::StatusOr<Applied> Committer::Apply(const Mutation& mutation,
                                         const Request& request,
                                         storage::LogDraft* draft) {
  if (draining_) {
    return absl::UnavailableError(
        "the server is draining: it accepts no changes");
  }
  if (log_ == nullptr) return store_->Apply(mutation, request);
  LoggedCommit commit(this, mutation, request, draft);
  absl::StatusOr<Applied> applied = store_->Apply(mutation, request, &commit);
  RETURN_IF_ERROR(applied.status());
  applied->durability = commit.reached();
  if (!commit.committed()) {
    ASSIGN_OR_RETURN(applied->durability, Reach(request));
  }
  return applied;
}

std::unique_ptr<storage::LogDraft> Committer::Draft(const Mutation& mutation,
                                                    const Request& request) {
  if (log_ == nullptr) return nullptr;
  return log_->Draft(EncodeMutation(mutation, request.id));
}

Durability Committer::Wanted(const Request& request) const {
  return request.durability.value_or(durability_);
}

absl::StatusOr<Durability> Committer::Reach(const Request& request) {
  const Durability wanted = Wanted(request);
  if (log_ == nullptr || wanted != Durability::kFsync) return wanted;
  const storage::Log::State state = log_->state();
  if (state.synced < state.published) RETURN_IF_ERROR(log_->Sync());
  return wanted;
}

void Committer::CountRefusal(const absl::Status& error) {
  if (absl::IsResourceExhausted(error)) ++refused_full_;
  if (absl::IsUnavailable(error)) ++refused_broken_;
}

bool Committer::MayWait(const Request& request) const {
  return log_ != nullptr &&
         (Wanted(request) == Durability::kFsync || large_commits_ > 0);
}

}  // namespace varkeep
