// SPDX-License-Identifier: Apache-2.0
#include "client/internal/shared_reads.h"

#include <atomic>
#include <map>
#include <optional>
#include <utility>

#include "base/status_macros.h"

namespace varkeep::client {
namespace {

// One call travels while the answer of another is read.
constexpr int kCalls = 2;
constexpr size_t kLargestGroup = 1000;

bool IsOfTheVariables(const absl::Status& error) {
  return !absl::IsUnavailable(error) && !absl::IsDeadlineExceeded(error);
}

}  // namespace

struct SharedReads::Request {
  const Key* key = nullptr;
  // Of the thread that sends; empty: to be read alone.
  std::optional<absl::StatusOr<Value>> result;

  enum Phase : uint32_t { kWaiting, kSends, kDone };
  std::atomic<uint32_t> phase = kWaiting;

  // The request may be gone as soon as its phase has changed.
  void Wake(Phase now) {
    phase.store(now);
    phase.notify_one();
  }
};

absl::StatusOr<SharedReads::Value> SharedReads::Read(const Key& key) {
  Request request;
  request.key = &key;
  {
    MutexLock lock(&mutex_);
    if (calls_ < kCalls) {
      ++calls_;
      request.phase = Request::kSends;
    } else {
      waiting_.push_back(&request);
    }
  }
  request.phase.wait(Request::kWaiting);
  if (request.phase == Request::kSends) {
    const Group group = TakeGroup(&request);
    ReadGroup(group);
    EndTurn();
    for (Request* member : group) {
      if (member != &request) member->Wake(Request::kDone);
    }
  }
  if (!request.result.has_value()) return ReadAlone(key);
  return *std::move(request.result);
}

// The sender, and those that wait for variables of the same container.
SharedReads::Group SharedReads::TakeGroup(Request* sender) {
  Group group = {sender};
  MutexLock lock(&mutex_);
  while (!waiting_.empty() && group.size() < kLargestGroup &&
         waiting_.front()->key->container == sender->key->container) {
    group.push_back(waiting_.front());
    waiting_.pop_front();
  }
  return group;
}

void SharedReads::ReadGroup(const Group& group) {
  std::vector<std::string> names;
  std::map<std::string, size_t> places;
  for (const Request* member : group) {
    if (places.emplace(member->key->name, names.size()).second) {
      names.push_back(member->key->name);
    }
  }
  auto values = read_all_(group[0]->key->container, names);
  for (Request* member : group) {
    if (values.ok()) {
      member->result = (*values)[places[member->key->name]];
    } else if (names.size() == 1 || !IsOfTheVariables(values.status())) {
      member->result = values.status();
    }
  }
}

void SharedReads::EndTurn() {
  Request* next = nullptr;
  {
    MutexLock lock(&mutex_);
    if (waiting_.empty()) {
      --calls_;
      return;
    }
    next = waiting_.front();
    waiting_.pop_front();
  }
  next->Wake(Request::kSends);
}

absl::StatusOr<SharedReads::Value> SharedReads::ReadAlone(const Key& key) {
  ASSIGN_OR_RETURN(std::vector<Value> values,
                   read_all_(key.container, {key.name}));
  return std::move(values[0]);
}

}  // namespace varkeep::client
