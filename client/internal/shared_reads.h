// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_CLIENT_INTERNAL_SHARED_READS_H_
#define VARKEEP_CLIENT_INTERNAL_SHARED_READS_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/internal/shared_calls.h"
#include "tensor/tensor.h"

namespace varkeep::client {

// Reads of small values by several threads share calls. A value is never older
// than the beginning of its Read. Thread-safe.
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
  explicit SharedReads(ReadAll read_all);

  // The value of one variable. When a call for several fails it is asked for
  // alone, unless there is no server.
  absl::StatusOr<Value> Read(const Key& key);

 private:
  struct Request {
    const Key* key;
    std::optional<absl::StatusOr<Value>> result;  // empty: to be read alone
  };

  void ReadGroup(const std::vector<Request*>& group);
  absl::StatusOr<Value> ReadAlone(const Key& key);

  const ReadAll read_all_;
  SharedCalls<Request> calls_;
};

}  // namespace varkeep::client

#endif  // VARKEEP_CLIENT_INTERNAL_SHARED_READS_H_
