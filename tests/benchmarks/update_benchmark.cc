// SPDX-License-Identifier: Apache-2.0
//
// How fast tensors are changed in place: whole ones beside a copy of the same
// bytes with the same threads, rows of a large one beside the same rows of a
// small one. A row's name ends with its number of threads.
//
//   update_benchmark [--quick] [--json FILE]
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstring>
#include <iostream>
#include <random>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/cpu_path.h"
#include "tensor/tensor_ops.h"
#include "tensor/tensor_rows.h"
#include "tests/benchmarks/measure.h"

namespace varkeep::benchmarks {
namespace {

// A tensor of small whole numbers, in memory that has been touched.
std::shared_ptr<Tensor> Filled(DType dtype, const Shape& shape) {
  auto tensor = Tensor::Create(dtype, shape);
  if (!tensor.ok()) {
    std::cerr << tensor.status() << "\n";
    std::exit(1);
  }
  VisitDType(dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    std::ranges::fill((*tensor)->mutable_values<T>(), static_cast<T>(true));
  });
  return *std::move(tensor);
}

void Copy(const Tensor& from, Tensor* to, ThreadPool* pool) {
  constexpr int64_t kChunk = 1 << 20;
  const int64_t size = from.size_bytes();
  auto copy = [&](int64_t begin, int64_t count) {
    std::memcpy(to->mutable_bytes().data() + begin, from.bytes().data() + begin,
                static_cast<size_t>(count));
  };
  if (pool == nullptr) return copy(0, size);
  pool->ParallelFor((size + kChunk - 1) / kChunk, [&](int64_t chunk) {
    copy(chunk * kChunk, std::min(kChunk, size - chunk * kChunk));
  });
}

std::vector<Row> WholeTensors(int64_t bytes, double seconds) {
  std::vector<Row> rows;
  for (int threads : {1, 2}) {
    // The caller of ParallelFor is the other thread.
    ThreadPool other(1);
    ThreadPool* pool = threads == 1 ? nullptr : &other;
    for (DType dtype : {DType::kFloat32, DType::kFloat64, DType::kInt32,
                        DType::kInt8, DType::kBfloat16, DType::kFloat16}) {
      const auto target = Filled(dtype, {bytes / ItemSize(dtype)});
      const auto operand = Filled(dtype, {bytes / ItemSize(dtype)});
      rows.push_back(Compare(
          absl::StrCat("assign_add ", DTypeName(dtype), " ", threads), bytes,
          seconds,
          [&] { UpdateInPlace(UpdateOp::kAdd, *operand, target.get(), pool); },
          [&] { Copy(*operand, target.get(), pool); },
          dtype == DType::kFloat32 ? 0.7 : 0));
    }
  }
  return rows;
}

// `count` rows of `columns` floats, spread over the whole tensor.
Row Rows(int64_t large_bytes, int64_t small_bytes, double seconds) {
  constexpr int64_t kColumns = 64;
  constexpr int64_t kRows = 1000;
  auto updates = Filled(DType::kFloat32, {kRows, kColumns});
  std::mt19937_64 engine(1);
  auto prepare = [&](int64_t bytes) {
    const int64_t rows = bytes / 4 / kColumns;
    auto indices = Filled(DType::kInt64, {kRows});
    for (int64_t& index : indices->mutable_values<int64_t>()) {
      index = static_cast<int64_t>(engine() % static_cast<uint64_t>(rows));
    }
    return std::pair(Filled(DType::kFloat32, {rows, kColumns}), indices);
  };
  auto scatter = [&](const auto& prepared) {
    const auto& [target, indices] = prepared;
    // What a store does for each request.
    if (!CheckScatter(ScatterOp::kAdd, target->dtype(), target->shape(),
                      *indices, *updates)
             .ok()) {
      std::abort();
    }
    ScatterInPlace(ScatterOp::kAdd, /*nd=*/false, *indices, *updates,
                   target.get());
  };
  const auto large = prepare(large_bytes);
  const auto small = prepare(small_bytes);
  return Compare(
      "scatter_add 1,000 rows", updates->size_bytes(), seconds,
      [&] { scatter(large); }, [&] { scatter(small); },
      /*goal=*/0.83);
}

}  // namespace
}  // namespace varkeep::benchmarks

int main(int argc, char** argv) {
  bool quick = false;
  std::string json;
  CLI::App app("Changes in place beside memcpy, and rows of large tensors.");
  app.add_flag("--quick", quick, "a tenth of the bytes and of the time");
  app.add_option("--json", json, "also write the rows to this file");
  CLI11_PARSE(app, argc, argv);
  const int64_t scale = quick ? 10 : 1;
  const double seconds = 2.0 / static_cast<double>(scale);
  std::cout << "yardsticks: memcpy of the same bytes with the same threads; "
               "scatter into 1 % of the bytes; instructions: "
            << varkeep::CpuPathName(varkeep::ChosenCpuPath()) << "\n";
  auto rows = varkeep::benchmarks::WholeTensors(400'000'000 / scale, seconds);
  rows.push_back(varkeep::benchmarks::Rows(1'000'000'000 / scale,
                                           10'000'000 / scale, seconds));
  varkeep::benchmarks::Print(rows);
  if (!json.empty()) varkeep::benchmarks::WriteJson(rows, json);
}
