// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "storage/import/preflight.h"
#include "tests/fuzz/fuzz_targets.h"

namespace varkeep::storage {

void CheckAnyHeader(std::span<const uint8_t> bytes) {
  int64_t size = 0;
  if (bytes.size() < sizeof(size)) return;
  std::memcpy(&size, bytes.data(), sizeof(size));
  const auto head = std::as_bytes(bytes.subspan(sizeof(size)));
  size = std::max(size & INT64_MAX, static_cast<int64_t>(head.size()));
  const absl::Status status =
      CheckHdf5Header(head.first(std::min(head.size(), kPreflightBytes)), size);
  if (!status.ok() && !absl::IsInvalidArgument(status)) std::abort();
  if (status.ok() && head.size() < 48) std::abort();
}

}  // namespace varkeep::storage
