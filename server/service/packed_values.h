// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_SERVICE_PACKED_VALUES_H_
#define VARKEEP_SERVER_SERVICE_PACKED_VALUES_H_

#include <grpcpp/support/byte_buffer.h>

#include <cstddef>
#include <string>
#include <vector>

#include "server/variables/store_types.h"

namespace varkeep {

// Makes a CallResponse with `again`. Many small values become one piece of
// memory; the bytes of large ones point into the tensors, which live until gRPC
// has sent them. One thread at a time.
class PackedValues {
 public:
  // For so many values, which will have about so many bytes.
  PackedValues(size_t count, size_t bytes);

  // The next value. Cheap enough for callers with a mutex.
  void Add(const StoredValue& value, Revision version);

  grpc::ByteBuffer Message(Revision revision) &&;

 private:
  // A value whose bytes belong before the byte `at` of copied_.
  struct Later {
    size_t at;
    VersionedValue value;
  };

  // Adds the bytes of all values.
  void AddMixed(std::vector<grpc::Slice>* slices);

  std::vector<Revision> versions_;
  std::string copied_;  // those of few bytes, in a row
  std::vector<Later> later_;
  size_t data_bytes_ = 0;
};

}  // namespace varkeep

#endif  // VARKEEP_SERVER_SERVICE_PACKED_VALUES_H_
