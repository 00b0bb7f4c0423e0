// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TESTS_FUZZ_LOG_READER_FUZZ_H_
#define VARKEEP_TESTS_FUZZ_LOG_READER_FUZZ_H_

#include <cstddef>
#include <cstdint>
#include <span>

namespace varkeep::storage {

// Opens, inspects and truncates a log whose only segment has these bytes, with
// all checksums made right first: so damage reaches what the checksums guard.
// Ends the process when what comes back contradicts itself.
void ReadAnyLog(std::span<const uint8_t> bytes);

}  // namespace varkeep::storage

#endif  // VARKEEP_TESTS_FUZZ_LOG_READER_FUZZ_H_
