// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_SERVICE_OPEN_STREAMS_H_
#define VARKEEP_SERVER_SERVICE_OPEN_STREAMS_H_

#include <memory>

#include "absl/container/flat_hash_set.h"
#include "base/mutex.h"

namespace varkeep {

// Streams that stay open until their client ends them: a server that stops has
// to end them itself. Thread-safe.
class OpenStreams {
 public:
  class Stream {
   public:
    virtual ~Stream() = default;
    // The server stops: ends as soon as no call is under way. Once.
    virtual void Close() = 0;
  };

  // False, and not added, when the server stops.
  bool Add(const std::shared_ptr<Stream>& stream);
  void Remove(const std::shared_ptr<Stream>& stream);
  // Closes all. None is added from now on.
  void CloseAll();

 private:
  Mutex mutex_;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  absl::flat_hash_set<std::shared_ptr<Stream>> streams_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace varkeep

#endif  // VARKEEP_SERVER_SERVICE_OPEN_STREAMS_H_
