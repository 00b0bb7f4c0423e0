// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_BASE_BACKGROUND_THREAD_H_
#define VARKEEP_BASE_BACKGROUND_THREAD_H_

namespace varkeep {

// Makes the calling thread, and those that it starts from now on, give way to
// the process's others when processors are short (nice +10). Not to be undone.
void BecomeBackgroundThread();

}  // namespace varkeep

#endif  // VARKEEP_BASE_BACKGROUND_THREAD_H_
