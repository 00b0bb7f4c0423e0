// SPDX-License-Identifier: Apache-2.0
//
// How fast initializers draw 400 MB of float32 into memory that is already
// there, beside std::mt19937_64 with the distribution of the standard library
// in one thread. A row's name ends with its number of threads.
//
//   initializer_benchmark [--quick] [--json FILE]
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <iostream>
#include <random>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/cpu_path.h"
#include "server/initializers/draws.h"
#include "tests/benchmarks/measure.h"

namespace varkeep::benchmarks {
namespace {

using Floats = std::span<float>;

void StandardUniform(Floats out) {
  std::mt19937_64 engine(1);
  std::uniform_real_distribution<float> distribution(-1, 1);
  for (float& element : out) element = distribution(engine);
}

void StandardNormal(Floats out) {
  std::mt19937_64 engine(1);
  std::normal_distribution<float> distribution(0, 1);
  for (float& element : out) element = distribution(engine);
}

void StandardTruncatedNormal(Floats out) {
  std::mt19937_64 engine(1);
  std::normal_distribution<float> distribution(0, 1);
  for (float& element : out) {
    do {
      element = distribution(engine);
    } while (std::abs(element) >= 2);
  }
}

std::vector<Row> Run(int64_t bytes, double seconds) {
  std::vector<float> memory(static_cast<size_t>(bytes / 4), 1.0f);
  const Floats out(memory);
  const initializers::Philox start(87654321, 42);
  std::vector<Row> rows;
  for (int threads : {1, 2}) {
    // The caller of ParallelFor is the other thread.
    ThreadPool other(1);
    ThreadPool* pool = threads == 1 ? nullptr : &other;
    auto name = [&](const char* draw) {
      return absl::StrCat(draw, " ", threads);
    };
    auto goal = [&](double of_one) { return threads == 1 ? of_one : 0; };
    rows.push_back(Compare(
        name("uniform"), bytes, seconds,
        [&] { initializers::DrawUniform<float>(start, 2, -1, out, pool); },
        [&] { StandardUniform(out); }, goal(10)));
    rows.push_back(Compare(
        name("normal"), bytes, seconds,
        [&] { initializers::DrawNormal<float>(start, 1, 0, out, pool); },
        [&] { StandardNormal(out); }, goal(12)));
    rows.push_back(Compare(
        name("truncated_normal"), bytes, seconds,
        [&] {
          initializers::DrawTruncatedNormal<float>(start, 1, 0, out, pool);
        },
        [&] { StandardTruncatedNormal(out); }, goal(10)));
  }
  return rows;
}

}  // namespace
}  // namespace varkeep::benchmarks

int main(int argc, char** argv) {
  bool quick = false;
  std::string json;
  CLI::App app("Random draws beside the standard library's in the same run.");
  app.add_flag("--quick", quick, "a tenth of the bytes and of the time");
  app.add_option("--json", json, "also write the rows to this file");
  CLI11_PARSE(app, argc, argv);
  std::cout << "yardstick: std::mt19937_64 and its distribution, one thread; "
            << "instructions: "
            << varkeep::CpuPathName(varkeep::ChosenCpuPath()) << "\n";
  const auto rows = varkeep::benchmarks::Run(quick ? 40'000'000 : 400'000'000,
                                             quick ? 0.2 : 2.0);
  varkeep::benchmarks::Print(rows);
  if (!json.empty()) varkeep::benchmarks::WriteJson(rows, json);
}
