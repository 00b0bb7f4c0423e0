// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_CLIENT_INTERNAL_SHARED_CALLS_H_
#define VARKEEP_CLIENT_INTERNAL_SHARED_CALLS_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "base/mutex.h"

namespace varkeep::client {

// Whether a call for several items may have failed because of one of them: the
// others are worth another call then.
inline bool IsOfOneItem(const absl::Status& error) {
  return !absl::IsUnavailable(error) && !absl::IsDeadlineExceeded(error);
}

// Items of several threads that travel in one call: a call costs the same for
// one small item as for many. A thread that comes while few calls are under way
// sends its item at once; those that come meanwhile wait, and the first of them
// sends what all of them brought. So no call begins before its items came, and
// a thread alone never waits. Thread-safe.
template <typename Item>
class SharedCalls {
 public:
  // Whether `item` may travel with `other`, which came before.
  using MayJoin = bool (*)(const Item& other, const Item& item);
  // One call; called by several threads at once, each with items of its own.
  using Send = std::function<void(const std::vector<Item*>& items)>;

  SharedCalls(MayJoin may_join, Send send)
      : may_join_(may_join), send_(std::move(send)) {}

  // Returns when `item` was sent, by this thread or by another.
  void Run(Item* item) {
    Waiter self(item);
    if (!Enter(&self)) return send_(self.items);
    self.phase.wait(kWaiting);
    if (self.phase == kDone) return;
    send_(self.items);
    EndCall();
    for (Waiter* other : self.others) other->Wake(kDone);
  }

 private:
  // One call travels while the answer of another is read.
  static constexpr int kCalls = 2;
  static constexpr size_t kLargestGroup = 1000;

  enum Phase : uint32_t { kWaiting, kSends, kDone };
  struct Waiter {
    explicit Waiter(Item* item) : items({item}) {}

    std::vector<Item*> items;     // its own first; all to be sent, for a sender
    std::vector<Waiter*> others;  // whose items are among them
    std::atomic<uint32_t> phase = kWaiting;

    // The waiter may be gone as soon as its phase has changed; its address is
    // all that is needed then.
    void Wake(Phase now) {
      phase.store(now);
      phase.notify_one();
    }
  };

  // False for an item that cannot travel with those that wait: it shall not
  // wait for them either.
  bool Enter(Waiter* self) {
    MutexLock lock(&mutex_);
    if (calls_ < kCalls) {
      ++calls_;
      self->phase = kSends;
      return true;
    }
    const Item& item = *self->items[0];
    if (waiting_.size() == kLargestGroup ||
        !std::ranges::all_of(waiting_, [&](const Waiter* other) {
          return may_join_(*other->items[0], item);
        })) {
      return false;
    }
    waiting_.push_back(self);
    return true;
  }

  // All that wait are the next call.
  void EndCall() {
    std::vector<Waiter*> group;
    {
      MutexLock lock(&mutex_);
      if (waiting_.empty()) {
        --calls_;
        return;
      }
      group.swap(waiting_);
    }
    Waiter* sender = group[0];
    sender->others.assign(group.begin() + 1, group.end());
    for (const Waiter* other : sender->others) {
      sender->items.push_back(other->items[0]);
    }
    sender->Wake(kSends);
  }

  const MayJoin may_join_;
  const Send send_;
  Mutex mutex_;
  std::vector<Waiter*> waiting_ ABSL_GUARDED_BY(mutex_);
  int calls_ ABSL_GUARDED_BY(mutex_) = 0;  // under way, or about to be
};

}  // namespace varkeep::client

#endif  // VARKEEP_CLIENT_INTERNAL_SHARED_CALLS_H_
