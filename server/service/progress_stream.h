// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_SERVICE_PROGRESS_STREAM_H_
#define VARKEEP_SERVER_SERVICE_PROGRESS_STREAM_H_

#include <grpcpp/support/server_callback.h>

#include <memory>

#include "absl/functional/function_ref.h"
#include "base/mutex.h"

namespace varkeep {

// Streams the progress of something that takes long and then its result. At
// most one message is under way; what comes meanwhile replaces what was not
// sent yet. Deletes itself.
template <typename Response>
class ProgressStream : public grpc::ServerWriteReactor<Response> {
 public:
  using Fill = absl::FunctionRef<void(Response*)>;

  // Held by those who report, who may do so after the client is gone.
  // Thread-safe.
  class Reporter {
   public:
    // False when the client is gone.
    bool Report(Fill fill) {
      MutexLock lock(&mutex_);
      if (stream_ == nullptr) return false;
      stream_->Send(fill);
      return !stream_->ended_;
    }
    // Once, at the end. After an error `fill` is not called.
    void Finish(const grpc::Status& status, Fill fill) {
      MutexLock lock(&mutex_);
      if (stream_ == nullptr) return;
      stream_->finished_ = true;
      stream_->status_ = status;
      if (status.ok()) {
        stream_->Send(fill);
      } else {
        stream_->Continue();
      }
    }

   private:
    friend class ProgressStream;
    Mutex mutex_;
    ProgressStream* stream_ = nullptr;  // null: gone
  };

  ProgressStream() {
    MutexLock lock(&reporter_->mutex_);
    reporter_->stream_ = this;
  }
  std::shared_ptr<Reporter> reporter() const { return reporter_; }

  void OnWriteDone(bool ok) override {
    MutexLock lock(&reporter_->mutex_);
    writing_ = false;
    if (ok) {
      Continue();
    } else {
      End(grpc::Status::CANCELLED);
    }
  }
  void OnDone() override {
    {
      MutexLock lock(&reporter_->mutex_);
      reporter_->stream_ = nullptr;
    }
    delete this;
  }

 private:
  // All of these hold the reporter's mutex.
  void Send(Fill fill) {
    fill(&next_);
    pending_ = true;
    Continue();
  }
  void Continue() {
    if (writing_ || ended_) return;
    if (pending_) {
      pending_ = false;
      writing_ = true;
      sent_ = next_;
      this->StartWrite(&sent_);
    } else if (finished_) {
      End(status_);
    }
  }
  void End(const grpc::Status& status) {
    if (ended_) return;
    ended_ = true;
    this->Finish(status);
  }

  const std::shared_ptr<Reporter> reporter_ = std::make_shared<Reporter>();
  Response next_;
  Response sent_;
  bool pending_ = false;   // next_ was not sent yet
  bool writing_ = false;   // sent_ is under way
  bool finished_ = false;  // there is nothing more to report
  bool ended_ = false;
  grpc::Status status_;
};

}  // namespace varkeep

#endif  // VARKEEP_SERVER_SERVICE_PROGRESS_STREAM_H_
