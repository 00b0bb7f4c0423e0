// SPDX-License-Identifier: Apache-2.0
#include "base/keep_freed_memory.h"

#include <malloc.h>

#include <algorithm>
#include <thread>

namespace varkeep {

void KeepFreedMemory() {
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  mallopt(M_TOP_PAD, 64 << 20);
}

void ShareFreedMemory() {
  const int processors = static_cast<int>(std::thread::hardware_concurrency());
  mallopt(M_ARENA_MAX, std::max(1, processors / 2));
}

}  // namespace varkeep
