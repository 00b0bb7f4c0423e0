// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_BASE_STANDARD_STREAMS_H_
#define VARKEEP_BASE_STANDARD_STREAMS_H_

namespace varkeep {

// Puts /dev/null in the place of those of stdin, stdout and stderr that are
// closed: the next file or socket would get its number otherwise, and with it
// what is meant for the stream.
void ReplaceClosedStreams();

}  // namespace varkeep

#endif  // VARKEEP_BASE_STANDARD_STREAMS_H_
