// SPDX-License-Identifier: Apache-2.0
#include "tests/benchmarks/measure.h"

#include <sys/mman.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>

#include "nlohmann/json.hpp"

namespace varkeep::benchmarks {
namespace {

double GigabytesPerSecond(int64_t bytes, double seconds) {
  return static_cast<double>(bytes) / seconds / 1e9;
}

std::string Microseconds(const Times& times) {
  char text[64];
  std::snprintf(text, sizeof(text), "%.0f (%.0f..%.0f)", times.median * 1e6,
                times.lowest * 1e6, times.highest * 1e6);
  return text;
}

// "0.85", or "" for none.
std::string Goal(double goal) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.6g", goal);
  return goal > 0 ? text : "";
}

void Append(nlohmann::json more, const std::string& file) {
  nlohmann::json all = nlohmann::json::array();
  if (std::ifstream before(file); before) all = nlohmann::json::parse(before);
  for (nlohmann::json& item : more) all.push_back(std::move(item));
  std::ofstream(file) << all.dump(2) << "\n";
}

}  // namespace

double Seconds(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
      .count();
}

Times Summarize(std::vector<double> seconds) {
  std::ranges::sort(seconds);
  return {seconds[seconds.size() / 2], seconds.front(), seconds.back()};
}

Row Compare(const std::string& name, int64_t bytes, double seconds,
            const std::function<void()>& subject,
            const std::function<void()>& yardstick, double goal,
            const std::function<void()>& clean_up) {
  auto run = [&clean_up](const std::function<void()>& work) {
    const double spent = Seconds(work);
    if (clean_up) clean_up();
    return spent;
  };
  run(subject);
  run(yardstick);
  // What the rows before have left to be written slows down whoever writes.
  ::sync();
  std::vector<double> subject_times;
  std::vector<double> yardstick_times;
  double spent = 0;
  while (spent < seconds || subject_times.size() < 3) {
    subject_times.push_back(run(subject));
    yardstick_times.push_back(run(yardstick));
    spent += subject_times.back() + yardstick_times.back();
  }
  return {name, bytes, Summarize(subject_times), Summarize(yardstick_times),
          goal};
}

void TouchFreeMemory(size_t bytes) {
  constexpr size_t kPage = 4096;
  void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return;
  madvise(memory, bytes, MADV_HUGEPAGE);
  for (size_t at = 0; at < bytes; at += kPage) {
    static_cast<volatile char*>(memory)[at] = 1;
  }
  munmap(memory, bytes);
}

void Print(const std::vector<Row>& rows) {
  if (rows.empty()) return;
  std::printf("%-52s %24s %24s %7s %7s %6s\n", "row", "us (lowest..highest)",
              "yardstick us", "GB/s", "ratio", "goal");
  for (const Row& row : rows) {
    std::printf("%-52s %24s %24s %7.3f %7.2f %6s\n", row.name.c_str(),
                Microseconds(row.subject).c_str(),
                Microseconds(row.yardstick).c_str(),
                GigabytesPerSecond(row.bytes, row.subject.median), row.Ratio(),
                Goal(row.goal).c_str());
  }
}

void Print(const std::vector<Figure>& figures) {
  if (figures.empty()) return;
  std::printf("%-62s %12s %-6s %s\n", "figure", "value", "unit", "at most");
  for (const Figure& figure : figures) {
    std::printf("%-62s %12.4g %-6s %s\n", figure.name.c_str(), figure.value,
                figure.unit.c_str(), Goal(figure.goal).c_str());
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
                    {"ratio", row.Ratio()},
                    {"goal", row.goal}});
  }
  Append(std::move(json), file);
}

void WriteJson(const std::vector<Figure>& figures, const std::string& file) {
  nlohmann::json json = nlohmann::json::array();
  for (const Figure& figure : figures) {
    json.push_back({{"figure", figure.name},
                    {"value", figure.value},
                    {"unit", figure.unit},
                    {"goal", figure.goal}});
  }
  Append(std::move(json), file);
}

int Main(int argc, char** argv, const std::string& description,
         const std::function<Results(const Options&)>& run) {
  Options options;
  std::string json;
  CLI::App app(description);
  app.add_flag("--quick", options.quick,
               "a tenth of the bytes and of the time");
  app.add_option("--json", json, "also add the rows to the array in this file");
  CLI11_PARSE(app, argc, argv);
  if (options.quick) options.seconds /= 10;
  std::ifstream control("/proc/sys/net/ipv4/tcp_congestion_control");
  std::string congestion;
  control >> congestion;
  std::printf(
      "TCP congestion control: reno where a server or its raw socket sends, "
      "else %s\n",
      congestion.c_str());
  std::fflush(stdout);
  const Results results = run(options);
  Print(results.rows);
  Print(results.figures);
  if (!json.empty()) {
    WriteJson(results.rows, json);
    WriteJson(results.figures, json);
  }
  return 0;
}

}  // namespace varkeep::benchmarks
