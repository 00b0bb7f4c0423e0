// SPDX-License-Identifier: Apache-2.0
#include "server/scopes/entropy.h"

#include <unistd.h>

#include <cstdlib>

namespace varkeep {

uint64_t SystemEntropy() {
  uint64_t number = 0;
  // Cannot fail for so few bytes on a kernel that has the call.
  if (getentropy(&number, sizeof number) != 0) std::abort();
  return number;
}

}  // namespace varkeep
