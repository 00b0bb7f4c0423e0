// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TESTS_FUZZ_FUZZ_TARGETS_H_
#define VARKEEP_TESTS_FUZZ_FUZZ_TARGETS_H_

#include <cstdint>
#include <span>

namespace varkeep::storage {

// What fuzzing calls: each reads bytes that may be anything and ends the
// process when what comes back contradicts itself. Checksums are made right
// first, so that damage reaches what they guard.

// Opens, inspects and truncates a log whose only segment has these bytes.
void ReadAnyLog(std::span<const uint8_t> bytes);
// A checkpoint of zeros with this index and trailer, behind the 2 bytes of the
// number of the zeros.
void ReadAnyCheckpoint(std::span<const uint8_t> bytes);
// The text of a manifest.
void ReadAnyManifest(std::span<const uint8_t> bytes);
// The beginning of a foreign file, behind the 8 bytes of its size.
void CheckAnyHeader(std::span<const uint8_t> bytes);
// What a helper sends: payloads of frames, each behind the 2 bytes of its size.
void ReadAnyFrames(std::span<const uint8_t> bytes);

}  // namespace varkeep::storage

namespace varkeep {

// A call of Assign, AssignAdd, AssignSub or Transaction, as the first byte
// says; its messages, each behind the 2 bytes of its size.
void DecodeAnyRequest(std::span<const uint8_t> bytes);
// The body of a log record.
void DecodeAnyMutation(std::span<const uint8_t> bytes);

}  // namespace varkeep

#endif  // VARKEEP_TESTS_FUZZ_FUZZ_TARGETS_H_
