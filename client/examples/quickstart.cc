// SPDX-License-Identifier: Apache-2.0
//
// The shortest useful program: declare, initialize, change, read.
#include <iostream>
#include <vector>

#include "client/client.h"

using namespace varkeep::client;  // NOLINT(google-build-using-namespace)

int main(int argc, char** argv) {
  auto client = Client::Connect(argc > 1 ? argv[1] : "localhost:7700").value();
  auto session = client->OpenSession().value();

  VariableScope layer = session->EnterScope("layer", {Reuse::kAuto}).value();
  Variable weights =
      layer.GetVariable("weights", {784, 200}, RandomNormal({.stddev = 0.35}))
          .value();
  Variable biases = layer.GetVariable("biases", {200}, Zeros()).value();
  session->Initialize().value();  // on the server; keeps values that are there

  std::vector<float> step(200, 0.5f);
  biases.AssignAdd(std::span<const float>(step)).value();
  std::cout << weights.ToString() << "\n"
            << "biases[0] = " << biases.Read().value()->values<float>()[0]
            << "\n";
}
