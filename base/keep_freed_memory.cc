// SPDX-License-Identifier: Apache-2.0
#include "base/keep_freed_memory.h"

#include <malloc.h>

namespace varkeep {

void KeepFreedMemory() {
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  mallopt(M_TOP_PAD, 64 << 20);
}

}  // namespace varkeep
