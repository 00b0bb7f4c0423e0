// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_CLIENT_EXAMPLES_DIGITS_H_
#define VARKEEP_CLIENT_EXAMPLES_DIGITS_H_

#include <Eigen/Core>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace varkeep::examples {

// A matrix in the order of our tensors.
using Matrix =
    Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using RowVector = Eigen::RowVectorXf;

inline constexpr int kPixels = 64;
inline constexpr int kHidden = 128;
inline constexpr int kClasses = 10;

// Handwritten digits: 8 x 8 pixels scaled to 0..1, one row each.
struct Digits {
  Matrix pixels;
  std::vector<int> labels;

  int size() const { return static_cast<int>(labels.size()); }
  // The rows at these positions.
  Digits Pick(const std::vector<int>& rows) const;
};

// A text file of rows of 64 pixels 0..16 and the label, separated by commas. A
// first line of another form is a header and is skipped.
absl::StatusOr<Digits> ReadDigits(const std::string& path);

// Every fifth row is held out for testing; worker i of n trains on every n-th
// of the rest.
Digits TestRows(const Digits& all);
Digits TrainingRows(const Digits& all, int worker, int workers);

// 64-128-10: tanh, softmax, cross-entropy. Also holds gradients.
struct Network {
  Matrix hidden_weights;
  RowVector hidden_biases;
  Matrix output_weights;
  RowVector output_biases;
};

struct Evaluation {
  double loss = 0;
  double accuracy = 0;
};

// Mean loss and accuracy. `gradients` of the loss may be null.
Evaluation Evaluate(const Network& network, const Digits& digits,
                    Network* gradients);

}  // namespace varkeep::examples

#endif  // VARKEEP_CLIENT_EXAMPLES_DIGITS_H_
