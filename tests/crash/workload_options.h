// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TESTS_CRASH_WORKLOAD_OPTIONS_H_
#define VARKEEP_TESTS_CRASH_WORKLOAD_OPTIONS_H_

#include <CLI/CLI.hpp>

#include "tests/crash/workload.h"

namespace varkeep {

// What every program with a workload takes. `options` must live longer.
inline void AddWorkloadOptions(CLI::App* app, WorkloadOptions* options) {
  app->add_option("--writers", options->writers, "Workers that write")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app->add_option("--readers", options->readers, "Workers that read")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app->add_option("--max-bytes", options->max_bytes, "Largest value")
      ->transform(CLI::AsSizeValue(/*kb_is_1000=*/false))
      ->capture_default_str();
}

}  // namespace varkeep

#endif  // VARKEEP_TESTS_CRASH_WORKLOAD_OPTIONS_H_
