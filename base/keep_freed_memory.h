// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_BASE_KEEP_FREED_MEMORY_H_
#define VARKEEP_BASE_KEEP_FREED_MEMORY_H_

namespace varkeep {

// Lets this process's malloc keep large blocks that are freed instead of giving
// each back to the system and faulting it in again. gRPC's buffers are such
// blocks: transfers of a megabyte and more become up to twice as fast. The
// process keeps the most memory it ever used. It is for a program to decide, at
// its start; the server does it, the client library does not.
void KeepFreedMemory();

}  // namespace varkeep

#endif  // VARKEEP_BASE_KEEP_FREED_MEMORY_H_
