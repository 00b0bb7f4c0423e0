// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_SCOPES_ENTROPY_H_
#define VARKEEP_SERVER_SCOPES_ENTROPY_H_

#include <cstdint>

namespace varkeep {

// A number that nobody can guess, from the operating system. Thread-safe.
uint64_t SystemEntropy();

}  // namespace varkeep

#endif  // VARKEEP_SERVER_SCOPES_ENTROPY_H_
