// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TESTS_BENCHMARKS_MEASURE_H_
#define VARKEEP_TESTS_BENCHMARKS_MEASURE_H_

#include <cstddef>
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
  // The least ratio that is wanted; 0: none is.
  double goal = 0;
  // Throughput of the subject over that of the yardstick.
  double Ratio() const { return yardstick.median / subject.median; }
};

// One number that is wanted to be small.
struct Figure {
  std::string name;
  double value = 0;
  std::string unit;
  // The most that is wanted; 0: nothing is.
  double goal = 0;
};

// Runs the two in turn, once each as a warm-up, then until `seconds` are over
// but at least three times each: both see the same machine. `clean_up`, if any,
// is run after each of them and not measured.
Row Compare(const std::string& name, int64_t bytes, double seconds,
            const std::function<void()>& subject,
            const std::function<void()>& yardstick, double goal = 0,
            const std::function<void()>& clean_up = {});

// Of numbers in any order, of which there is one at least.
Times Summarize(std::vector<double> seconds);
// Seconds that `work` takes.
double Seconds(const std::function<void()>& work);

// Has the machine's free memory ready, as far as `bytes`. A hypervisor that
// takes back what is free (free page reporting) gives it again at 0.4 GB/s, and
// what writes into the page cache would be measured at that.
void TouchFreeMemory(size_t bytes);

// Tables for people.
void Print(const std::vector<Row>& rows);
void Print(const std::vector<Figure>& figures);
// Adds to the JSON array in the file, which need not be there.
void WriteJson(const std::vector<Row>& rows, const std::string& file);
void WriteJson(const std::vector<Figure>& figures, const std::string& file);

struct Options {
  bool quick = false;  // a tenth of the bytes and of the time
  double seconds = 2;  // for a row
};
struct Results {
  std::vector<Row> rows;
  std::vector<Figure> figures;
};
// main() of a benchmark with --quick and --json.
int Main(int argc, char** argv, const std::string& description,
         const std::function<Results(const Options&)>& run);

}  // namespace varkeep::benchmarks

#endif  // VARKEEP_TESTS_BENCHMARKS_MEASURE_H_
