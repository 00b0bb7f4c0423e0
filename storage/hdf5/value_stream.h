// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_HDF5_VALUE_STREAM_H_
#define VARKEEP_STORAGE_HDF5_VALUE_STREAM_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "base/mutex.h"
#include "storage/file_system.h"
#include "tensor/tensor.h"

namespace varkeep::storage::hdf5 {

// Writes values into a file while the next are prepared: small ones gathered
// into large writes, large ones from where they are. A second thread writes as
// soon as there is enough for one write. One thread at a time.
class ValueStream {
 public:
  // `file` is borrowed; nothing else uses it until Finish or the end.
  explicit ValueStream(File* file) : file_(file) {}
  ~ValueStream() { Stop(); }
  ValueStream(const ValueStream&) = delete;
  ValueStream& operator=(const ValueStream&) = delete;

  // Offsets grow. Lets go of the value once it is written or gathered. After an
  // error it does nothing; ask status().
  void Write(int64_t offset, TensorRef value);
  // The first error so far of what was written.
  absl::Status status() const;
  // Waits until everything is written; the first error.
  absl::Status Finish();

 private:
  struct BlockDeleter {
    void operator()(std::byte* data) const;
  };
  using Block = std::unique_ptr<std::byte, BlockDeleter>;
  // One write: of `bytes`, which are in the block or in the value.
  struct Piece {
    int64_t offset = 0;
    std::span<const std::byte> bytes;
    Block block;
    TensorRef value;
  };

  // Copies into the block that is being gathered, and passes it on when it is
  // full.
  void Gather(int64_t offset, std::span<const std::byte> bytes);
  void StartBlock(int64_t offset);
  // Passes on the first `size` bytes of what is gathered.
  void SubmitGathered(size_t size);
  Block TakeBlock();
  void Submit(Piece piece);
  void Run();
  void WritePiece(Piece piece);
  void Stop();

  File* const file_;
  Block block_;  // being gathered
  int64_t block_offset_ = 0;
  size_t block_begin_ = 0;  // where in the block its bytes begin
  size_t block_size_ = 0;   // and how many they are
  std::thread thread_;      // runs from the first Submit on
  mutable Mutex mutex_;
  CondVar changed_;
  std::deque<Piece> pieces_ ABSL_GUARDED_BY(mutex_);
  std::vector<Block> free_blocks_ ABSL_GUARDED_BY(mutex_);
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace varkeep::storage::hdf5

#endif  // VARKEEP_STORAGE_HDF5_VALUE_STREAM_H_
