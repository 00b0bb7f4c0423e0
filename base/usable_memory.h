// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_BASE_USABLE_MEMORY_H_
#define VARKEEP_BASE_USABLE_MEMORY_H_

#include <cstdint>
#include <string>

namespace varkeep {

// Bytes of memory that this process may use: the machine's, or what its control
// group (of version 1 or 2) or one of those above it allows, if that is less.
// proc and sys are looked for in `root`.
int64_t UsableMemory(const std::string& root = "");

}  // namespace varkeep

#endif  // VARKEEP_BASE_USABLE_MEMORY_H_
