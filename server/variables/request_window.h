// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_VARIABLES_REQUEST_WINDOW_H_
#define VARKEEP_SERVER_VARIABLES_REQUEST_WINDOW_H_

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "server/variables/mutation.h"

namespace varkeep {

// Remembers which requests were applied, and at which revision, so that a
// repeated one is answered instead of applied again. Per client the last
// kSequences sequences; of clients the kClients that asked last. Of those that
// were forgotten it knows up to which revision they asked, and so tells a
// request that may be one of theirs from a new one. One thread only.
class RequestWindow {
 public:
  static constexpr uint64_t kSequences = 1024;
  static constexpr size_t kClients = 4096;

  // The revision of the first application; nullopt when the request is new.
  // INVALID_ARGUMENT for a zero client or sequence, FAILED_PRECONDITION when it
  // may have been applied and forgotten. REQUIRES: request.id.
  absl::StatusOr<std::optional<Revision>> Find(const Request& request) const;

  // REQUIRES: Find gave nullopt for it.
  void Record(const RequestId& id, Revision revision);

  struct Entry {
    RequestId id;
    Revision revision = 0;
  };
  // Everything that is remembered.
  struct Contents {
    Revision forgotten = 0;      // of clients; their requests are not above it
    std::vector<Entry> entries;  // the client that asked longest ago first
  };
  Contents Save() const;
  // REQUIRES: nothing was recorded.
  void Load(const Contents& contents);

 private:
  struct Client {
    std::map<uint64_t, Revision> applied;  // by sequence
    uint64_t last_used = 0;
    Revision last_revision = 0;
  };
  absl::flat_hash_map<uint64_t, Client> clients_;
  std::map<uint64_t, uint64_t> by_use_;  // last_used to client
  uint64_t uses_ = 0;
  Revision forgotten_ = 0;  // see Contents
};

}  // namespace varkeep

#endif  // VARKEEP_SERVER_VARIABLES_REQUEST_WINDOW_H_
