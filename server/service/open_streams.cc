// SPDX-License-Identifier: Apache-2.0
#include "server/service/open_streams.h"

namespace varkeep {

bool OpenStreams::Add(const std::shared_ptr<Stream>& stream) {
  MutexLock lock(&mutex_);
  if (closed_) return false;
  streams_.insert(stream);
  return true;
}

void OpenStreams::Remove(const std::shared_ptr<Stream>& stream) {
  MutexLock lock(&mutex_);
  streams_.erase(stream);
}

void OpenStreams::CloseAll() {
  absl::flat_hash_set<std::shared_ptr<Stream>> streams;
  {
    MutexLock lock(&mutex_);
    closed_ = true;
    streams = streams_;  // each takes itself out at its end
  }
  for (const auto& stream : streams) stream->Close();
}

}  // namespace varkeep
