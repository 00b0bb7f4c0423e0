// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_BASE_LOOPBACK_TCP_H_
#define VARKEEP_BASE_LOOPBACK_TCP_H_

namespace varkeep {

// Lets this process's TCP listeners that have a loopback address send without
// pacing (congestion control "reno", which every kernel has and allows): where
// BBR is the system's default it paces loopback too, 100 MB in 23 ms instead of
// 15. Connections have it from their listener: call this once it listens,
// before they come. Does what it can and never fails.
void UnpaceLoopbackListeners();

}  // namespace varkeep

#endif  // VARKEEP_BASE_LOOPBACK_TCP_H_
