// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/log_reader_fuzz.h"

// libFuzzer's entry.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  varkeep::storage::ReadAnyLog({data, size});
  return 0;
}
