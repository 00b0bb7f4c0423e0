// SPDX-License-Identifier: Apache-2.0
//
// One of several workers that train one network together: each reads all
// parameters as one snapshot, computes gradients on rows of its own, and
// subtracts them from the shared variables. The workers start in any order, and
// the server may be restarted meanwhile: the client library waits, repeats and
// declares again, and every update that was acknowledged is there exactly once.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdint>
#include <iostream>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "base/status_macros.h"
#include "client/client.h"
#include "client/examples/digits.h"

namespace varkeep::examples {
namespace {

using client::Reuse;
using client::Session;
using client::Variable;

struct Options {
  std::string server = "localhost:7700";
  std::string data = "digits.csv";
  int worker = 0;
  int workers = 1;
  int steps = 1000;
  int batch = 32;
  int report_every = 20;
  unsigned seed = 1;
  float rate = 0.1f;
  bool evaluate = false;
};

// The shared model, declared as in TensorFlow. Every worker runs this.
struct Model {
  std::array<Variable, 4> parameters;
  Variable pushes;  // how many steps the workers have pushed together
};

absl::StatusOr<Model> Declare(Session* session) {
  Model model;
  {
    ASSIGN_OR_RETURN(auto hidden, session->EnterScope("hidden"));
    ASSIGN_OR_RETURN(model.parameters[0],
                     hidden.GetVariable("weights", {kPixels, kHidden},
                                        client::GlorotUniform()));
    ASSIGN_OR_RETURN(model.parameters[1],
                     hidden.GetVariable("biases", {kHidden}, client::Zeros()));
  }
  {
    ASSIGN_OR_RETURN(auto output, session->EnterScope("output"));
    ASSIGN_OR_RETURN(model.parameters[2],
                     output.GetVariable("weights", {kHidden, kClasses},
                                        client::GlorotUniform()));
    ASSIGN_OR_RETURN(model.parameters[3],
                     output.GetVariable("biases", {kClasses}, client::Zeros()));
  }
  client::VariableOptions counter;
  counter.dtype = DType::kInt64;
  counter.trainable = false;
  ASSIGN_OR_RETURN(model.pushes, session->GetVariable(
                                     "pushes", {}, client::Zeros(), counter));
  return model;
}

// All parameters as they were at one revision.
struct Parameters {
  Network network;
  uint64_t revision = 0;
};

absl::StatusOr<Parameters> Read(Session* session, const Model& model) {
  ASSIGN_OR_RETURN(client::Snapshot snapshot,
                   session->ReadSnapshot(model.parameters));
  auto matrix = [&](size_t i, int rows, int columns) {
    return Eigen::Map<const Matrix>(snapshot.values[i]->values<float>().data(),
                                    rows, columns);
  };
  Parameters parameters;
  parameters.revision = snapshot.revision;
  parameters.network = {matrix(0, kPixels, kHidden), matrix(1, 1, kHidden),
                        matrix(2, kHidden, kClasses), matrix(3, 1, kClasses)};
  return parameters;
}

template <typename Gradient>
absl::Status PushOne(const Variable& variable, float rate,
                     const Gradient& gradient) {
  Matrix step = rate * gradient;
  return variable
      .AssignSub(
          std::span<const float>(step.data(), static_cast<size_t>(step.size())))
      .status();
}

// Returns when all four, and the count, are acknowledged.
absl::Status Push(const Model& model, float rate, const Network& gradients) {
  const auto& variables = model.parameters;
  RETURN_IF_ERROR(PushOne(variables[0], rate, gradients.hidden_weights));
  RETURN_IF_ERROR(PushOne(variables[1], rate, gradients.hidden_biases));
  RETURN_IF_ERROR(PushOne(variables[2], rate, gradients.output_weights));
  RETURN_IF_ERROR(PushOne(variables[3], rate, gradients.output_biases));
  const int64_t one = 1;
  return model.pushes.AssignAdd(std::span<const int64_t>(&one, 1)).status();
}

absl::Status Train(const Options& options, Session* session, const Model& model,
                   const Digits& digits) {
  std::mt19937 random(options.seed + static_cast<unsigned>(options.worker));
  std::uniform_int_distribution<int> draw(0, digits.size() - 1);
  for (int step = 1; step <= options.steps; ++step) {
    std::vector<int> rows(static_cast<size_t>(options.batch));
    for (int& row : rows) row = draw(random);
    ASSIGN_OR_RETURN(Parameters parameters, Read(session, model));
    Network gradients;
    Evaluation evaluation =
        Evaluate(parameters.network, digits.Pick(rows), &gradients);
    RETURN_IF_ERROR(Push(model, options.rate, gradients));
    if (step % options.report_every != 0 && step != options.steps) continue;
    std::cout << "worker=" << options.worker << " step=" << step
              << " steps=" << options.steps << " loss=" << evaluation.loss
              << " accuracy=" << evaluation.accuracy
              << " acknowledged=" << 4 * step
              << " revision=" << parameters.revision << std::endl;
  }
  return absl::OkStatus();
}

absl::Status Run(const Options& options) {
  ASSIGN_OR_RETURN(Digits all, ReadDigits(options.data));
  ASSIGN_OR_RETURN(auto connected, client::Client::Connect(options.server));
  ASSIGN_OR_RETURN(
      std::shared_ptr<Session> session,
      connected->OpenSession(
          {.container = "",
           .graph_seed = options.seed,
           .creator = "digits worker " + std::to_string(options.worker)}));
  // To evaluate is to find what others declared.
  if (options.evaluate) session->root().reuse_variables();
  ASSIGN_OR_RETURN(Model model, Declare(session.get()));
  int acknowledged = 0;
  if (!options.evaluate) {
    if (options.worker == 0) {
      RETURN_IF_ERROR(session->Initialize().status());
    } else {
      RETURN_IF_ERROR(session->WaitUntilInitialized());
    }
    RETURN_IF_ERROR(Train(options, session.get(), model,
                          TrainingRows(all, options.worker, options.workers)));
    acknowledged = 4 * options.steps;
  }
  ASSIGN_OR_RETURN(Parameters parameters, Read(session.get(), model));
  std::cout << "worker=" << options.worker << " test_accuracy="
            << Evaluate(parameters.network, TestRows(all), nullptr).accuracy
            << " acknowledged=" << acknowledged << std::endl;
  return absl::OkStatus();
}

}  // namespace
}  // namespace varkeep::examples

int main(int argc, char** argv) {
  varkeep::examples::Options options;
  CLI::App app("Train a classifier of handwritten digits with others.");
  app.add_option("--server", options.server, "host:port");
  app.add_option("--data", options.data, "file of digits");
  app.add_option("--worker", options.worker, "number of this worker, from 0")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--workers", options.workers, "how many train together")
      ->check(CLI::PositiveNumber);
  app.add_option("--steps", options.steps)->check(CLI::NonNegativeNumber);
  app.add_option("--batch", options.batch)->check(CLI::PositiveNumber);
  app.add_option("--report-every", options.report_every)
      ->check(CLI::PositiveNumber);
  app.add_option("--seed", options.seed);
  app.add_option("--rate", options.rate, "learning rate");
  app.add_flag("--evaluate", options.evaluate, "read and test, do not train");
  CLI11_PARSE(app, argc, argv);
  if (options.worker >= options.workers) {
    std::cerr << "digits_worker: --worker must be below --workers\n";
    return 2;
  }
  absl::Status status = varkeep::examples::Run(options);
  if (status.ok()) return 0;
  std::cerr << "digits_worker: " << status << "\n";
  return 1;
}
