// SPDX-License-Identifier: Apache-2.0
#include "base/cpu_path.h"

#include <cstdlib>

namespace varkeep {
namespace {

CpuPath Choose() {
  CpuPath best = CpuPath::kScalar;
  const char* wanted = std::getenv("VARKEEP_CPU");
  for (CpuPath path : kAllCpuPaths) {
    if (!IsSupported(path)) continue;
    if (wanted != nullptr && CpuPathName(path) == wanted) return path;
    best = path;
  }
  return best;
}

}  // namespace

absl::string_view CpuPathName(CpuPath path) {
  switch (path) {
    case CpuPath::kScalar:
      return "scalar";
    case CpuPath::kAvx2:
      return "avx2";
    case CpuPath::kAvx512:
      return "avx512";
  }
  std::abort();  // not a CpuPath
}

bool IsSupported(CpuPath path) {
#if defined(__x86_64__)
  switch (path) {
    case CpuPath::kScalar:
      return true;
    case CpuPath::kAvx2:
      return __builtin_cpu_supports("avx2");
    case CpuPath::kAvx512:
      return __builtin_cpu_supports("avx512f") &&
             __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx512vl") &&
             __builtin_cpu_supports("avx512bw");
  }
#endif
  return path == CpuPath::kScalar;
}

CpuPath ChosenCpuPath() {
  static const CpuPath chosen = Choose();
  return chosen;
}

}  // namespace varkeep
