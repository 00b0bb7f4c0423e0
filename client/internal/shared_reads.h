// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_CLIENT_INTERNAL_SHARED_READS_H_
#define VARKEEP_CLIENT_INTERNAL_SHARED_READS_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "tensor/tensor.h"

namespace varkeep::client {

// Small values that several threads want at the same time travel in one call: a
// call costs the same for one as for many. A thread that comes while few calls
// are under way sends its own at once; those that come meanwhile wait, and the
// first of them asks for what all of them want. So a value is never older than
// the beginning of its Read, and a thread alone never waits. Thread-safe.
class SharedReads {
 public:
  struct Key {
    std::string container;
    std::string name;
  };
  struct Value {
    TensorRef tensor;
    uint64_t version = 0;
  };
  // Reads all of these names of a container, each once, in this order.
  using ReadAll = std::function<absl::StatusOr<std::vector<Value>>(
      const std::string& container, const std::vector<std::string>& names)>;

  // `read_all` is called by several threads at once.
  explicit SharedReads(ReadAll read_all) : read_all_(std::move(read_all)) {}

  // The value of one variable. When a call for several fails it is asked for
  // alone, unless there is no server.
  absl::StatusOr<Value> Read(const Key& key);

 private:
  struct Request;
  using Group = std::vector<Request*>;

  Group TakeGroup(Request* sender);
  void ReadGroup(const Group& group);
  void EndTurn();
  absl::StatusOr<Value> ReadAlone(const Key& key);

  const ReadAll read_all_;
  Mutex mutex_;
  std::deque<Request*> waiting_ ABSL_GUARDED_BY(mutex_);
  int calls_ ABSL_GUARDED_BY(mutex_) = 0;  // under way, or about to be
};

}  // namespace varkeep::client

#endif  // VARKEEP_CLIENT_INTERNAL_SHARED_READS_H_
