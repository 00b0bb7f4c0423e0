// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_SERVICE_READ_STREAM_H_
#define VARKEEP_SERVER_SERVICE_READ_STREAM_H_

#include <grpcpp/support/byte_buffer.h>

#include <cstddef>
#include <vector>

#include "server/variables/variable_store.h"

namespace varkeep {

// Every message stays below gRPC's default limit of 4 MiB, so that any client
// can receive it.
inline constexpr size_t kMaxMessageBytes = (size_t{4} << 20) - 4096;

// Cuts values into ReadValuesResponse messages. The bytes of a message point
// into the tensors, which live until gRPC has sent them: nothing of a tensor's
// size is copied. What comes out is exactly what protobuf would write. One
// thread at a time.
class ReadStream {
 public:
  // What one value sends: the value, or that it is not newer.
  struct Item {
    VersionedValue value;
    bool not_modified = false;
  };

  ReadStream(Revision revision, std::vector<Item> items);
  // One value, at its own revision.
  explicit ReadStream(Item item);

  // The next message; false when all were given. There is at least one.
  bool Next(grpc::ByteBuffer* message);
  // Whether all were given.
  bool AtEnd() const { return !first_ && current_ == items_.size(); }

 private:
  // Adds headers of the next values to the message.
  void Announce(std::vector<grpc::Slice>* slices);
  // Adds data of announced values, at most `room` bytes.
  void AddData(size_t room, std::vector<grpc::Slice>* slices);

  const Revision revision_;
  std::vector<Item> items_;
  size_t announced_ = 0;  // values whose header was sent
  size_t current_ = 0;    // value being sent
  size_t offset_ = 0;     // bytes of it that were sent
  bool first_ = true;
};

}  // namespace varkeep

#endif  // VARKEEP_SERVER_SERVICE_READ_STREAM_H_
