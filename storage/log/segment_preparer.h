// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_LOG_SEGMENT_PREPARER_H_
#define VARKEEP_STORAGE_LOG_SEGMENT_PREPARER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "base/thread_pool.h"
#include "storage/file_system.h"
#include "storage/log/segment_writer.h"

namespace varkeep::storage {

// What the change from one segment to the next needs beforehand and afterwards,
// done by a thread of its own, so that no append waits for it. Nothing about it
// ever fails: what could not be prepared is made when it is needed. One thread
// at a time.
class SegmentPreparer {
 public:
  // `file_system` is borrowed. Not in the background: by whoever asks.
  SegmentPreparer(FileSystem* file_system, const std::string& directory,
                  bool in_background);
  // Removes a file that nobody took.
  ~SegmentPreparer();

  // Makes the file `path` with room for `bytes`, or less on a small disk,
  // unless there is one that was not taken.
  void Prepare(const std::string& path, int64_t bytes);
  // The file, waited for when it is being made. Nothing when there is none with
  // room for a record of `least` bytes; one that is too small is removed.
  std::optional<EmptySegment> Take(int64_t least);
  // Trims and closes a segment that nothing more is written to.
  void Retire(std::unique_ptr<SegmentWriter> segment,
              const SegmentPosition& end);

 private:
  absl::StatusOr<EmptySegment> Make(const std::string& path,
                                    int64_t bytes) const;
  void Do(std::function<void()> work);

  FileSystem* const file_system_;
  const std::string directory_;

  Mutex mutex_;
  bool preparing_ ABSL_GUARDED_BY(mutex_) = false;
  CondVar prepared_;  // notified when preparing_ ends
  std::optional<EmptySegment> ready_ ABSL_GUARDED_BY(mutex_);

  std::optional<ThreadPool> thread_;  // last: it uses all of the above
};

}  // namespace varkeep::storage

#endif  // VARKEEP_STORAGE_LOG_SEGMENT_PREPARER_H_
