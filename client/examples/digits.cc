// SPDX-License-Identifier: Apache-2.0
#include "client/examples/digits.h"

#include <algorithm>
#include <cmath>
#include <fstream>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace varkeep::examples {
namespace {

// 65 numbers; empty when the line is something else.
std::vector<float> ParseRow(const std::string& line) {
  std::vector<float> row;
  for (absl::string_view field : absl::StrSplit(line, ',')) {
    float value = 0;
    if (!absl::SimpleAtof(field, &value)) return {};
    row.push_back(value);
  }
  bool ok =
      row.size() == kPixels + 1 && row.back() >= 0 && row.back() < kClasses;
  return ok ? row : std::vector<float>();
}

Digits FromRows(const std::vector<std::vector<float>>& rows) {
  Digits digits;
  digits.pixels.resize(static_cast<Eigen::Index>(rows.size()), kPixels);
  for (size_t i = 0; i < rows.size(); ++i) {
    digits.pixels.row(static_cast<Eigen::Index>(i)) =
        Eigen::Map<const RowVector>(rows[i].data(), kPixels) / 16.0f;
    digits.labels.push_back(static_cast<int>(rows[i].back()));
  }
  return digits;
}

}  // namespace

absl::StatusOr<Digits> ReadDigits(const std::string& path) {
  std::ifstream in(path);
  if (!in) return absl::NotFoundError(absl::StrCat("cannot read ", path));
  std::vector<std::vector<float>> rows;
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    if (line.empty()) continue;
    std::vector<float> row = ParseRow(line);
    if (!row.empty()) {
      rows.push_back(std::move(row));
    } else if (number > 1) {
      return absl::InvalidArgumentError(absl::StrCat(
          path, ":", number, ": not 64 pixels and a label from 0 to 9"));
    }
  }
  if (rows.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(path, " has no rows"));
  }
  return FromRows(rows);
}

Digits Digits::Pick(const std::vector<int>& rows) const {
  Digits picked;
  picked.pixels.resize(static_cast<Eigen::Index>(rows.size()), kPixels);
  for (size_t i = 0; i < rows.size(); ++i) {
    picked.pixels.row(static_cast<Eigen::Index>(i)) = pixels.row(rows[i]);
    picked.labels.push_back(labels[static_cast<size_t>(rows[i])]);
  }
  return picked;
}

Digits TestRows(const Digits& all) {
  std::vector<int> rows;
  for (int i = 4; i < all.size(); i += 5) rows.push_back(i);
  return all.Pick(rows);
}

Digits TrainingRows(const Digits& all, int worker, int workers) {
  std::vector<int> rows;
  int seen = 0;
  for (int i = 0; i < all.size(); ++i) {
    if (i % 5 != 4 && seen++ % workers == worker) rows.push_back(i);
  }
  return all.Pick(rows);
}

Evaluation Evaluate(const Network& network, const Digits& digits,
                    Network* gradients) {
  Matrix hidden = ((digits.pixels * network.hidden_weights).rowwise() +
                   network.hidden_biases)
                      .array()
                      .tanh();
  Matrix scores =
      (hidden * network.output_weights).rowwise() + network.output_biases;
  // Softmax, and from it the gradient of the loss with respect to the scores.
  scores.colwise() -= scores.rowwise().maxCoeff().eval();
  Matrix delta = scores.array().exp();
  delta.array().colwise() /= delta.rowwise().sum().eval().array();
  Evaluation result;
  for (int i = 0; i < digits.size(); ++i) {
    int label = digits.labels[static_cast<size_t>(i)];
    Eigen::Index best = 0;
    delta.row(i).maxCoeff(&best);
    result.accuracy += best == label ? 1 : 0;
    result.loss -= std::log(std::max(delta(i, label), 1e-30f));
    delta(i, label) -= 1.0f;
  }
  result.loss /= digits.size();
  result.accuracy /= digits.size();
  if (gradients == nullptr) return result;
  delta /= static_cast<float>(digits.size());
  gradients->output_weights = hidden.transpose() * delta;
  gradients->output_biases = delta.colwise().sum();
  Matrix back = (delta * network.output_weights.transpose()).array() *
                (1.0f - hidden.array().square());
  gradients->hidden_weights = digits.pixels.transpose() * back;
  gradients->hidden_biases = back.colwise().sum();
  return result;
}

}  // namespace varkeep::examples
