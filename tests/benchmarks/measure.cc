// SPDX-License-Identifier: Apache-2.0
#include "tests/benchmarks/measure.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>

#include "nlohmann/json.hpp"

namespace varkeep::benchmarks {
namespace {

double Run(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
      .count();
}

Times Summarize(std::vector<double> seconds) {
  std::ranges::sort(seconds);
  return {seconds[seconds.size() / 2], seconds.front(), seconds.back()};
}

double GigabytesPerSecond(int64_t bytes, double seconds) {
  return static_cast<double>(bytes) / seconds / 1e9;
}

}  // namespace

Row Compare(const std::string& name, int64_t bytes, double seconds,
            const std::function<void()>& subject,
            const std::function<void()>& yardstick,
            const std::function<void()>& clean_up) {
  auto run = [&clean_up](const std::function<void()>& work) {
    const double spent = Run(work);
    if (clean_up) clean_up();
    return spent;
  };
  run(subject);
  run(yardstick);
  std::vector<double> subject_times;
  std::vector<double> yardstick_times;
  double spent = 0;
  while (spent < seconds || subject_times.size() < 3) {
    subject_times.push_back(run(subject));
    yardstick_times.push_back(run(yardstick));
    spent += subject_times.back() + yardstick_times.back();
  }
  return {name, bytes, Summarize(subject_times), Summarize(yardstick_times)};
}

void Print(const std::vector<Row>& rows) {
  std::printf("%-22s %12s %12s %12s %9s %7s\n", "row", "median us", "lowest us",
              "yardstick us", "GB/s", "ratio");
  for (const Row& row : rows) {
    std::printf("%-22s %12.1f %12.1f %12.1f %9.3f %7.2f\n", row.name.c_str(),
                row.subject.median * 1e6, row.subject.lowest * 1e6,
                row.yardstick.median * 1e6,
                GigabytesPerSecond(row.bytes, row.subject.median), row.Ratio());
  }
}

void WriteJson(const std::vector<Row>& rows, const std::string& file) {
  nlohmann::json json = nlohmann::json::array();
  auto times = [](const Times& t) {
    return nlohmann::json{{"median_seconds", t.median},
                          {"lowest_seconds", t.lowest},
                          {"highest_seconds", t.highest}};
  };
  for (const Row& row : rows) {
    json.push_back({{"row", row.name},
                    {"bytes", row.bytes},
                    {"subject", times(row.subject)},
                    {"yardstick", times(row.yardstick)},
                    {"ratio", row.Ratio()}});
  }
  std::ofstream(file) << json.dump(2) << "\n";
}

}  // namespace varkeep::benchmarks
