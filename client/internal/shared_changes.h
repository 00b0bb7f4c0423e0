// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_CLIENT_INTERNAL_SHARED_CHANGES_H_
#define VARKEEP_CLIENT_INTERNAL_SHARED_CHANGES_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/internal/shared_calls.h"
#include "tensor/tensor.h"
#include "varkeep/v1/variable_service.pb.h"

namespace varkeep::client {

// Small assigns of several threads, each to a variable of its own, travel as
// one transaction. Two of one variable never do: both would get the same
// version. Thread-safe.
class SharedChanges {
 public:
  struct Change {
    std::string method;  // Assign, AssignAdd or AssignSub
    v1::AssignHeader header;
    TensorRef value;
  };
  // Makes one change; returns the variable's new version.
  using MakeOne = std::function<absl::StatusOr<uint64_t>(const Change&)>;
  // Makes all, or none; returns the revision, which is the version of each.
  using MakeAll = std::function<absl::StatusOr<uint64_t>(
      const std::vector<const Change*>&)>;

  // Both are called by several threads at once.
  SharedChanges(MakeOne make_one, MakeAll make_all);

  // The variable's new version. REQUIRES: no conditions in the header. When a
  // transaction fails, which changed nothing then, the change is made alone,
  // unless there is no server.
  absl::StatusOr<uint64_t> Make(const Change& change);

 private:
  struct Request {
    const Change* change;
    std::optional<absl::StatusOr<uint64_t>> result;  // empty: to be made alone
  };

  static bool MayJoin(const Request& other, const Request& request);
  void MakeGroup(const std::vector<Request*>& group);

  const MakeOne make_one_;
  const MakeAll make_all_;
  SharedCalls<Request> calls_;
};

}  // namespace varkeep::client

#endif  // VARKEEP_CLIENT_INTERNAL_SHARED_CHANGES_H_
