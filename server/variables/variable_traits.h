// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_VARIABLES_VARIABLE_TRAITS_H_
#define VARKEEP_SERVER_VARIABLES_VARIABLE_TRAITS_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "server/initializers/initializer.h"

namespace varkeep {

// What many variables have in common: kept once, however many they are.
struct VariableTraits {
  std::string container;
  bool trainable = true;
  std::vector<std::string> collections;
  InitializerSpec initializer;
  std::string regularizer;
  std::string caching_device;
  std::string constraint;
  std::string creator;
};

using TraitsRef = std::shared_ptr<const VariableTraits>;

// Makes equal traits one. One thread only.
class TraitsTable {
 public:
  // Those given, or equal ones that are in use already. Traits that hold a
  // large tensor are not shared.
  TraitsRef Share(TraitsRef traits);
  // Those in the table, with some that nobody uses any more.
  size_t size() const { return known_.size(); }

 private:
  void Sweep();

  absl::flat_hash_map<std::string, TraitsRef> known_;  // by all their fields
  size_t sweep_at_ = 64;
};

}  // namespace varkeep

#endif  // VARKEEP_SERVER_VARIABLES_VARIABLE_TRAITS_H_
