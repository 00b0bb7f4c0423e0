// SPDX-License-Identifier: Apache-2.0
#include "server/durability/restore_plan.h"

#include <map>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "server/variables/names.h"

namespace varkeep {
namespace {

// Name in the checkpoint to name on the server.
std::map<std::string, std::string> Wanted(const RestoreOptions& options) {
  std::map<std::string, std::string> wanted;
  for (const std::string& name : options.names) {
    wanted.emplace(StripOutput(name), StripOutput(name));
  }
  for (const auto& [from, to] : options.name_map) {
    wanted.insert_or_assign(std::string(StripOutput(from)),
                            std::string(StripOutput(to)));
  }
  return wanted;
}

}  // namespace

absl::StatusOr<std::vector<PlannedRestore>> PlanRestore(
    const RestoreOptions& options, std::vector<StoredVariable> stored) {
  std::vector<PlannedRestore> plan;
  const std::map<std::string, std::string> wanted = Wanted(options);
  if (wanted.empty()) {
    for (StoredVariable& variable : stored) {
      std::string name = variable.info.spec.name;
      plan.push_back({std::move(name), std::move(variable)});
    }
    return plan;
  }
  std::map<std::string, StoredVariable*> by_name;
  for (StoredVariable& variable : stored) {
    if (variable.info.container == options.container) {
      by_name[variable.info.spec.name] = &variable;
    }
  }
  std::set<std::string> targets;
  for (const auto& [from, to] : wanted) {
    auto found = by_name.find(from);
    if (found == by_name.end()) {
      return absl::NotFoundError(
          absl::StrCat("Key ", Shorten(from), " not found in checkpoint"));
    }
    RETURN_IF_ERROR(CheckOpName(to));
    if (!targets.insert(to).second) {
      return absl::InvalidArgumentError(absl::StrCat(
          "two variables of the checkpoint would be restored into ", to));
    }
    PlannedRestore planned{from, std::move(*found->second)};
    planned.source.info.spec.name = to;
    plan.push_back(std::move(planned));
  }
  return plan;
}

}  // namespace varkeep
