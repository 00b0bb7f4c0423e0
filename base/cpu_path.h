// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_BASE_CPU_PATH_H_
#define VARKEEP_BASE_CPU_PATH_H_

#include "absl/strings/string_view.h"

namespace varkeep {

// The instructions that the inner loops use, checksums among them: those that
// every processor of the architecture has (kScalar), or more. Results never
// depend on it.
enum class CpuPath { kScalar, kAvx2, kAvx512 };

inline constexpr CpuPath kAllCpuPaths[] = {CpuPath::kScalar, CpuPath::kAvx2,
                                           CpuPath::kAvx512};

// "scalar", "avx2", "avx512".
absl::string_view CpuPathName(CpuPath path);

// True when this processor has them.
bool IsSupported(CpuPath path);

// The best that this processor has, or the one that the environment variable
// VARKEEP_CPU names, if it has that; decided once. Thread-safe.
CpuPath ChosenCpuPath();

}  // namespace varkeep

#endif  // VARKEEP_BASE_CPU_PATH_H_
