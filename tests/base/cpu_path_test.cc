// SPDX-License-Identifier: Apache-2.0
#include "base/cpu_path.h"

#include <gmock/gmock.h>

#include <cstdlib>

namespace varkeep {
namespace {

TEST(CpuPathTest, EveryProcessorHasTheScalarPath) {
  EXPECT_TRUE(IsSupported(CpuPath::kScalar));
}

// Also run with VARKEEP_CPU=scalar.
TEST(CpuPathTest, TheEnvironmentChoosesOtherwiseTheBest) {
  const char* wanted = std::getenv("VARKEEP_CPU");
  CpuPath expected = CpuPath::kScalar;
  for (CpuPath path : kAllCpuPaths) {
    if (IsSupported(path)) expected = path;
  }
  for (CpuPath path : kAllCpuPaths) {
    if (wanted != nullptr && CpuPathName(path) == wanted && IsSupported(path)) {
      expected = path;
    }
  }
  EXPECT_EQ(CpuPathName(ChosenCpuPath()), CpuPathName(expected));
}

}  // namespace
}  // namespace varkeep
