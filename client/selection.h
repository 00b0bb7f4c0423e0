// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_CLIENT_SELECTION_H_
#define VARKEEP_CLIENT_SELECTION_H_

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "client/variable_info.h"

namespace varkeep::client {

// Which variables a call is about.
struct Selection {
  struct Everything {};
  struct InCollection {
    std::string key;
  };
  using Names = std::vector<std::string>;
  std::variant<Everything, InCollection, Names> which;

  // All that the session declared, or the container has.
  static Selection All() { return {Everything{}}; }
  static Selection Collection(std::string key) {
    return {InCollection{std::move(key)}};
  }
  // tf.global_variables() and so on.
  static Selection GlobalVariables() { return Collection(kGlobalVariables); }
  static Selection LocalVariables() { return Collection(kLocalVariables); }
  static Selection TrainableVariables() {
    return Collection(kTrainableVariables);
  }
  // Names with or without ":0".
  static Selection Named(Names names) { return {std::move(names)}; }
};

}  // namespace varkeep::client

#endif  // VARKEEP_CLIENT_SELECTION_H_
