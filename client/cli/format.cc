// SPDX-License-Identifier: Apache-2.0
#include "client/cli/format.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iostream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace varkeep::cli {
namespace {

// The shortest text that reads back as the same number.
template <typename T>
std::string Shortest(T value) {
  char buffer[64];
  auto end = std::to_chars(buffer, buffer + sizeof(buffer), value).ptr;
  return std::string(buffer, end);
}

template <typename T>
std::string ElementText(const T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    return value ? "True" : "False";
  } else if constexpr (std::is_same_v<T, Eigen::half> ||
                       std::is_same_v<T, Eigen::bfloat16>) {
    return absl::StrFormat("%.5g",
                           static_cast<double>(static_cast<float>(value)));
  } else if constexpr (requires { value.imag(); }) {
    return absl::StrCat(Shortest(value.real()),
                        std::signbit(value.imag()) ? "-" : "+",
                        Shortest(std::abs(value.imag())), "j");
  } else {
    return Shortest(value);
  }
}

Json NumberToJson(double value, const std::string& shortest) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return std::stod(shortest);
}

template <typename T>
Json ElementToJson(const T& value) {
  if constexpr (std::is_same_v<T, bool> || std::is_integral_v<T>) {
    return value;
  } else if constexpr (std::is_same_v<T, Eigen::half> ||
                       std::is_same_v<T, Eigen::bfloat16>) {
    auto number = static_cast<float>(value);
    return NumberToJson(static_cast<double>(number), Shortest(number));
  } else if constexpr (requires { value.imag(); }) {
    return Json::array(
        {ElementToJson(value.real()), ElementToJson(value.imag())});
  } else {
    return NumberToJson(static_cast<double>(value), Shortest(value));
  }
}

// Prints one dimension and those inside it.
template <typename T>
struct TensorPrinter {
  const Tensor& tensor;
  int64_t edge;
  std::span<const T> values = tensor.values<T>();
  std::string text = {};

  void Print(int dimension, int64_t offset) {
    const Shape& shape = tensor.shape();
    if (dimension == shape.rank()) {
      absl::StrAppend(&text, ElementText(values[static_cast<size_t>(offset)]));
      return;
    }
    int64_t stride = 1;
    for (int i = dimension + 1; i < shape.rank(); ++i) stride *= shape.dim(i);
    int64_t count = shape.dim(dimension);
    bool last = dimension + 1 == shape.rank();
    std::string separator =
        last ? " "
             : "\n" + std::string(static_cast<size_t>(dimension) + 1, ' ');
    text += "[";
    for (int64_t i = 0; i < count; ++i) {
      if (i > 0) text += separator;
      if (edge > 0 && count > 2 * edge && i == edge) {
        text += "...";
        i = count - edge - 1;
        continue;
      }
      Print(dimension + 1, offset + i * stride);
    }
    text += "]";
  }
};

template <typename T>
Json Nested(const Shape& shape, std::span<const T> values, int dimension,
            size_t* next) {
  if (dimension == shape.rank()) return ElementToJson(values[(*next)++]);
  Json list = Json::array();
  for (int64_t i = 0; i < shape.dim(dimension); ++i) {
    list.push_back(Nested(shape, values, dimension + 1, next));
  }
  return list;
}

}  // namespace

Table::Table(std::vector<std::string> header) { Add(std::move(header)); }

void Table::Add(std::vector<std::string> row) {
  rows_.push_back(std::move(row));
}

std::string Table::ToString() const {
  std::vector<size_t> widths(rows_[0].size());
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], row[i].size());
    }
  }
  std::string text;
  for (const auto& row : rows_) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] - row[i].size() + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    absl::StrAppend(&text, line, "\n");
  }
  return text;
}

std::string FormatBytes(uint64_t bytes) {
  if (bytes < 1000) return absl::StrCat(bytes, " B");
  auto value = static_cast<double>(bytes);
  const char* unit = "";
  for (const char* next : {"kB", "MB", "GB", "TB", "PB"}) {
    if (value < 1000) break;
    value /= 1000;
    unit = next;
  }
  return absl::StrFormat("%.1f %s", value, unit);
}

std::string TimeText(absl::Time time) {
  if (time == absl::UnixEpoch()) return "-";
  return absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", time, absl::UTCTimeZone());
}

std::string FormatTensor(const Tensor& tensor, int64_t edge) {
  return VisitDType(tensor.dtype(), [&](auto tag) {
    TensorPrinter<typename decltype(tag)::type> printer{tensor, edge};
    printer.Print(0, 0);
    return std::move(printer.text);
  });
}

Json TensorToJson(const Tensor& tensor) {
  return VisitDType(tensor.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    size_t next = 0;
    return Nested<T>(tensor.shape(), tensor.values<T>(), 0, &next);
  });
}

void Print(const std::string& text) {
  std::cout << text;
  if (text.empty() || text.back() != '\n') std::cout << '\n';
}

void PrintJson(const Json& json) { std::cout << json.dump(2) << '\n'; }

}  // namespace varkeep::cli
