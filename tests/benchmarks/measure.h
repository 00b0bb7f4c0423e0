// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TESTS_BENCHMARKS_MEASURE_H_
#define VARKEEP_TESTS_BENCHMARKS_MEASURE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace varkeep::benchmarks {

// Seconds of single runs.
struct Times {
  double median = 0;
  double lowest = 0;
  double highest = 0;
};

// One line of a result: what was measured beside its yardstick.
struct Row {
  std::string name;
  int64_t bytes = 0;
  Times subject;
  Times yardstick;
  // Throughput of the subject over that of the yardstick.
  double Ratio() const { return yardstick.median / subject.median; }
};

// Runs the two in turn, once each as a warm-up, then until `seconds` are over
// but at least three times each: both see the same machine. `clean_up`, if any,
// is run after each of them and not measured.
Row Compare(const std::string& name, int64_t bytes, double seconds,
            const std::function<void()>& subject,
            const std::function<void()>& yardstick,
            const std::function<void()>& clean_up = {});

// A table for people, and with a file name the rows as JSON.
void Print(const std::vector<Row>& rows);
void WriteJson(const std::vector<Row>& rows, const std::string& file);

}  // namespace varkeep::benchmarks

#endif  // VARKEEP_TESTS_BENCHMARKS_MEASURE_H_
