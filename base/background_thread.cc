// SPDX-License-Identifier: Apache-2.0
#include "base/background_thread.h"

#include <unistd.h>

namespace varkeep {

void BecomeBackgroundThread() {
  // Of this thread alone on Linux. It cannot fail: less is always allowed.
  [[maybe_unused]] const int now = ::nice(10);
}

}  // namespace varkeep
