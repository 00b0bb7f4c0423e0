// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_SERVICE_WIRE_H_
#define VARKEEP_SERVER_SERVICE_WIRE_H_

#include <grpcpp/support/slice.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "server/variables/store_types.h"

namespace varkeep {

// What answers are made of that are written without a protobuf message.

// A copy costs less than a slice of its own for pieces below this.
inline constexpr size_t kCopyBytes = 1024;

// Tags of a field.
constexpr uint32_t VarintTag(int field) {
  return static_cast<uint32_t>(field) << 3;
}
constexpr uint32_t DelimitedTag(int field) { return VarintTag(field) | 2; }

// A field's tag and what follows it: its number, or how long it is.
void AppendField(uint32_t tag, uint64_t number, std::string* out);

// Bytes of a value, which keep it alive.
grpc::Slice Borrow(const VersionedValue& value,
                   std::span<const std::byte> bytes);

// Bytes that are the slice's own from now on.
grpc::Slice Own(std::string bytes);

}  // namespace varkeep

#endif  // VARKEEP_SERVER_SERVICE_WIRE_H_
