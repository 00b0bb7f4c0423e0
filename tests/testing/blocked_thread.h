// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TESTS_TESTING_BLOCKED_THREAD_H_
#define VARKEEP_TESTS_TESTING_BLOCKED_THREAD_H_

#include <unistd.h>

#include <atomic>
#include <fstream>
#include <string>
#include <thread>
#include <utility>

namespace varkeep {

// Runs a function that is expected to wait for something. Joined at its end.
class BlockedThread {
 public:
  template <typename Body>
  explicit BlockedThread(Body body)
      : thread_([this, body = std::move(body)] {
          id_ = ::gettid();
          body();
          done_ = true;
        }) {}
  ~BlockedThread() { thread_.join(); }
  BlockedThread(const BlockedThread&) = delete;
  BlockedThread& operator=(const BlockedThread&) = delete;

  // Returns as soon as the function waits, or has ended: false.
  bool IsBlocked() const {
    while (!done_) {
      if (id_ != 0 && IsAsleep()) return true;
      std::this_thread::yield();
    }
    return false;
  }

 private:
  bool IsAsleep() const {
    std::ifstream file("/proc/self/task/" + std::to_string(id_) + "/stat");
    std::string stat;
    std::getline(file, stat);
    const size_t name_end = stat.rfind(") ");
    return name_end != std::string::npos && stat[name_end + 2] == 'S';
  }

  std::atomic<pid_t> id_ = 0;
  std::atomic<bool> done_ = false;
  std::thread thread_;  // uses the others
};

}  // namespace varkeep

#endif  // VARKEEP_TESTS_TESTING_BLOCKED_THREAD_H_
