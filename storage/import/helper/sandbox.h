// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_IMPORT_HELPER_SANDBOX_H_
#define VARKEEP_STORAGE_IMPORT_HELPER_SANDBOX_H_

#include <cstdint>

#include "absl/status/status.h"

namespace varkeep::storage {

// Both are for the whole process and for good. INTERNAL, FAILED_PRECONDITION
// where the system offers no seccomp.

// Address space and processor time; no core file, no growing file, no new
// descriptor.
absl::Status LimitResources(int64_t memory_bytes, int64_t cpu_seconds);

// From here on the process may read from `file` at an offset, write to
// `results`, manage its memory and exit. Any other call of the system, opening
// a file or a socket or executing a program above all, ends it with SIGSYS.
absl::Status EnterSandbox(int file, int results);

}  // namespace varkeep::storage

#endif  // VARKEEP_STORAGE_IMPORT_HELPER_SANDBOX_H_
